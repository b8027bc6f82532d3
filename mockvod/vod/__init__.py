"""The simulated service; it knows no HTTP server."""
