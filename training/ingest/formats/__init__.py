"""Formats of exports: a TOML file each, and the hooks that reshape those that are no table of purchase lines."""
