"""Headers: names of columns folded, compared, and proposed for ours."""
