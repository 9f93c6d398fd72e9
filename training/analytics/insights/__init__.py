"""Insights about the shop that a version brings along: rhythms, who is due, cohorts, value, lifecycle."""
