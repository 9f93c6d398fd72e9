"""Experiments: assignment of customers to variants, treatments, and exposures."""
