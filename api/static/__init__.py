"""Files of the documentation page."""
