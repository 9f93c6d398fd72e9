"""What one customer got of each campaign."""
