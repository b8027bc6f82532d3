"""The pytest plugin: a server for the session, an account for each test, its events in the report of a failure."""

# Pytest imports this module in every run of everybody who has mockvod installed, so it imports nothing that costs.
import os
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mockvod.testing.account import Account, AsyncAccount
    from mockvod.testing.server import MockVod, Server
    from mockvod.testing.shapes import AccountInfo

ACCOUNT = pytest.StashKey["Account"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("mockvod").addoption(
        "--mockvod-url",
        metavar="URL",
        help="use the mockvod that runs there, not one of the session's own (also: the variable MOCKVOD_URL)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "mockvod(seed=…, frozen=…, mode=…, callback_url=…, …): how the account of this test begins: the seed, whether "
        "its clock stands still, and any setting of accounts and applications, as `mockvod config` lists them.",
    )


@pytest.fixture(scope="session")
def mockvod_settings() -> dict[str, Any]:
    """Settings of the server and of every test's account, by name; override it to change them."""
    return {}


@pytest.fixture(scope="session")
def mockvod_server(pytestconfig: pytest.Config, mockvod_settings: dict[str, Any]) -> Iterator["MockVod | Server"]:
    """A server for the session, one in each worker of pytest-xdist; or the one at --mockvod-url.

    It has `url`, `endpoint` (`host:port`) and `client`, and so must what a project overrides it with.
    """
    url = pytestconfig.getoption("mockvod_url") or os.environ.get("MOCKVOD_URL")
    with _at(url) if url else _own(mockvod_settings) as server:
        yield server


@pytest.fixture
def mockvod(
    request: pytest.FixtureRequest, mockvod_server: "MockVod | Server", mockvod_settings: dict[str, Any]
) -> Iterator["Account"]:
    """An account of the test's own: `endpoint`, `url`, `secret_id`, `secret_key`, `sub_app_id`, and Client's calls."""
    from mockvod.testing.account import Account
    from mockvod.testing.shapes import MockVodError

    info = _made(request.node, mockvod_server, mockvod_settings)
    with Account(mockvod_server.url, info) as account:
        request.node.stash[ACCOUNT] = account
        yield account
        del request.node.stash[ACCOUNT]
    try:
        mockvod_server.client.delete_account(info.secret_id)
    except MockVodError as error:
        if error.code != "no_such_account":  # the test may have deleted it itself
            raise


@pytest.fixture
def mockvod_async(mockvod: "Account") -> "AsyncAccount":
    """The account of `mockvod` with AsyncClient's calls, which are awaited, in any event loop."""
    from mockvod.testing.account import AsyncAccount

    return AsyncAccount(mockvod.url, mockvod.info)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    account = item.stash.get(ACCOUNT, None)
    if report.failed and account is not None:
        from mockvod.testing.account import told

        report.sections.append(("mockvod", told(account)))
    return report


# --- the making of servers and accounts


def _at(url: str) -> "Server":
    from mockvod.testing.server import Server
    from mockvod.testing.shapes import MockVodError

    try:
        server = Server(url)
        server.client.ready()
    except (MockVodError, ValueError) as error:
        pytest.fail(f"--mockvod-url or MOCKVOD_URL: {error}", pytrace=False)
    return server


def _own(settings: dict[str, Any]) -> "MockVod":
    from mockvod.settings_load import SettingsError
    from mockvod.testing.server import MockVod

    try:
        return MockVod(**settings)
    except SettingsError as error:
        pytest.fail(f"mockvod_settings: {error}", pytrace=False)


def _made(item: pytest.Item, server: "MockVod | Server", settings: dict[str, Any]) -> "AccountInfo":
    from mockvod.testing.account import BadWish, wishes
    from mockvod.testing.shapes import MockVodError

    marks = list(item.iter_markers("mockvod"))
    if any(mark.args for mark in marks):
        pytest.fail('@pytest.mark.mockvod takes its settings by name, as in mockvod(mode="PUSH")', pytrace=False)
    try:
        asked = wishes([mark.kwargs for mark in reversed(marks)], settings)
        return server.client.make_account(**{"seed": _seed(item, settings), **asked})
    except BadWish as error:
        pytest.fail(str(error), pytrace=False)
    except MockVodError as error:
        if error.status not in {400, 409}:
            raise
        pytest.fail(f"@pytest.mark.mockvod or mockvod_settings: {error}", pytrace=False)


def _seed(item: pytest.Item, settings: dict[str, Any]) -> int:
    """A seed that a report can name: the session's and the test's name make it, or chance."""
    from secrets import randbits
    from zlib import crc32

    session = settings.get("seed")
    return randbits(32) if session is None else crc32(f"{session}/{item.nodeid}".encode())
