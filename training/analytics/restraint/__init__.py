"""Restraint: how many products per placement still add value."""
