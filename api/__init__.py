"""The service: read published lists, build a slate under its cap, answer."""
