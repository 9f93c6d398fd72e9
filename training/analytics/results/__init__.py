"""Results: what came of what was shown in pages and mailed."""
