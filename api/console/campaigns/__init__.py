"""Campaigns in the console: what came of them, how one would begin, and the mail that somebody would get."""
