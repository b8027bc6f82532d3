"""The pytest plugin: a server for the session, an account for each test, its events in the report of a failure."""

# pytest imports this module in every run of everybody who has mockvod installed: it imports nothing that takes time.
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
        help="use the mockvod server at URL instead of starting one (also: the variable MOCKVOD_URL)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "mockvod(seed=…, frozen=…, mode=…, callback_url=…, …): how the account of this test starts: its seed, whether "
        "its clock is frozen, and any setting of accounts and applications that `mockvod config` lists. "
        "mockvod.testing.mark is the same with types.",
    )


@pytest.fixture(scope="session")
def mockvod_settings() -> dict[str, Any]:
    """Settings of the server and of every test's account, by name. Override it to change them."""
    return {}


@pytest.fixture(scope="session")
def mockvod_server(pytestconfig: pytest.Config, mockvod_settings: dict[str, Any]) -> Iterator["MockVod | Server"]:
    """A server for the session, one in each worker of pytest-xdist; or the one at --mockvod-url.

    An override must have `url`, `endpoint` (`host:port`) and `client`, too.
    """
    url = pytestconfig.getoption("mockvod_url") or os.environ.get("MOCKVOD_URL")
    with _running(url) if url else _new(mockvod_settings) as server:
        yield server


@pytest.fixture
def mockvod(
    request: pytest.FixtureRequest, mockvod_server: "MockVod | Server", mockvod_settings: dict[str, Any]
) -> Iterator["Account"]:
    """An account for this test: `endpoint`, `url`, `secret_id`, `secret_key`, `sub_app_id`, and Client's calls."""
    from mockvod.testing.account import Account
    from mockvod.testing.shapes import MockVodError

    info = _account(request.node, mockvod_server, mockvod_settings)
    with Account(mockvod_server.url, info, mockvod_server) as account:
        request.node.stash[ACCOUNT] = account
        yield account
        del request.node.stash[ACCOUNT]
    try:
        mockvod_server.client.delete_account(info.secret_id)
    except MockVodError as error:
        if error.code != "no_such_account":  # the test may have deleted it
            raise


@pytest.fixture
def mockvod_async(mockvod: "Account") -> "AsyncAccount":
    """The account of `mockvod` with AsyncClient's calls, awaited in any event loop."""
    from mockvod.testing.account import AsyncAccount

    return AsyncAccount(mockvod.url, mockvod.info, mockvod.server)


@pytest.fixture
def mockvod_tls(mockvod: "Account", monkeypatch: pytest.MonkeyPatch) -> "Account":
    """The account of `mockvod`, while variables of the environment tell clients of https to trust `ca_file`.

    Needs the setting `tls` in `mockvod_settings`.
    """
    for variable in ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(variable, str(mockvod.ca_file))
    return mockvod


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    account = item.stash.get(ACCOUNT, None)
    if account is not None and report.when == "call" and report.failed:
        from mockvod.testing.account import failure_report

        report.sections.append(("mockvod", failure_report(account)))
    return report


def _running(url: str) -> "Server":
    from mockvod.testing.server import Server
    from mockvod.testing.shapes import MockVodError

    try:
        server = Server(url)
        server.client.ready()
    except (MockVodError, ValueError) as error:
        pytest.fail(f"--mockvod-url or MOCKVOD_URL: {error}", pytrace=False)
    return server


def _new(settings: dict[str, Any]) -> "MockVod":
    from mockvod.settings_load import SettingsError
    from mockvod.testing.server import MockVod

    try:
        return MockVod(**settings)
    except SettingsError as error:
        pytest.fail(f"mockvod_settings: {error}", pytrace=False)


def _account(item: pytest.Item, server: "MockVod | Server", settings: dict[str, Any]) -> "AccountInfo":
    from mockvod.testing.account import MarkError, account_options
    from mockvod.testing.shapes import MockVodError

    marks = list(item.iter_markers("mockvod"))
    if any(mark.args for mark in marks):
        pytest.fail('@pytest.mark.mockvod takes keyword arguments only, such as mockvod(mode="PUSH")', pytrace=False)
    try:
        options = account_options([mark.kwargs for mark in reversed(marks)], settings)
        return server.client.make_account(**{"seed": _seed(item, settings), **options})
    except MarkError as error:
        pytest.fail(f"@pytest.mark.mockvod: {error}", pytrace=False)
    except MockVodError as error:
        if error.status not in {400, 409}:
            raise
        message = str(error).removeprefix("config.")  # the marker has no level for settings
        pytest.fail(f"@pytest.mark.mockvod or mockvod_settings: {message}", pytrace=False)


def _seed(item: pytest.Item, settings: dict[str, Any]) -> int:
    """A seed that a report can name: of the session's seed and the test's name, else at random."""
    from secrets import randbits
    from zlib import crc32

    session = settings.get("seed")
    return randbits(32) if session is None else crc32(f"{session}/{item.nodeid}".encode())
