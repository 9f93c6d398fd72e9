"""Words for people: a file per language, and how its regions write numbers and dates."""
