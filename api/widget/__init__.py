"""The widget for shop pages: its script, its page of documentation, and the same rows as ready HTML."""
