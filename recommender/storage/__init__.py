"""Storage ports, one protocol a file, and the cache in front of them. No Redis here."""
