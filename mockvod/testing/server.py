"""A server that tests use: one of their own in a thread, or one that runs elsewhere."""

import asyncio
import threading
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from mockvod.testing.client import Client

if TYPE_CHECKING:
    from mockvod.settings import Settings


class Server:
    """A server that runs somewhere, at `url` (`http://host:port`): a context that owns a client of it."""

    def __init__(self, url: str) -> None:
        if urlsplit(url).scheme not in {"http", "https"}:
            raise ValueError(f"{url!r} is not the address of a server: it should look like http://127.0.0.1:8266")
        self.url = url.rstrip("/")
        self.client = Client(self.url)
        """Calls of the control API for the default account."""

    @property
    def endpoint(self) -> str:
        """`host:port`, as SDKs want it."""
        return urlsplit(self.url).netloc

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()


class MockVod:
    """The real server in a thread and an event loop of its own, while a `with` or an `async with` block lasts.

    *settings* are those of `mockvod serve` by name (`mode="PUSH"`, `poll_hold=1`, …), or one `Settings`; a port that
    is not given is any free one, and neither environment nor `mockvod.toml` has a say. Raises SettingsError when one
    does not fit, and at the start of the block CannotListen.
    """

    def __init__(self, settings: "Settings | None" = None, /, **changes: Any) -> None:
        from mockvod.settings_load import from_keywords  # pydantic's 60 ms, not paid by tests that start no server

        given = {"port": 0} if settings is None else settings.model_dump()
        self.settings = from_keywords({**given, **changes})
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return self._running.url

    @property
    def endpoint(self) -> str:
        """`host:port`, as SDKs want it."""
        return self._running.endpoint

    @property
    def client(self) -> Client:
        """Calls of the control API for the default account."""
        return self._running.client

    @property
    def _running(self) -> Server:
        if self._server is None:
            raise RuntimeError("this MockVod does not run: use it in a `with` block, or call start()")
        return self._server

    # --- from outside of an event loop

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
        """Return once all that it owned has ended."""
        thread = self._land()
        if thread is not None:
            thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- from inside of one, which goes on meanwhile

    async def __aenter__(self) -> Self:
        started = self._launch()
        try:
            self._server = Server(await asyncio.shield(asyncio.wrap_future(started)))
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        thread = self._land()
        if thread is not None:
            await asyncio.shield(asyncio.wrap_future(self._ended))
            thread.join()  # it has nothing left to do: this takes no time worth awaiting

    # --- the thread

    def _launch(self) -> Future[str]:
        """Begin; what comes back will hold the address."""
        if self._thread is not None:
            raise RuntimeError(f"this MockVod runs already, at {self.url}: make another one")
        started: Future[str] = Future()
        self._stop: Future[None] = Future()
        self._ended: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(started,), name="mockvod", daemon=True)
        self._thread.start()
        return started

    def _land(self) -> threading.Thread | None:
        """Begin to stop; `_ended` tells when the thread that comes back is about to end."""
        if self._server is not None:
            self._server.client.close()
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
                raise  # nobody waits for it any more: the thread's own hook tells it
            started.set_exception(error)
        finally:
            ended.set_result(None)

    async def _serve(self, started: Future[str], stop: Future[None]) -> None:
        from mockvod.app import serving

        async with serving(self.settings) as running:
            started.set_result(running.url)
            await asyncio.wrap_future(stop)
