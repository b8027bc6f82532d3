"""The built-in receiver of an account: the requests it got, and how it responds to the next ones."""

from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

MOST: Final = 200
MOST_BYTES: Final = 4 * 1024 * 1024
BODY_KEPT: Final = 256 * 1024  # bytes of one body


class Response(NamedTuple):
    """How the receiver responds: to the next *times* requests, or to all that follow."""

    status: int = 200
    body: str = '{"code":0}'
    delay: float = 0.0
    """Seconds of the account's clock before it responds."""
    hang_up: bool = False
    """Whether it closes the connection instead."""
    times: int | None = None


ALWAYS_OK: Final = (Response(),)


class Received(NamedTuple):
    """One request, and the response it gets."""

    number: int
    at: float
    """Seconds since 1970 on the account's clock."""
    method: str
    url: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    """At most its first BODY_KEPT bytes."""
    size: int
    """Bytes of the whole body."""
    sign: str
    response: Response

    @property
    def kept_bytes(self) -> int:
        return len(self.body) + len(self.url) + sum(len(name) + len(value) for name, value in self.headers)


class Inbox:
    """Keeps the latest requests, at most MOST of them with MOST_BYTES together, and counts all."""

    def __init__(self) -> None:
        self.received = 0
        self._kept: deque[Received] = deque()
        self._bytes = 0
        self._responses: Sequence[Response] = ALWAYS_OK
        self._used = 0

    @property
    def responses(self) -> Sequence[Response]:
        """What is left of the program: the next response first."""
        first, *others = self._responses
        if first.times is not None:
            first = first._replace(times=first.times - self._used)
        return (first, *others)

    def program(self, responses: Sequence[Response]) -> None:
        """Respond as *responses* say, one after another. Without a last one for all that follow, that is 200."""
        lasting = any(one.times is None for one in responses)
        self._responses = responses if lasting else (*responses, *ALWAYS_OK)
        self._used = 0

    def next_response(self) -> Response:
        """The response to one more request."""
        response = self._responses[0]
        self._used += 1
        if response.times is not None and self._used >= response.times:
            self._responses = self._responses[1:]
            self._used = 0
        return response

    def add(self, received: Received) -> None:
        self._kept.append(received)
        self._bytes += received.kept_bytes
        while len(self._kept) > MOST or self._bytes > MOST_BYTES:
            self._bytes -= self._kept.popleft().kept_bytes

    def requests(self) -> list[Received]:
        """The requests that are kept, newest first."""
        return list(reversed(self._kept))

    def clear(self) -> None:
        """Forget the requests; the program of responses stays."""
        self._kept.clear()
        self._bytes = 0
