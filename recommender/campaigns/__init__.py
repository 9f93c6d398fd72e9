"""E-mail: who is written to, with which products, how often at most, and what the mail looks like."""
