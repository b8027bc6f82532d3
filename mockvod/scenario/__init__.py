"""Scenario files: reading, checking and applying them."""
