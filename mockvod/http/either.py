"""One port for http and https: the first byte of a connection tells which it is."""

import asyncio
import os
import socket
import ssl
from typing import Final

from mockvod.engine.clock import monotonic
from mockvod.http.connections import Connections

HANDSHAKE: Final = 0x16
HANDSHAKE_SECONDS: Final = 10.0
ACCEPTED_AT_ONCE: Final = 100
RETRY_SECONDS: Final = 0.5
"""Real seconds until connections are accepted again once the process has run out of descriptors."""


class Unknown:
    """A connection whose first byte has not arrived."""

    def __init__(self, listener: "EitherListener", connection: socket.socket, address: str) -> None:
        self.address = address
        self.waiting_since: float | None = monotonic()
        self._listener = listener
        self._socket = connection

    def look(self) -> None:
        """Look at the first byte without reading it."""
        try:
            first = self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return
        except OSError:
            first = b""
        self._listener.forget(self, served=bool(first))
        if first:
            self._listener.serve(self, self._socket, tls=first[0] == HANDSHAKE)
        else:
            self._socket.close()

    def force_close(self) -> None:
        self._listener.forget(self)
        self._socket.close()

    abort = force_close

    def fileno(self) -> int:
        return self._socket.fileno()


class EitherListener:
    """Accepts connections on the sockets of a server that is not started, and serves each by *connections*.

    Those that begin with a TLS handshake are served inside TLS. Owns the connections until they are served.
    """

    def __init__(self, server: asyncio.Server, connections: Connections, context: ssl.SSLContext, backlog: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._connections = connections
        self._context = context
        self._unknown: set[Unknown] = set()
        self._starting: set[asyncio.Task[None]] = set()
        # Duplicates: an event loop does not add readers for descriptors that it uses itself.
        self._sockets = [socket.socket(fileno=os.dup(one.fileno())) for one in server.sockets]
        for listening in self._sockets:
            listening.setblocking(False)
            listening.listen(backlog)
            self._loop.add_reader(listening, self._accept, listening)

    async def aclose(self) -> None:
        """Accept nothing more, and drop what is not served yet."""
        for listening in self._sockets:
            self._loop.remove_reader(listening)
            listening.close()
        for unknown in tuple(self._unknown):
            unknown.force_close()
        for task in self._starting:
            task.cancel()
        await asyncio.gather(*self._starting, return_exceptions=True)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                connection, peer = listening.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                self._connections.reports.warn("accept", f"no connection can be accepted: {error.strerror}")
                self._loop.remove_reader(listening)
                # Real time: sockets know no other. After `aclose` the call does nothing.
                self._loop.call_later(RETRY_SECONDS, self._accept_again, listening)
                return
            connection.setblocking(False)
            unknown = Unknown(self, connection, str(peer[0]))
            if self._connections.opened(unknown):
                self._unknown.add(unknown)
                self._loop.add_reader(connection, unknown.look)
            else:
                connection.close()

    def _accept_again(self, listening: socket.socket) -> None:
        if listening.fileno() >= 0:
            self._loop.add_reader(listening, self._accept, listening)

    def forget(self, unknown: Unknown, *, served: bool = False) -> None:
        """The connection is closed by its caller, or *served*: then it counts until its handshake has ended."""
        self._loop.remove_reader(unknown.fileno())
        self._unknown.discard(unknown)
        unknown.waiting_since = None
        if not served:
            self._connections.closed(unknown)

    def serve(self, unknown: Unknown, connection: socket.socket, *, tls: bool) -> None:
        """Hand *connection* to aiohttp, after a handshake if it speaks *tls*."""
        task = asyncio.create_task(self._serve(unknown, connection, tls=tls))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _serve(self, unknown: Unknown, connection: socket.socket, *, tls: bool) -> None:
        try:
            await self._loop.connect_accepted_socket(
                self._connections,
                connection,
                ssl=self._context if tls else None,
                ssl_handshake_timeout=HANDSHAKE_SECONDS if tls else None,
            )
        except (OSError, TimeoutError) as error:  # ssl.SSLError is an OSError
            self._connections.handshake_failed(unknown.address, error)
        finally:
            self._connections.closed(unknown)
