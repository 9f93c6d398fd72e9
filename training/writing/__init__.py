"""Writing: ways in which shops write the same thing, such as scripts, names of months, calendars and time zones."""
