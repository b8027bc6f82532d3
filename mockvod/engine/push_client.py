"""The HTTP client that pushes events: its connections, how it reads responses, and its messages for failures."""

import os
import socket
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from aiohttp import (
    AddrInfoType,
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
_LARGE: Final = 1024 * 1024  # bytes above which aiohttp wants a body as a file, and warns
_NO_TIMEOUT: Final = ClientTimeout(total=None, sock_connect=None, connect=None)  # the clock's deadline is the only one


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
    headers: Sequence[tuple[bytes, bytes]] = ()
    """The response's."""
    sent_headers: Mapping[str, str] | None = None
    """The request's, as they were sent; None while there is no response."""
    body: bytes = b""
    """Its first bytes, at least BODY_HEAD where there are so many."""
    error: str | None = None
    """The kind of the failure, a colon and its message; None while nothing failed."""


@dataclass(slots=True)
class _Connection:
    """The connection that a request uses: reused, unless a socket is opened for it."""

    reused: bool = True


_CONNECTION: Final[ContextVar[_Connection]] = ContextVar("_CONNECTION")


def _open_socket(address: AddrInfoType) -> socket.socket:
    """As aiohttp opens the socket of a connection; notes that the present request has a new one."""
    _CONNECTION.get().reused = False
    family, kind, protocol, _, _ = address
    return socket.socket(family, kind, protocol)


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
        _CONNECTION.set(connection)
        try:
            self._resolver.check(request.url.host or "")  # aiohttp does not resolve addresses
            tls = _tls(authority) if authority else True
            if self._pooled is None:
                # Receivers often close idle connections after 2 s.
                self._pooled = self._session(keepalive_timeout=1.0)
            try:
                await _send(self._pooled, request, response, tls)
            except ClientConnectorError:  # no connection was made, so none was reused
                raise
            except (ServerDisconnectedError, ClientOSError) as error:
                if request.pieces is not None or not connection.reused or _has_begun(response, error):
                    raise
                if self._fresh is None:
                    self._fresh = self._session(force_close=True)
                await _send(self._fresh, request, response, tls)
        except (ClientError, OSError, ValueError) as error:
            response.error = describe(error)

    def _session(self, **options: Any) -> ClientSession:
        connector = TCPConnector(limit=0, resolver=self._resolver, socket_factory=_open_socket, **options)
        return ClientSession(
            connector=connector,
            cookie_jar=DummyCookieJar(),
            auto_decompress=False,
            max_line_size=HEADER_LIMIT,
            max_field_size=HEADER_LIMIT,
        )


async def _send(session: ClientSession, request: Request, response: Response, tls: ssl.SSLContext | bool) -> None:
    body = request.body if len(request.body) <= _LARGE else BytesIO(request.body)
    async with session.post(
        request.url,
        data=body if request.pieces is None else request.pieces,
        headers=request.headers,
        allow_redirects=False,
        timeout=_NO_TIMEOUT,
        ssl=tls,
    ) as incoming:
        response.status = incoming.status
        response.reason = incoming.reason or ""
        response.headers = incoming.raw_headers
        response.sent_headers = incoming.request_info.headers
        response.body = await _read(incoming)


def _has_begun(response: Response, error: ClientError) -> bool:
    """Whether a part of the response had arrived when the connection broke with *error*."""
    partial = isinstance(error, ServerDisconnectedError) and not isinstance(error.message, str)
    return partial or response.status is not None


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
ERROR_KINDS: Final = ("timeout", *(kind for _, kind in _KINDS))
"""What the errors of attempts begin with; the caller's deadline ends in a timeout."""


def describe(error: Exception) -> str:
    """The kind of the failure, a colon and its message, in one line."""
    os_error = getattr(error, "os_error", None)  # aiohttp 3.12 has none in an error of a certificate
    if isinstance(os_error, LinkLocalAddress):
        error = os_error  # which the resolver raised
    kind = next((kind for cls, kind in _KINDS if isinstance(error, cls)), type(error).__name__)
    message = str(error)
    if isinstance(error, ClientResponseError):
        message = error.message  # without its status, which the receiver did not send
        if message.startswith("Got more than"):
            message = f"a status or header line is longer than {HEADER_LIMIT} bytes"
    elif isinstance(error, ServerDisconnectedError) and not isinstance(error.message, str):
        message = "the response was incomplete"  # aiohttp gives what it had read of the head
    elif isinstance(error, ClientConnectorCertificateError):
        message = f"{error.certificate_error}; set callback-ca to the authority that {error.host} is checked against"
    elif isinstance(error, ClientConnectorError):
        message = f"{error.host} port {error.port}: {_cause(error.os_error)}"
    return f"{kind}: {redacted(' '.join(message.split()))}"[:500]


def _cause(error: OSError) -> str:
    """Why no connection was made, in the words of the system where it has some."""
    if isinstance(error, ssl.SSLError | socket.gaierror) or not error.errno:
        return error.strerror or str(error)
    return os.strerror(error.errno)


def _tls(authority: str) -> ssl.SSLContext:
    """Certificate checks against *authority*, a PEM file, with its present content."""
    return _tls_as_of(authority, Path(authority).stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _tls_as_of(authority: str, _modified: int) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority)
