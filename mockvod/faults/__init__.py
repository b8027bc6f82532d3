"""Faults: one small class each, a registry and recipes. Known to the engine only as hooks."""
