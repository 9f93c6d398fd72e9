"""Request and answer shapes."""
