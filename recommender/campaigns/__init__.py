"""E-mail campaigns: audiences, the picks of each mail, and the signed links in it."""
