"""Accepted events: their archive, the fold-in of new customers, and erasure."""
