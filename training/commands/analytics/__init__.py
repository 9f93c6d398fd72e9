"""Commands that analyse customers and experiments."""
