"""Stores in memory, with the same wire form as those in Redis: the contract suites run on both."""
