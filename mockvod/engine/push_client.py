"""The HTTP client that pushes events: its connections, how it reads responses, and how it words failures."""

import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from itertools import accumulate
from pathlib import Path
from types import SimpleNamespace
from typing import Final, NamedTuple, Self

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientOSError,
    ClientPayloadError,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    ClientSSLError,
    ClientTimeout,
    DummyCookieJar,
    ServerDisconnectedError,
    TCPConnector,
    TraceConfig,
    TraceConnectionReuseconnParams,
)
from yarl import URL

from mockvod.engine.resolver import LinkLocalAddress, Resolver
from mockvod.redaction import redacted

BODY_HEAD: Final = 256
"""Bytes of a response's body that are kept to be shown."""
BODY_LIMIT: Final = 1024 * 1024
"""Bytes of a response's body after which it counts as endless."""
HEADER_LIMIT: Final = 64 * 1024
"""Bytes of the longest status or header line of a response."""
HEADERS_KEPT: Final = 16 * 1024
"""Bytes of a response's headers that are kept to be shown."""
_LARGE: Final = 1024 * 1024  # bytes above which aiohttp wants a body as a file, and warns
_NO_TIMEOUT: Final = ClientTimeout(total=None, sock_connect=None, connect=None)  # the clock's deadline is the only one


Headers = Sequence[tuple[str, str]]


class Request(NamedTuple):
    """A POST before it is sent."""

    url: URL
    body: bytes
    headers: Mapping[str, str]
    pieces: AsyncIterator[bytes] | None = None
    """The body in pieces, to be sent one by one instead of it."""


@dataclass(slots=True)
class Response:
    """What has come of a request so far."""

    status: int | None = None
    reason: str | None = None
    """The reason phrase; None while there is no response."""
    headers: Headers = ()
    """The response's, as many as fit in HEADERS_KEPT."""
    sent_headers: Headers | None = None
    """The request's, as they were sent; None while there is no response."""
    body: bytes = b""
    """Its first bytes, at least BODY_HEAD where there are so many."""
    error: str | None = None
    """The kind of the failure, a colon and its message; None while nothing failed."""


class _Connection:
    """The connection that a request uses."""

    __slots__ = ("reused",)

    def __init__(self) -> None:
        self.reused = False


class PushClient:
    """The HTTP client of all deliveries of a server, as a context. Connections are opened when first needed."""

    def __init__(self, *, allow_link_local: bool = False) -> None:
        self._resolver = Resolver(allow_link_local=allow_link_local)
        self._pooled: ClientSession | None = None
        self._fresh: ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for session in (self._pooled, self._fresh):
            if session is not None:
                await session.close()

    async def post(
        self,
        request: Request,
        response: Response,
        *,
        authority: str = "",
    ) -> None:
        """Send *request* and fill *response*; a failure ends up in its `error`. The caller sets the deadline.

        *authority* is the PEM file that certificates are checked against, instead of the system's authorities.

        A receiver may close an idle connection at the moment at which it is used again. So a request that breaks on a
        reused connection before a response is sent once more, on a fresh connection.
        """
        connection = _Connection()
        try:
            self._resolver.check(request.url.host or "")  # aiohttp does not resolve addresses
            tls = _tls(authority) if authority else True
            if self._pooled is None:
                # Receivers often close idle connections after 2 s.
                self._pooled = _session(TCPConnector(limit=0, keepalive_timeout=1.0, resolver=self._resolver))
            try:
                await _send(self._pooled, request, response, tls, connection)
            except (ServerDisconnectedError, ClientOSError) as error:
                if request.pieces is not None or not connection.reused or _has_begun(response, error):
                    raise
                if self._fresh is None:
                    self._fresh = _session(TCPConnector(limit=0, force_close=True, resolver=self._resolver))
                await _send(self._fresh, request, response, tls, connection)
        except (ClientError, OSError, ValueError) as error:
            response.error = describe(error)


def _session(connector: TCPConnector) -> ClientSession:
    return ClientSession(
        connector=connector,
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
        max_line_size=HEADER_LIMIT,
        max_field_size=HEADER_LIMIT,
        trace_configs=[_trace()],
    )


def _trace() -> TraceConfig:
    async def reused(_: ClientSession, context: SimpleNamespace, __: TraceConnectionReuseconnParams) -> None:
        context.trace_request_ctx.reused = True

    trace = TraceConfig()
    trace.on_connection_reuseconn.append(reused)
    return trace


async def _send(
    session: ClientSession, request: Request, response: Response, tls: ssl.SSLContext | bool, connection: _Connection
) -> None:
    body = request.body if len(request.body) <= _LARGE else BytesIO(request.body)
    async with session.post(
        request.url,
        data=body if request.pieces is None else request.pieces,
        headers=request.headers,
        allow_redirects=False,
        timeout=_NO_TIMEOUT,
        ssl=tls,
        trace_request_ctx=connection,
    ) as incoming:
        response.status = incoming.status
        response.reason = incoming.reason or ""
        response.headers = _decoded(incoming.raw_headers)
        response.sent_headers = list(incoming.request_info.headers.items())
        response.body = await _read(incoming)


def _has_begun(response: Response, error: ClientError) -> bool:
    """Whether a part of the response had arrived when the connection broke with *error*."""
    partial = isinstance(error, ServerDisconnectedError) and not isinstance(error.message, str)
    return partial or response.status is not None


def _decoded(headers: Sequence[tuple[bytes, bytes]]) -> Headers:
    """The first *headers*, as many as fit in HEADERS_KEPT."""
    sizes = accumulate(len(name) + len(value) for name, value in headers)
    return [
        (name.decode("latin-1"), value.decode("utf-8", "replace"))
        for (name, value), size in zip(headers, sizes, strict=True)
        if size <= HEADERS_KEPT
    ]


async def _read(incoming: ClientResponse) -> bytes:
    """The first bytes of the body. Reads it to its end, so that the connection can be used again."""
    content = incoming.content
    if content.is_eof():  # a short body arrives together with the status line
        return content.read_nowait()
    head = b""
    size = 0
    async for chunk in content.iter_any():
        if len(head) < BODY_HEAD:
            head += chunk
        size += len(chunk)
        if size > BODY_LIMIT:
            raise ClientPayloadError(f"the body is longer than {BODY_LIMIT} bytes")
    return head


_KINDS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (LinkLocalAddress, "address not allowed"),
    (ClientConnectorDNSError, "name not found"),
    (ClientSSLError, "TLS"),
    (ClientConnectorError, "cannot connect"),
    (ServerDisconnectedError, "connection closed"),
    (ClientOSError, "connection reset"),
    (ClientPayloadError, "broken response"),
    (ClientResponseError, "invalid HTTP response"),
)


def describe(error: Exception) -> str:
    """The kind of the failure, a colon and its message, in one line."""
    if isinstance(error, ClientConnectorError) and isinstance(error.os_error, LinkLocalAddress):
        error = error.os_error  # which the resolver raised
    kind = next((kind for cls, kind in _KINDS if isinstance(error, cls)), type(error).__name__)
    message = str(error)
    if isinstance(error, ClientResponseError):
        message = error.message  # without its status, which the receiver did not send
        if message.startswith("Got more than"):
            message = f"a status or header line is longer than {HEADER_LIMIT} bytes"
    elif isinstance(error, ClientConnectorCertificateError):
        message = f"{error.certificate_error}; set callback-ca to the authority that {error.host} is checked against"
    return f"{kind}: {redacted(' '.join(message.split()))}"[:500]


def _tls(authority: str) -> ssl.SSLContext:
    """Certificate checks against *authority*, a PEM file, as it is now."""
    return _tls_as_of(authority, Path(authority).stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _tls_as_of(authority: str, _modified: int) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority)
