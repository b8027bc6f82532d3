import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import freezegun
import hypothesis
import pytest
from aiohttp import ClientSession, web
from hypothesis import HealthCheck

from mockvod.app import Running, serving
from mockvod.engine.consumers import Caller as Consumer
from mockvod.http import api, refusals
from mockvod.http.actions import SIMULATED
from mockvod.service.world import World
from mockvod.settings import Settings
from mockvod.wire.errors import ApiError
from mockvod.wire.signing import Request
from tests.error_codes import may_return
from tests.support import Caller, Receiver

# What `make check` leaves out: files and tests that take a second or more on an idle machine. They start processes, run
# pytest in pytest, draw generated calls, or make thousands of events.
SLOW = (
    "browser/",
    "cli/test_demo.py",
    "cli/test_processes.py",
    "containers/",
    "drift/",
    "engine/test_queue_model.py",
    "http/control/test_openapi.py",
    "http/test_lazy.py",
    "insight/test_diagnosis.py::test_a_long_journal",
    "journeys/test_faults.py::test_another_seed_gives_another_run_with_faults",
    "journeys/test_faults.py::test_the_same_seed_gives_the_same_run_with_faults",
    "journeys/test_isolation.py",
    "journeys/test_jobs.py::test_a_video_that_is_not_a_regular_file",
    "journeys/test_media.py",
    "journeys/test_mistakes.py",
    "journeys/test_secrets.py::test_no_secret_is_in_any_output",
    "journeys/test_uploads.py",
    "matrix/",
    "pictures/test_drawing.py",
    "pictures/test_hls.py",
    "pictures/test_video.py",
    "scenario/test_files.py::test_a_server_without_a_scenario",
    "scenario/test_scenario.py::test_a_large_scenario",
    "scenario/test_scenario.py::test_at_most_100_problems",
    "safety/test_soak.py",
    "safety/test_stress.py",
    "sdk/",
    "test_app.py::test_a_look_up",
    "test_app.py::test_a_poll_that_comes_with_the_signal",
    "test_app.py::test_a_signal_ends",
    "test_app.py::test_nothing_is_left_open",
    "test_benchmarks.py",
    "test_docs.py::test_the_",
    "test_examples.py",
    "test_image.py",
    "test_package.py",
    "test_pythons.py",
    "testing/test_client.py::test_more_events_than_a_page",
    "testing/test_container.py",
    "testing/test_history.py::test_a_thousand_runs",
    "testing/test_history_faults.py",
    "testing/test_plugin.py",
    "testing/test_server.py",
    "wire/test_calls.py::test_a_body_read_in_one_step",
    "wire/test_calls.py::test_any_parameters",
    "wire/test_events.py::test_whatever",
    "wire/test_examples.py::test_the_wheel",
    "wire/test_params.py::test_a_structure_survives",
    "wire/test_signing.py::test_garbage_gives",
    "wire/test_signing.py::test_what_",
)


def pytest_configure() -> None:
    # A shell lets its jobs in the background ignore Ctrl-C, and the servers that tests start would ignore it too.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # freezegun reads every attribute of every module; some of Testcontainers connect to Docker and leak the socket.
    freezegun.configure(extend_ignore_list=["testcontainers"])
    # Hypothesis would measure time, which says something on an idle machine only.
    hypothesis.settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    hypothesis.settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.partition("tests/")[2].startswith(SLOW):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def codes_are_listed() -> Iterator[None]:
    """Fails a test in which an action returns a code that it does not list. Faults may inject any code."""
    others: list[tuple[str, str]] = []

    def record(world: World, caller: Consumer, incoming: Request | None, error: ApiError) -> None:
        refusals.record(world, caller, incoming, error)
        action = incoming.headers.get("X-TC-Action", "") if incoming else ""
        injected = world.account(caller.secret_id or None).life.hooks.api is not None
        if action in SIMULATED and not injected and not may_return(action, error.code):
            others.append((action, error.code))

    with pytest.MonkeyPatch.context() as patched:  # its own, which ends after that of the test
        patched.setattr(api, "record", record)
        yield
    assert others == []


@pytest.fixture
async def start() -> AsyncIterator[Callable[..., Awaitable[Running]]]:
    """Starts a server on a free port with the settings given; the real runner, not aiohttp's test server."""
    async with AsyncExitStack() as stack:

        async def begin(**settings: Any) -> Running:
            return await stack.enter_async_context(serving(Settings(**{"port": 0, "seed": 7, **settings})))

        yield begin


@pytest.fixture
async def running(start: Callable[..., Awaitable[Running]]) -> Running:
    return await start()


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


@pytest.fixture
def caller(running: Running, session: ClientSession) -> Caller:
    return Caller(running, session)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/callback"
    yield receiver
    await runner.cleanup()


@pytest.fixture
def node_sdk(tmp_path: Path) -> Path:
    """A folder in which Tencent's SDK for Node is installed, as the example needs it. Skips without node or npm."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed")
    shutil.copy(Path(__file__).parent.parent / "examples" / "node" / "package.json", tmp_path)
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603
    if done.returncode:
        pytest.skip(f"npm cannot install the SDK: {done.stderr.strip().splitlines()[-1][:200]}")
    return tmp_path
