"""The control API at `/mockvod/v1`."""
