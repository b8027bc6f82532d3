"""The end of a life, which ends the work of that life."""

from typing import Final, Literal

EndReason = Literal["reset", "deleted", "stopping"]

_MESSAGES: Final[dict[EndReason, str]] = {
    "reset": "{name} was reset",
    "deleted": "{name} was deleted",
    "stopping": "the server is stopping",
}


class LifeEnded(Exception):
    """The life that work belongs to has ended.

    *name* is the account's name in messages; *reason* is what ended the life.
    """

    def __init__(self, name: str, reason: EndReason) -> None:
        super().__init__(_MESSAGES[reason].format(name=name))
        self.reason = reason
