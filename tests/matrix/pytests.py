"""`make pytest-matrix`: runs tests that use the fixtures under old and new pytest, and writes docs/compatibility.md.

Each pytest has an environment with the wheel in `.venv/matrix`. The tests run in one process and in two (pytest-xdist),
with each plugin for asynchronous tests in each of its modes. Every warning is an error. Exit code 1 when a test fails.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.matrix.__main__ import ENVIRONMENTS, PAGE, python
from tests.pythons import UV, build_wheel

BEGIN, END = "<!-- pytest: made by `make pytest-matrix` -->\n", "<!-- end of pytest -->\n"
VERSIONS = ("8", "9")
"""Of pytest; the newest of each is installed, with the newest plugins that it admits."""
PLUGINS = ("pytest-asyncio", "pytest-aiohttp", "pytest-xdist")

PLAIN = """
import pytest

def test_an_event_is_queued(mockvod):
    [event] = mockvod.emit()
    assert mockvod.wait_for("queued", event_id=event.id) == [event]

@pytest.mark.mockvod(frozen=True, seed=7)
def test_a_clock_is_moved(mockvod):
    [event] = mockvod.emit(delay=30)
    mockvod.clock.advance(30)
    assert [one.id for one in mockvod.events()] == [event.id]
"""
ASYNCHRONOUS = """
import pytest

MARKER
async def test_an_event_is_awaited(mockvod_async):
    [event] = await mockvod_async.emit()
    assert await mockvod_async.wait_for("queued", event_id=event.id) == [event]
"""
WITH_A_SERVER = """
import pytest
from aiohttp import web

MARKER
async def test_an_event_is_pushed(mockvod_async, aiohttp_server):
    async def callback(request):
        return web.Response()

    app = web.Application()
    app.router.add_post("/callback", callback)
    server = await aiohttp_server(app)
    await mockvod_async.config(callback_url=str(server.make_url("/callback")))
    [event] = await mockvod_async.emit()
    await mockvod_async.wait_for("delivered", event_id=event.id)
"""


class Tried(NamedTuple):
    """A plugin for asynchronous tests in one of its modes, and the tests that use it."""

    plugin: str
    mode: str
    tests: tuple[str, ...]
    off: tuple[str, ...] = ()
    """The plugins that are not loaded, as `-p no:…` names them."""


TRIED = (
    Tried("none", "", (PLAIN,), ("asyncio", "aiohttp")),
    *(Tried("pytest-asyncio", mode, (PLAIN, ASYNCHRONOUS), ("aiohttp",)) for mode in ("auto", "strict")),
    *(Tried("pytest-aiohttp", mode, (PLAIN, ASYNCHRONOUS, WITH_A_SERVER)) for mode in ("auto", "strict")),
)


class Row(NamedTuple):
    """What became of the tests with one pytest and one plugin: alone, and in two processes."""

    versions: dict[str, str]
    tried: Tried
    alone: str
    parallel: str


def main() -> int:
    rows = []
    with TemporaryDirectory(prefix="mockvod-pytest-") as name:
        wheel = build_wheel(Path(name))
        for version in VERSIONS:
            folder = install(version, wheel)
            for number, tried in enumerate(TRIED):
                place = Path(name) / f"{version}-{number}"
                write(tried, place)
                row = Row(installed(folder), tried, run(folder, tried, place), run(folder, tried, place, "-n", "2"))
                rows.append(row)
                print(" | ".join(cells(row)), flush=True)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text("".join((before, BEGIN, *table(rows), END, rest.partition(END)[2])), encoding="utf-8")
    return 1 if any("failed" in outcome for row in rows for outcome in (row.alone, row.parallel)) else 0


def install(version: str, wheel: Path) -> Path:
    """An environment with *wheel*, the newest pytest of a major *version*, and its plugins."""
    folder = ENVIRONMENTS / f"pytest-{version}"
    subprocess.run([*UV, "venv", "--allow-existing", "--python", sys.executable, str(folder)], check=True)
    wanted = [f"pytest=={version}.*", *PLUGINS, f"mockvod @ {wheel.as_uri()}"]
    options = ["--upgrade", "--reinstall-package", "mockvod", "--python", str(python(folder))]
    subprocess.run([*UV, "pip", "install", *options, *wanted], check=True)
    return folder


def installed(folder: Path) -> dict[str, str]:
    """The versions of all packages in an environment."""
    [packages] = folder.glob("lib/python*/site-packages")
    return {one.name: one.version for one in distributions(path=[str(packages)])}


def write(tried: Tried, place: Path) -> None:
    """Write the tests, as a project that knows nothing else of mockvod has them."""
    place.mkdir()
    marker = "@pytest.mark.asyncio" if tried.mode == "strict" else ""
    settings = f"asyncio_mode = {tried.mode}\nasyncio_default_fixture_loop_scope = function\n" if tried.mode else ""
    (place / "pytest.ini").write_text(f"[pytest]\n{settings}", encoding="utf-8")
    for number, text in enumerate(tried.tests):
        (place / f"test_{number}.py").write_text(text.replace("MARKER", marker), encoding="utf-8")


def run(folder: Path, tried: Tried, place: Path, *arguments: str) -> str:
    """`4 passed`, or else the last line that pytest printed."""
    off = [f"-pno:{name}" for name in tried.off]
    command = [str(python(folder)), "-P", "-m", "pytest", "-q", "-W", "error", *off, *arguments]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False, timeout=120)
    last = (done.stdout or done.stderr).strip().rpartition("\n")[2]
    passed = re.match(r"\d+ passed", last)
    return passed[0] if passed and done.returncode == 0 else f"failed: {last}"


def table(rows: list[Row]) -> Iterator[str]:
    yield "| pytest | plugin for asynchronous tests | mode | one process | two processes (pytest-xdist) |\n"
    yield "|---|---|---|---|---|\n"
    for row in rows:
        yield f"| {' | '.join(cells(row))} |\n"


def cells(row: Row) -> list[str]:
    tried, versions = row.tried, row.versions
    plugin = f"{tried.plugin} {versions.get(tried.plugin, '')}".strip()
    xdist = f"{row.parallel} ({versions['pytest-xdist']})"
    return [versions["pytest"], plugin, tried.mode, row.alone, xdist]


if __name__ == "__main__":
    sys.exit(main())
