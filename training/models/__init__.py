"""What the ledger teaches: factors, neighbours, rhythms, popularity."""
