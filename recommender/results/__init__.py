"""Results: what came of recommendations and campaigns, as documents that the worker keeps and others read."""
