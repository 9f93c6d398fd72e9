"""Campaigns: who is in the audience, with which products, and how often at most."""
