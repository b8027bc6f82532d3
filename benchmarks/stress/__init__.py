"""Stress: clients that do everything at once against one server, and a recount of its events at the end."""
