"""The connections of a server: their limits in number and time, and connections that do not speak HTTP."""

import asyncio
import logging
import ssl
import sys
from collections.abc import Callable
from typing import Any, Final, Protocol, cast

from aiohttp import StreamReader, web
from aiohttp.http_exceptions import HttpProcessingError

from mockvod.engine.clock import monotonic

log = logging.getLogger("mockvod.connections")

HEAD_SECONDS: Final = 30.0
"""Real seconds in which the head of a request must arrive, from its first byte (or from the connection's beginning)."""
IDLE_SECONDS: Final = 75.0
"""Real seconds for which a connection stays open between two requests."""
SWEEP_SECONDS: Final = 1.0
MAX_CONNECTIONS: Final = 10_000
RESERVED_FILES: Final = 256
"""Descriptors kept for pushes, files and pictures."""
REPORT_SECONDS: Final = 10.0
"""Real seconds in which problems of one kind are logged once."""
MAX_KINDS: Final = 100
LINE_LIMIT: Final = 64 * 1024  # a GET may have 32 KB
FIELD_LIMIT: Final = 64 * 1024

_TLS_HELLO: Final = b"\x16\x03"
_HTTP2: Final = b"PRI * HTTP/2"


def connection_limit() -> int:
    """How many connections may be open: MAX_CONNECTIONS, or what the process's limit on open files leaves."""
    if sys.platform == "win32":  # has no such limit
        return MAX_CONNECTIONS
    import resource  # noqa: PLC0415 - which Windows lacks

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard and soft < MAX_CONNECTIONS + RESERVED_FILES:
        wanted = MAX_CONNECTIONS + RESERVED_FILES
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(16, min(MAX_CONNECTIONS, soft - RESERVED_FILES))


class Reports:
    """Warnings that may come by the thousand: one line of each kind in REPORT_SECONDS."""

    def __init__(self) -> None:
        self._kinds: dict[str, tuple[float, int]] = {}

    def warn(self, kind: str, message: str) -> None:
        """Log *message*, unless one of its *kind* was logged within REPORT_SECONDS: then count it for the next line."""
        now = monotonic()
        due, suppressed = self._kinds.get(kind, (0.0, 0))
        if now < due:
            self._kinds[kind] = due, suppressed + 1
            return
        if len(self._kinds) >= MAX_KINDS:
            self._kinds.clear()
        self._kinds[kind] = now + REPORT_SECONDS, 0
        more = f" ({suppressed} more like this since the last line)" if suppressed else ""
        log.warning("%s%s", message, more)


def one_line(problem: object) -> str:
    """The message of aiohttp about malformed input, on one line and without its status."""
    return " ".join(str(problem).removeprefix("400, message:").split())[:200]


class Slow(Protocol):
    """A connection that may be waiting for bytes of its client."""

    address: str

    @property
    def waiting_since(self) -> float | None:
        """Since when, in real seconds; None while it is not."""

    def force_close(self) -> None: ...
    def abort(self) -> None: ...


class Connections:
    """Makes the protocol of each connection of *server*, and closes connections that send no request in time.

    *arguments* are those of aiohttp's RequestHandler. *saw_tls* is called when a client speaks TLS to a port without.
    """

    def __init__(
        self,
        server: web.Server,
        arguments: dict[str, Any],
        *,
        limit: int | None = None,
        saw_tls: Callable[[str], None] = lambda _address: None,
    ) -> None:
        self._server = server
        self._arguments = {"keepalive_timeout": IDLE_SECONDS, **arguments}
        self._limit = connection_limit() if limit is None else limit
        self._open: set[Slow] = set()
        self._sweeping: asyncio.TimerHandle | None = None
        self.reports = Reports()
        self.saw_tls = saw_tls

    def __call__(self) -> "Connection":
        return Connection(self._server, self, self._arguments)

    def handshake_failed(self, address: str, error: BaseException) -> None:
        """Log why a TLS handshake failed; most often the client does not trust the certificate authority."""
        reason = one_line(getattr(error, "reason", None) or error)
        trusted = "ALERT" not in reason.upper() and not isinstance(error, ConnectionError)
        if not trusted:
            message = (
                f"{address} ended the TLS handshake ({reason or type(error).__name__}): does it trust the certificate "
                "of mockvod? See `mockvod tls`"
            )
        else:
            message = f"a TLS handshake with {address} failed: {reason or type(error).__name__}"
        self.reports.warn(f"handshake {reason[:60]}", message)

    def opened(self, connection: "Slow") -> bool:
        """Whether there is room for *connection*."""
        if len(self._open) >= self._limit:
            self.reports.warn("full", f"{self._limit} connections are open, the limit: another one was closed")
            return False
        self._open.add(connection)
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)
        return True

    def closed(self, connection: "Slow") -> None:
        self._open.discard(connection)

    def abort(self) -> None:
        """End every connection at once and stop looking for slow ones: the server has stopped."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        for connection in tuple(self._open):
            connection.abort()

    def _sweep(self) -> None:
        self._sweeping = None
        late = monotonic() - HEAD_SECONDS
        for connection in [one for one in self._open if one.waiting_since is not None and one.waiting_since <= late]:
            self.reports.warn(
                "slow",
                f"{connection.address} sent no complete request head within {HEAD_SECONDS:g} s: connection closed",
            )
            connection.force_close()
        if self._open:
            self._sweeping = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)


def _ends_a_request(data: bytes, body: StreamReader | None) -> bool:
    """Whether *data*, the latest bytes of a connection, ends within or with a request whose body is *body*."""
    if body is None or not body.is_eof():
        return True
    pieces = getattr(body, "_buffer", None)  # no request without a body has it
    return data.endswith(b"\r\n\r\n") or bool(pieces and data.endswith(pieces[-1]))


class Connection(web.RequestHandler):
    """aiohttp's server protocol; a request head must arrive in time, and other protocols get one line in the log."""

    def __init__(self, server: web.Server, connections: Connections, arguments: dict[str, Any]) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), **arguments)
        self._connections = connections
        self._fresh = True
        self.address = "an unknown address"
        self._head_since: float | None = None
        """Since when a part of a head, or nothing at all, has arrived, in real seconds; None if no head is awaited."""
        self._body: StreamReader | None = None
        """The body of the last request whose head has arrived."""

    @property
    def waiting_since(self) -> float | None:
        """When it began to wait for the head of a request, in real seconds; None between and during requests."""
        return None if self._messages or self._current_request is not None else self._head_since

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._own_transport = cast("asyncio.Transport", transport)  # aiohttp forgets its own when it begins to close
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self.address = str(peer[0])
        super().connection_made(transport)
        self._head_since = monotonic()
        if not self._connections.opened(self):
            self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._connections.closed(self)
        if isinstance(exc, ssl.SSLError):  # in TLS 1.3 a client rejects the certificate after the handshake
            self._connections.handshake_failed(self.address, exc)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._fresh:
            self._fresh = False
            if data.startswith((_TLS_HELLO, _HTTP2)):
                self._refuse(data)
                return
        body, body_was_open = self._body, self._body is not None and not self._body.is_eof()
        messages = len(self._messages)
        super().data_received(data)
        if len(self._messages) > messages:
            body = self._body = self._messages[-1][1]
        elif not body_was_open:
            self._head_since = monotonic() if self._head_since is None else self._head_since
            return
        self._head_since = None if _ends_a_request(data, body) else monotonic()

    def abort(self) -> None:
        """Close the connection without waiting for its client, as closing TLS does."""
        self._own_transport.abort()

    def _refuse(self, data: bytes) -> None:
        """Close a connection that speaks another protocol, and log which."""
        reports = self._connections.reports
        if data.startswith(_TLS_HELLO):
            self._connections.saw_tls(self.address)
            reports.warn(
                "tls",
                f"{self.address} speaks https to the http port; set its protocol to http, or use --tls",
            )
        else:
            reports.warn("http2", f"{self.address} speaks HTTP/2, which mockvod does not; use HTTP/1.1")
        self.force_close()

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """As aiohttp's, but a body that cannot be decoded is an error of the client: one line at WARNING."""
        if isinstance(error := kw.get("exc_info"), web.RequestPayloadError):
            problem = one_line(error)
            self._connections.reports.warn(problem, f"{self.address} sent a malformed body: {problem}")
        else:
            super().log_exception(*args, **kw)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """As aiohttp's, but an error of the client is one line at WARNING without a traceback."""
        if status >= 500 or not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        problem = one_line(message or exc)
        self._connections.reports.warn(problem, f"{self.address} sent a malformed request: {problem}")
        response = web.Response(status=status, text=f"malformed request: {problem}\n")
        response.force_close()
        return response
