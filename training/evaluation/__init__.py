"""Honest evaluation on later windows, beside baselines."""
