"""Reports on purchases and versions, for people."""
