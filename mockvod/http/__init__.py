"""The doors: what answers on which path."""
