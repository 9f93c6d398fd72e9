"""Mails looked at before a campaign: previews, templates tried out, and test mails."""
