"""Background work of the service: events that are written while no answer waits for them."""
