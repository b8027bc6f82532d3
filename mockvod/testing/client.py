"""Typed clients of the control API: `Client` blocks, `AsyncClient` is awaited, and both have the calls of `Calls`."""

import http.client
import selectors
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urlsplit

from mockvod.testing.calls import Call, Calls, ClockCalls
from mockvod.testing.shapes import MockVodError, Unreachable, WaitTimeout

if TYPE_CHECKING:
    from aiohttp import ClientSession

DEFAULT_URL = "http://127.0.0.1:8266"
RESPONSE_TIMEOUT = 30.0
"""Seconds to wait for a response, beyond those that the server takes on purpose."""

Result = TypeVar("Result")


class _Base(Calls):
    def __init__(self, url: str = DEFAULT_URL, *, secret_id: str | None = None, sub_app_id: int | None = None) -> None:
        self.url = url.rstrip("/")
        self.secret_id = secret_id
        self.sub_app_id = sub_app_id

    @property
    def _scope(self) -> Mapping[str, Any]:
        return {"secret_id": self.secret_id, "sub_app_id": self.sub_app_id}


class Client(_Base):
    """Calls the control API of a running server.

    Calls are about the account *secret_id* and its application *sub_app_id*; without them, the default ones. Threads
    may share a client. Connections are kept until `close`, which leaving a `with` block calls. A request is sent once:
    if its connection breaks, it may have been executed. Raises MockVodError, WaitTimeout, Unreachable.
    """

    def __init__(self, url: str = DEFAULT_URL, *, secret_id: str | None = None, sub_app_id: int | None = None) -> None:
        super().__init__(url, secret_id=secret_id, sub_app_id=sub_app_id)
        self._idle: list[http.client.HTTPConnection] = []
        self.clock = Clock(self)

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, call: Call[Result], /) -> Result:
        __tracebackhide__ = True  # pytest shows the test's own line
        try:
            while isinstance(result := call.result(*self._exchange(call)), Call):
                call = result
        except (OSError, http.client.HTTPException) as error:
            raise call.about or Unreachable(self.url, error) from None
        except WaitTimeout as error:
            if _in_a_running_loop():
                error.add_note(
                    "the wait blocked this thread's event loop and everything that runs in it; "
                    "use AsyncClient (the fixture mockvod_async) in asynchronous tests"
                )
            raise
        return result

    def _exchange(self, call: Call[Any]) -> tuple[int, bytes]:
        connection = self._connection()
        try:
            connection.timeout = RESPONSE_TIMEOUT + call.timeout
            if connection.sock is not None:
                connection.sock.settimeout(connection.timeout)
            body = call.encoded()
            headers = {} if body is None else {"Content-Type": "application/json"}
            connection.request(call.method, call.target(self._scope), body=body, headers=headers)
            response = connection.getresponse()
            received = response.status, response.read()
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return received

    def _connection(self) -> http.client.HTTPConnection:
        """An idle connection that the server has not closed, or a new one."""
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread took it
                break
            if connection.sock is not None and not _readable(connection.sock):
                return connection
            connection.close()
        return connect(self.url)


def connect(url: str) -> http.client.HTTPConnection:
    """A connection for the server at *url*, opened by its first request."""
    where = urlsplit(url)
    kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    return kind(where.hostname or "", where.port)


def _readable(sock: Any) -> bool:
    """Whether an idle socket has something to read: the end of the connection."""
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        return bool(selector.select(0))


def _in_a_running_loop() -> bool:
    import asyncio  # 30 ms that the command line does not need

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class Clock(ClockCalls):
    """The clock of a `Client`'s account."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def _send(self, call: Call[Result], /) -> Result:
        return self._client._send(call)  # noqa: SLF001 - part of the client


class AsyncClient(_Base):
    """The calls of `Client`, awaited.

    In an `async with` block it keeps connections until the block ends, and belongs to the event loop of the block.
    Without one, each call opens a connection and closes it, in whichever loop it is awaited.
    """

    def __init__(self, url: str = DEFAULT_URL, *, secret_id: str | None = None, sub_app_id: int | None = None) -> None:
        super().__init__(url, secret_id=secret_id, sub_app_id=sub_app_id)
        self._session: ClientSession | None = None
        self.clock = AsyncClock(self)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def __aenter__(self) -> Self:
        self._session = _session()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _send(self, call: Call[Result], /) -> Result:
        __tracebackhide__ = True
        from aiohttp import ClientError  # 200 ms that the command line and blocking tests do not need

        try:
            while isinstance(result := call.result(*await self._exchange(call)), Call):
                call = result
        except (ClientError, TimeoutError) as error:
            raise call.about or Unreachable(self.url, error) from None
        return result

    async def _exchange(self, call: Call[Any]) -> tuple[int, bytes]:
        if self._session is not None:
            return await self._ask(self._session, call)
        async with _session() as session:
            return await self._ask(session, call)

    async def _ask(self, session: "ClientSession", call: Call[Any]) -> tuple[int, bytes]:
        from aiohttp import ClientTimeout
        from yarl import URL

        async with session.request(
            call.method,
            URL(self.url + call.target(self._scope), encoded=True),
            data=call.encoded(),
            headers={"Content-Type": "application/json"},
            timeout=ClientTimeout(total=RESPONSE_TIMEOUT + call.timeout),
        ) as response:
            return response.status, await response.read()


def _session() -> "ClientSession":
    from aiohttp import ClientSession, TCPConnector

    return ClientSession(connector=TCPConnector(limit=0))


class AsyncClock(ClockCalls):
    """The clock of an `AsyncClient`'s account."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def _send(self, call: Call[Result], /) -> Result:
        return await self._client._send(call)  # noqa: SLF001 - part of the client


def ca_certificate(url: str) -> bytes:
    """The certificate of the authority of the server at *url*. Raises MockVodError, Unreachable."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=RESPONSE_TIMEOUT)
    with closing(connection):
        try:
            connection.request("GET", "/mockvod/ca.pem")
            response = connection.getresponse()
            pem = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(url, error) from None
    if response.status != 200:
        raise MockVodError(response.status, "no_tls", "the server has no certificate authority: set tls=True")
    return pem
