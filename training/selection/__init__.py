"""Which version and which settings may go live: gate, input drift, tuning."""
