"""Clock, events, journal, queue and push: the mechanisms. Knows nothing of HTTP, accounts or faults."""
