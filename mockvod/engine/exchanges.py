"""The requests and responses of the latest attempts, for users to look at."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, takewhile
from typing import Final, NamedTuple

from mockvod.redaction import redacted, redacted_headers

MOST: Final = 200
MOST_BYTES: Final = 2 * 1024 * 1024
BODY_KEPT: Final = 64 * 1024  # bytes of one body
HEADERS_KEPT: Final = 16 * 1024  # bytes of one response's headers

Headers = Sequence[tuple[str, str]]
RawHeaders = Sequence[tuple[bytes, bytes]]


class Exchange(NamedTuple):
    """One POST to a callback URL: the request, and the head of the response if there was one."""

    event: int
    started_at: float
    """That of its attempt: seconds since 1970 on the account's clock."""
    number: int
    sent_url: str
    """With Sign and T if they are in the query."""
    sent_headers: Mapping[str, str]
    body: bytes
    """At most its first BODY_KEPT bytes."""
    reason: str | None = None
    """The reason phrase of the response; None without one."""
    received_headers: RawHeaders = ()

    @property
    def url(self) -> str:
        """Without credentials."""
        return redacted(self.sent_url)

    @property
    def headers(self) -> Headers:
        """The request's, without credentials."""
        return redacted_headers(self.sent_headers.items())

    @property
    def response_headers(self) -> Headers:
        """The response's, without credentials."""
        received = ((name.decode("latin-1"), value.decode("utf-8", "replace")) for name, value in self.received_headers)
        return redacted_headers(received)


class Exchanges:
    """The latest exchanges of one application, at most MOST of them with MOST_BYTES together."""

    def __init__(self) -> None:
        self._kept: deque[tuple[int, Exchange]] = deque()
        self._bytes = 0

    def add(self, exchange: Exchange) -> None:
        size = sum([len(name) + len(value) for name, value in exchange.received_headers])
        if size > HEADERS_KEPT:
            sizes = accumulate(len(name) + len(value) for name, value in exchange.received_headers)
            fitting = len(list(takewhile(lambda size: size <= HEADERS_KEPT, sizes)))
            exchange = exchange._replace(received_headers=exchange.received_headers[:fitting])
        size = min(size, HEADERS_KEPT) + len(exchange.sent_url) + len(exchange.body)
        self._kept.append((size, exchange))
        self._bytes += size
        while len(self._kept) > MOST or self._bytes > MOST_BYTES:
            size, _ = self._kept.popleft()
            self._bytes -= size

    def of(self, event: int) -> Iterator[Exchange]:
        """Those of an event that are still kept, first to last."""
        return (exchange for _, exchange in self._kept if exchange.event == event)
