"""The command line `reprise`, and what its commands share."""
