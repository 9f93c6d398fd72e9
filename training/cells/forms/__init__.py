"""Forms of times and numbers: which one a column has, and how its cells are read in it."""
