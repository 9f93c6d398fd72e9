"""Experiments: who sees which variant, what a variant changes, and the exposure that says so."""
