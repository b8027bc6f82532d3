"""A soak: hostile and random input against a server, while a probe watches its event loop and its memory."""
