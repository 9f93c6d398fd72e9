"""Models fitted on a snapshot: factors, neighbours, rhythms, popularity."""
