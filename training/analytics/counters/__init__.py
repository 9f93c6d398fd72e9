"""Counters of the worker: results of days and campaigns, counted from the archive as it grows."""
