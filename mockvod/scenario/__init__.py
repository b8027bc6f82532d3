"""Scenario files: read (`files`), described (`models`), checked (`check`) and applied (`apply`)."""
