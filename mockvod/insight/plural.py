"""Numbers of things in messages."""

from collections.abc import Sized


def count(things: int | Sized, one: str, several: str) -> str:
    """`1 event`, `2 events`."""
    number = things if isinstance(things, int) else len(things)
    return f"{number} {one if number == 1 else several}"
