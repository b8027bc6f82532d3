"""What the latest attempts sent and received, byte by byte, for a person to look at."""

from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

from mockvod.engine.push_client import Headers

MOST: Final = 200
MOST_BYTES: Final = 2 * 1024 * 1024
BODY_KEPT: Final = 64 * 1024  # bytes of one body


class Exchange(NamedTuple):
    """One POST to a callback URL: the request, and the head of the response where there was one."""

    event: int
    started_at: float
    """As the attempt has it, which it belongs to: seconds since 1970 on the account's clock."""
    number: int
    url: str
    """With Sign and T where they are in the query."""
    headers: Headers
    body: bytes
    """At most its first BODY_KEPT bytes."""
    reason: str | None
    """The reason phrase of the response; None without one."""
    response_headers: Headers

    @property
    def size(self) -> int:
        texts = [self.url, *(text for pair in (*self.headers, *self.response_headers) for text in pair)]
        return len(self.body) + sum(map(len, texts))


class Exchanges:
    """The latest exchanges of one application, at most MOST of them with MOST_BYTES together."""

    def __init__(self) -> None:
        self._kept: deque[Exchange] = deque()
        self._bytes = 0

    def add(self, exchange: Exchange) -> None:
        self._kept.append(exchange)
        self._bytes += exchange.size
        while len(self._kept) > MOST or self._bytes > MOST_BYTES:
            self._bytes -= self._kept.popleft().size

    def of(self, event: int) -> Iterator[Exchange]:
        """Those of an event that are still kept, first to last."""
        return (one for one in self._kept if one.event == event)
