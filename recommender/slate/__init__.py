"""From ranked lists to the slate that one answer shows: pure functions, no I/O."""
