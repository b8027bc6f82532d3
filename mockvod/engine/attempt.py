"""One attempt to deliver an event to a callback URL, and its outcome."""

from typing import Any, NamedTuple


class Attempt(NamedTuple):
    """One POST to a callback URL: a status, or an error."""

    number: int
    url: str
    started_at: float
    """Seconds since 1970 on the account's clock."""
    duration: float
    """Seconds on the account's clock."""
    status: int | None = None
    error: str | None = None
    """The kind of the failure and its message; None when the whole response arrived."""
    answer: str = ""
    """The first bytes of the response's body."""

    @property
    def succeeded(self) -> bool:
        return self.error is None and self.status is not None and 200 <= self.status < 300

    @property
    def outcome(self) -> str:
        """A short form: `status 200`, `timeout: …`."""
        return self.error if self.error is not None else f"status {self.status}"

    def as_json(self) -> dict[str, Any]:
        return self._asdict()
