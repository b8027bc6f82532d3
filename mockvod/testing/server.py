"""A server for tests: one in a thread, or one that runs elsewhere."""

import asyncio
import os
import threading
from concurrent.futures import Future
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self, Unpack
from urllib.parse import urlsplit

from mockvod.testing.client import Client, ca_certificate
from mockvod.testing.options import ServerConfig

if TYPE_CHECKING:
    from mockvod.settings import Settings


class Server:
    """A server that runs elsewhere, at `url` (`http://host:port`). As a context it owns a client for it.

    Raises ValueError if *url* is not the URL of a server.
    """

    def __init__(self, url: str) -> None:
        if urlsplit(url).scheme not in {"http", "https"}:
            raise ValueError(f"{url!r} must be the URL of a server, such as http://127.0.0.1:8266")
        self.url = url.rstrip("/")
        self.client = Client(self.url)
        """Calls of the control API for the default account."""
        self._directory: TemporaryDirectory[str] | None = None

    @property
    def endpoint(self) -> str:
        """`host:port`, as SDKs expect it; with the setting `tls` for https too."""
        return urlsplit(self.url).netloc

    @property
    def ca_file(self) -> Path:
        """A PEM file with the certificate that clients of https must trust, until `close`.

        Raises MockVodError if the server has no authority of its own: it needs the setting `tls`.
        """
        if self._directory is None:
            pem = ca_certificate(self.url)
            self._directory = TemporaryDirectory(prefix="mockvod-")
            Path(self._directory.name, "ca.pem").write_bytes(pem)
        return Path(self._directory.name, "ca.pem")

    def close(self) -> None:
        """Close the client, and delete the certificate's file."""
        self.client.close()
        if self._directory is not None:
            self._directory.cleanup()
            self._directory = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class MockVod:
    """A real server in its own thread and event loop, while a `with` or `async with` block lasts.

    *options* are settings of `mockvod serve` by name (`mode="PUSH"`, `poll_hold=1`, …), on top of *settings* if given.
    Without a port it takes any free one. Environment variables and `mockvod.toml` are ignored. Raises SettingsError;
    entering the block raises CannotListen.
    """

    def __init__(self, settings: "Settings | None" = None, /, **options: Unpack[ServerConfig]) -> None:
        from mockvod.settings_load import from_keywords  # pydantic's 60 ms, not paid by tests that start no server

        given = {} if settings is None else settings.model_dump(exclude_unset=True)
        self.settings = from_keywords({"port": 0, "tls_dir": os.devnull, **given, **options})
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    @property
    def url(self) -> str:
        return self._running.url

    @property
    def endpoint(self) -> str:
        """`host:port`, as SDKs expect it."""
        return self._running.endpoint

    @property
    def ca_file(self) -> Path:
        """As `Server.ca_file`. The authority is kept in memory, unless `tls_dir` names a directory."""
        return self._running.ca_file

    @property
    def client(self) -> Client:
        """Calls of the control API for the default account."""
        return self._running.client

    @property
    def _running(self) -> Server:
        if self._server is None:
            raise RuntimeError("this MockVod is not running: use it in a `with` block, or call start()")
        return self._server

    # --- outside of an event loop

    def start(self) -> Self:
        """Return once it accepts requests. Raises CannotListen."""
        started = self._launch()
        try:
            self._server = Server(started.result())
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Return once the server has stopped."""
        thread = self._shut_down()
        if thread is not None:
            thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- in an event loop, which keeps running

    async def __aenter__(self) -> Self:
        started = self._launch()
        try:
            self._server = Server(await asyncio.shield(asyncio.wrap_future(started)))
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        thread = self._shut_down()
        if thread is not None:
            await asyncio.shield(asyncio.wrap_future(self._ended))
            thread.join()  # it is about to end: there is nothing to await

    # --- the thread

    def _launch(self) -> Future[str]:
        """Start the thread. The result will be the server's URL."""
        with self._starting:
            if self._thread is not None:
                raise RuntimeError("this MockVod is already running: make another one")
            started: Future[str] = Future()
            self._stop: Future[None] = Future()
            self._ended: Future[None] = Future()
            self._thread = threading.Thread(target=self._run, args=(started,), name="mockvod", daemon=True)
            self._thread.start()
            return started

    def _shut_down(self) -> threading.Thread | None:
        """Let the thread stop, and return it. `_ended` is done when it is about to end."""
        if self._server is not None:
            self._server.close()
            self._server = None
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stop.set_result(None)
        return thread

    def _run(self, started: Future[str]) -> None:
        stop, ended = self._stop, self._ended
        try:
            from mockvod.app import loop_factory

            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                runner.run(self._serve(started, stop))
        except BaseException as error:
            if started.done():
                raise  # nothing waits for it any more: threading's hook reports it
            started.set_exception(error)
        finally:
            ended.set_result(None)

    async def _serve(self, started: Future[str], stop: Future[None]) -> None:
        from mockvod.app import serving

        async with serving(self.settings) as running:
            started.set_result(running.url)
            await asyncio.wrap_future(stop)
