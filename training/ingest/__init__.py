"""From files as shops have them to the ledger."""
