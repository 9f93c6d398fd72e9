"""From a checked request to an answer."""
