"""The offline job: purchase files become a ledger, a model, an evaluation and a published version."""
