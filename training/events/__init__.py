"""What happens to accepted events: archived, learned from, and forgotten where a customer asks for it."""
