"""Experiment analysis: effects of variants with their uncertainty, from purchases and assignments."""
