"""Ingest: purchase files, product files and archived events become the ledger and the catalogue."""
