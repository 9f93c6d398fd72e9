"""What the ranker learns from: windows of the past, and their candidates with what became of them."""
