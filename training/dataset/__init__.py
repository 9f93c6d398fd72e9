"""The ledger before a moment as arrays and sparse matrices."""
