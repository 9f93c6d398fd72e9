"""Events that no answer waits for."""
