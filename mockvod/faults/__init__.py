"""Faults: one small class each, a registry and recipes. The engine knows them only as hooks."""
