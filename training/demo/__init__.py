"""A made-up grocery shop."""
