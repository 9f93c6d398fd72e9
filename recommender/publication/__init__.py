"""What one published version holds: lists, products, profiles, factors, manifest."""
