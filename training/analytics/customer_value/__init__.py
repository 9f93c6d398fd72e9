"""Customer value: lifetime value, churn, next order and segments of each customer, and retention of the shop."""
