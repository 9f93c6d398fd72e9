"""Results of placements and campaigns in Redis or Valkey."""
