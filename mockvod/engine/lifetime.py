"""The end of a life: why work that was under way, or that came too late, is not carried out."""

from typing import Final, Literal

EndReason = Literal["reset", "deleted", "stopping"]

_MESSAGES: Final[dict[EndReason, str]] = {
    "reset": "{name} was reset",
    "deleted": "{name} was deleted",
    "stopping": "the server is stopping",
}


class LifeEnded(Exception):
    """The life that work belongs to has ended.

    *name* is the account's as messages call it; *reason* says what ended the life.
    """

    def __init__(self, name: str, reason: EndReason) -> None:
        super().__init__(_MESSAGES[reason].format(name=name))
        self.reason = reason
