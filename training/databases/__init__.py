"""Databases and object stores as sources: what a query returns, or an object holds, copied into the data directory."""
