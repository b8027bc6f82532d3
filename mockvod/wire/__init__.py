"""Tencent's spelling and nothing else: what crosses the wire, as data and pure functions."""
