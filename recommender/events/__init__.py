"""Events, and what the latest ones of a person say: recent activity and orders."""
