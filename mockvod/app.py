"""The composition root: builds the world, mounts the routes, owns the lifetimes."""

import asyncio
import gc
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from importlib import import_module
from typing import NamedTuple, cast

from aiohttp import web

from mockvod.engine.clock import monotonic
from mockvod.engine.consumers import Caller
from mockvod.engine.push_client import PushClient
from mockvod.http.api import Api
from mockvod.http.bodies import Bodies
from mockvod.http.connections import FIELD_LIMIT, LINE_LIMIT, Connections
from mockvod.http.guard import Guard, Handler
from mockvod.http.health import METRICS, Health
from mockvod.http.lazy import LazyRouter, Routed
from mockvod.logs import access_logger
from mockvod.service.media import TITLES
from mockvod.service.world import EMPTY, World
from mockvod.settings import Settings
from mockvod.tls import Tls, TlsError
from mockvod.tls import load as load_tls
from mockvod.wire.signing import LEGACY_PATH

log = logging.getLogger("mockvod")

WORLD = web.AppKey("WORLD", World)

BODY_LIMIT = 10 * 1024 * 1024  # what a signed POST may have, 266/31756
BUCKETS = r"/{bucket:[0-9a-f]{8}vod[a-z]+[0-9]+}/{rest:.*}"  # as `service.addresses` makes them
UGC_PATH, UGC_REPORT_PATH = "/v3/index.php", "/ugcupload_new"
STORAGE_HOST = ".myqcloud.com"
BACKLOG = 1024  # connections that wait to be accepted
SHUTDOWN = 0.5  # seconds that open requests get to be answered


def create_app(settings: Settings, origins: Mapping[str, str] = EMPTY, tls: Tls | None = None) -> web.Application:
    """A server as an aiohttp application. Two of them can run in one process."""
    app = web.Application(client_max_size=BODY_LIMIT)
    push_client = PushClient(allow_link_local=settings.allow_link_local)
    world = World(settings, push_client, origins)
    app[WORLD] = world
    bodies = Bodies()
    guard = Guard(settings)
    app.on_response_prepare.append(guard.add_cors_headers)
    storage = _storage(world)

    @web.middleware
    async def by_host(request: web.Request, handler: Handler) -> web.StreamResponse:
        host = request.headers.get("Host", "").lower()
        return await (storage if STORAGE_HOST in host and ".cos." in host else handler)(request)

    app.middlewares.append(by_host)

    def lazy(load: Callable[[], Callable[[], Routed]]) -> Handler:
        return LazyRouter(load, world.importer).respond

    def add_route(path: str, handler: Handler) -> None:
        app.router.add_route("*", path, handler)

    Health(world, b"" if tls is None else tls.ca_pem).add_routes(app.router)
    api = guard.protect(Api(world, bodies).respond)
    add_route("/", api)
    add_route("/{slashes:/+}", api)  # for a client whose endpoint ends with a slash
    add_route(LEGACY_PATH + "{slash:/?}", guard.protect(lazy(lambda: _legacy(world, bodies))))
    add_route("/snapshots/{rest:.*}", lazy(lambda: _pictures(world)))
    for path in (UGC_PATH, UGC_REPORT_PATH):
        add_route(path, lazy(lambda: _ugc(world, bodies)))
    add_route(BUCKETS, lazy(lambda: _media_files(world)))
    if settings.console:
        app.router.add_get("/mockvod{rest:/?|/console.*}", lazy(_console))
    app.router.add_get(METRICS, guard.protect(lazy(lambda: _metrics(world))))
    add_route("/mockvod/inbox{rest:(/.*)?}", guard.protect(lazy(lambda: _inbox(world, bodies))))
    add_route("/mockvod{rest:(/.*)?}", guard.protect(lazy(lambda: _control(world, bodies))))

    async def running_world(_: web.Application) -> AsyncIterator[None]:
        async with push_client, world:
            if settings.scenario:
                await _begin_with(settings.scenario, world)
            yield

    async def release_pollers(_: web.Application) -> None:
        world.begin_shutdown()

    app.cleanup_ctx.append(running_world)
    app.on_shutdown.append(release_pollers)
    return app


class WrongScenario(Exception):
    """The scenario to start with is invalid; the message has a line for every problem."""


async def _begin_with(name: str, world: World) -> None:
    # Imported with the first scenario: most servers begin without one.
    from mockvod.scenario.apply import apply
    from mockvod.scenario.files import load
    from mockvod.scenario.source import ScenarioError

    try:
        scenario = await apply(load(name), world)
    except ScenarioError as error:
        raise WrongScenario(str(error)) from None
    log.info("scenario %s: %s", name, scenario.summary())


def _legacy(world: World, bodies: Bodies) -> Callable[[], Routed]:
    from mockvod.http.legacy import Legacy

    return partial(Legacy, world, bodies)


def _ugc(world: World, bodies: Bodies) -> Callable[[], Routed]:
    import_module(TITLES)
    from mockvod.http.ugc import Ugc

    return partial(Ugc, world, bodies)


def _storage(world: World) -> Handler:
    """The storage takes over whole host names, whatever the path is."""

    async def respond(request: web.Request) -> web.StreamResponse:
        from mockvod.http.storage import StorageApi  # most servers see no upload

        return await StorageApi(world).respond(request)

    return respond


def _pictures(world: World) -> Callable[[], Routed]:
    import_module(TITLES)
    from mockvod.http.pictures import Pictures

    return partial(Pictures, world, world.worker)


def _media_files(world: World) -> Callable[[], Routed]:
    import_module(TITLES)
    from mockvod.http.media_files import MediaFiles

    return partial(MediaFiles, world, world.worker)


def _console() -> Callable[[], Routed]:
    from mockvod.http.console.page import Console

    return Console


def _inbox(world: World, bodies: Bodies) -> Callable[[], Routed]:
    from mockvod.http.inbox import InboxReceiver

    return partial(InboxReceiver, world, bodies)


def _metrics(world: World) -> Callable[[], Routed]:
    from mockvod.http.metrics import Metrics

    return partial(Metrics, world)


def _control(world: World, bodies: Bodies) -> Callable[[], Routed]:
    from mockvod.http.control.dispatch import Control

    return partial(Control, world, bodies)


class Running(NamedTuple):
    """A server that accepts requests."""

    world: World
    host: str
    port: int
    tls: Tls | None = None
    tls_port: int = 0

    @property
    def url(self) -> str:
        return self._url("http", self.port)

    @property
    def https_url(self) -> str:
        """The address for https; empty where it is not served."""
        return self._url("https", self.tls_port) if self.tls is not None else ""

    def _url(self, scheme: str, port: int) -> str:
        host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - where it can be reached
        return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


class CannotListen(Exception):
    """The server cannot listen on its address; the message says why and what to do."""


@asynccontextmanager
async def serving(settings: Settings, origins: Mapping[str, str] = EMPTY) -> AsyncIterator[Running]:
    """A server on its port for as long as the block lasts. Raises CannotListen, WrongScenario.

    *origins* has the origin of each setting's value, as `load` returns it.
    """
    tls = _tls(settings)
    app = create_app(settings, origins, tls)
    runner = web.AppRunner(
        app,
        handle_signals=False,
        handler_cancellation=True,  # a poll whose client has gone must lease nothing
        shutdown_timeout=SHUTDOWN,
    )
    await runner.setup()
    async with _listening(app, runner, settings, tls) as ports:
        running = Running(app[WORLD], settings.host, ports[0], tls=tls, tls_port=ports[-1])
        running.world.url = running.url
        running.world.ready = True
        yield running


@asynccontextmanager
async def _listening(
    app: web.Application, runner: web.AppRunner, settings: Settings, tls: Tls | None
) -> AsyncIterator[list[int]]:
    """Accept connections for as long as the block lasts, then end *runner*; gives the ports. Raises CannotListen."""
    server = cast("web.Server", runner.server)  # there is one after its setup
    arguments = {
        "max_line_size": LINE_LIMIT,
        "max_field_size": FIELD_LIMIT,
        "auto_decompress": False,  # `Bodies` does it within its limits; the storage keeps bytes as they come
        "access_log": access_logger() if settings.access_log else None,
    }
    connections = Connections(server, arguments, saw_tls=partial(_record_tls, app[WORLD]))
    async with AsyncExitStack() as ends:
        ends.callback(connections.abort)
        ends.push_async_callback(runner.cleanup)
        ports = []
        for port in (settings.port, *(() if settings.tls_port is None else (settings.tls_port,))):
            try:
                listener = await asyncio.get_running_loop().create_server(
                    connections,
                    settings.host,
                    port,
                    backlog=BACKLOG,
                    reuse_address=os.name == "posix",
                    start_serving=tls is None,
                )
            except OSError as error:
                raise CannotListen(_why_not(settings.host, port, error)) from None
            ends.callback(listener.close)
            ports.append(listener.sockets[0].getsockname()[1])
            if tls is not None:
                from mockvod.http.either import EitherListener  # most servers speak no https

                either = EitherListener(listener, connections, tls.context, BACKLOG)
                ends.push_async_callback(either.aclose)
        yield ports


def _tls(settings: Settings) -> Tls | None:
    if not settings.tls and settings.tls_port is None:
        return None
    try:
        return load_tls(settings)
    except TlsError as error:
        raise CannotListen(str(error)) from None


def _record_tls(world: World, address: str) -> None:
    world.refusals.note("tls", Caller(address=address), "", "tls", "a TLS handshake on the http port")


def _why_not(host: str, port: int, error: OSError) -> str:
    import errno

    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is taken by another program: stop that one, or choose another "
            f"port with --port {port % 65535 + 1} (or --port 0 for any free one)"
        )
    if error.errno == errno.EACCES:
        return f"port {port} needs privileges that this user does not have: choose one above 1023 with --port"
    return f"cannot listen on {host} port {port}: {error.strerror or error}; choose another --host"


def run(settings: Settings, announce: Callable[[Running], None], origins: Mapping[str, str] = EMPTY) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises CannotListen, WrongScenario."""

    async def main() -> None:
        stop = stop_signal()
        async with serving(settings, origins) as running:
            _collect_less_often()
            announce(running)
            await stop.wait()
            log.info("stopping")

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(main())


def stop_signal() -> asyncio.Event:
    """An event that SIGTERM or Ctrl-C sets, for the rest of the process."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    return stop


def _collect_less_often() -> None:
    """Collect cyclic garbage less often: events and their timelines, most of a server's memory, are in no cycle.

    With 30,000 pending events Python's default thresholds made a pull three times as slow.
    """
    gc.enable()
    gc.freeze()  # modules and tables last as long as the process
    gc.set_threshold(10_000, 20, 100)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """That of uvloop if it is installed: pushes are a fifth faster."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        return _new_event_loop
    return new_event_loop


def _new_event_loop() -> asyncio.AbstractEventLoop:
    """The event loop of asyncio. Its timers run even while an application's test freezes time with freezegun."""
    loop = asyncio.new_event_loop()
    loop.time = monotonic  # type: ignore[method-assign]  # asyncio reads `time.monotonic`, which freezegun replaces
    return loop
