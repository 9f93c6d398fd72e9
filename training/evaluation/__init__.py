"""Offline evaluation on later windows, beside baselines."""
