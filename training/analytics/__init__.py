"""What customers are worth, what experiments caused, how many products add value."""
