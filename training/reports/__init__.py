"""Reports about purchases and versions for people."""
