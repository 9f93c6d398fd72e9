"""What each customer is worth and will do next, and how the shop as a whole holds on to its customers."""
