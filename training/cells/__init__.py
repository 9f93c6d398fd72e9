"""Cells: what the text and numbers of a column mean, such as times, numbers and ids, and what is unclear in them."""
