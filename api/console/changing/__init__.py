"""Changes that are made in the console: read from forms, noted with their author, and undone."""
