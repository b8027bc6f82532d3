"""How large a scenario file may be."""

from typing import Final

MOST_BYTES: Final = 10 * 1024 * 1024
MOST_DEPTH: Final = 60
MOST_NODES: Final = 300_000
"""Most values in a file. Aliases count every time: a few lines may expand to more than fits into memory."""

TOO_DEEP: Final = f"is nested deeper than {MOST_DEPTH} levels"


class TooLarge(Exception):
    """More than MOST_NODES or MOST_DEPTH; the message says which."""
