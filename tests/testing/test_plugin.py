"""The pytest plugin, as the test suites of others use it."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from mockvod.testing import MockVod

Run = Callable[..., pytest.RunResult]

# Installed here for other tests, and slow to start; the processes of these tests are many.
UNNEEDED = [f"-pno:{name}" for name in ("schemathesis", "hypothesispytest", "faker", "anyio", "randomly")]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs pytest on a file of tests, every warning an error."""
    monkeypatch.delenv("MOCKVOD_URL", raising=False)

    def run(
        tests: str, *arguments: str, conftest: str = "", mode: str = "auto", apart: bool = False
    ) -> pytest.RunResult:
        pytester.makepyfile(tests)
        pytester.makeconftest(conftest)
        options = ["-o", f"asyncio_mode={mode}", "-o", "asyncio_default_fixture_loop_scope=function"]
        if "no:asyncio" in arguments:
            options = []
        every = ("--strict-markers", "-W", "error", *UNNEEDED, *options, *arguments)
        return pytester.runpytest_subprocess(*every) if apart else pytester.runpytest_inprocess(*every)

    return run


PLAIN = """
import json
import pytest
from urllib.request import urlopen
from mockvod.testing import Client

@pytest.mark.mockvod(auth="off")
def test_an_application_that_names_the_secret_id_lands_in_the_account(mockvod):
    assert mockvod.url == f"http://{mockvod.endpoint}"
    assert len(mockvod.secret_key) == 32 and mockvod.sub_app_id > 0
    [event] = mockvod.emit(file_id="387702299")
    with urlopen(
        f"{mockvod.url}/?Action=DescribeEventsState&Version=2018-07-17&SecretId={mockvod.secret_id}"
        f"&SubAppId={mockvod.sub_app_id}&Timestamp=1&Nonce=1&Signature=none"
    ) as answer:
        assert json.load(answer)["Response"]["CountOfEventsToPull"] == 1
    assert mockvod.wait_for("queued", event_id=event.id) == [event]

def test_the_calls_are_about_all_applications_of_the_account(mockvod):
    with Client(mockvod.url, secret_id=mockvod.secret_id, sub_app_id=5) as other:
        other.emit()
    [event] = mockvod.events()
    assert event.sub_app_id == 5

def test_the_next_test_has_no_events(mockvod, mockvod_server):
    assert mockvod.events() == []
    assert [one.secret_id for one in mockvod_server.client.accounts()] == ["", mockvod.secret_id]
"""


@pytest.mark.parametrize(
    "arguments",
    [(), ("-p", "no:cacheprovider"), ("--import-mode=importlib",), ("-p", "no:asyncio", "-p", "no:aiohttp")],
)
def test_plain_tests_have_an_account_each(run: Run, arguments: tuple[str, ...]) -> None:
    run(PLAIN, *arguments, apart="no:asyncio" in arguments).assert_outcomes(passed=3)


ASYNCHRONOUS = """
import asyncio, pytest

{mark}
async def test_calls_are_awaited(mockvod_async, mockvod):
    [event] = await mockvod_async.emit()
    assert mockvod_async.secret_id == mockvod.secret_id and mockvod_async.seed == mockvod.seed
    assert await mockvod_async.events() == mockvod.events() == [event]
    await asyncio.gather(*(mockvod_async.clock() for _ in range(5)))

{mark}
async def test_a_block_keeps_its_connections(mockvod_async):
    async with mockvod_async as vod:
        await vod.emit()
        await vod.clock.freeze()
        await vod.wait_until_settled()

def test_calls_are_awaited_in_any_loop(mockvod_async):
    for _ in range(2):
        asyncio.run(mockvod_async.emit())
    with asyncio.Runner() as runner:
        assert len(runner.run(mockvod_async.events())) == 2
"""


@pytest.mark.parametrize(("mode", "mark"), [("auto", ""), ("strict", "@pytest.mark.asyncio")])
def test_asynchronous_tests_await_the_same_calls(run: Run, mode: str, mark: str) -> None:
    run(ASYNCHRONOUS.replace("{mark}", mark), mode=mode).assert_outcomes(passed=3)


AIOHTTP = """
import pytest
from aiohttp import web

{mark}
async def test_a_callback_reaches_the_application(aiohttp_server, mockvod_async):
    received = []

    async def callback(request):
        received.append(await request.json())
        return web.json_response({"code": 0})

    app = web.Application()
    app.router.add_post("/callback", callback)
    server = await aiohttp_server(app)
    await mockvod_async.config(callback_url=str(server.make_url("/callback")))
    [event] = await mockvod_async.emit()
    await mockvod_async.wait_for("delivered", event_id=event.id)
    assert received[0]["EventType"] == event.event_type
"""


@pytest.mark.parametrize(("mode", "mark"), [("auto", ""), ("strict", "@pytest.mark.asyncio")])
def test_the_fixtures_work_beside_those_of_pytest_aiohttp(run: Run, mode: str, mark: str) -> None:
    run(AIOHTTP.replace("{mark}", mark), mode=mode).assert_outcomes(passed=1)


UNITTEST = """
import unittest
import pytest

@pytest.mark.mockvod(pull_limit=3)
class TestPlain(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _mockvod(self, mockvod):
        self.vod = mockvod

    def test_one(self):
        self.vod.emit()
        self.assertEqual(len(self.vod.events()), 1)
        self.assertEqual(self.vod.config()["pull_limit"], 3)

    def test_two(self):
        self.assertEqual(self.vod.events(), [])

class TestAsynchronous(unittest.IsolatedAsyncioTestCase):
    @pytest.fixture(autouse=True)
    def _mockvod(self, mockvod_async):
        self.vod = mockvod_async

    async def test_one(self):
        [event] = await self.vod.emit()
        self.assertEqual(await self.vod.events(), [event])

@pytest.mark.usefixtures("mockvod")
class TestMarked(unittest.TestCase):
    def test_one(self):
        pass
"""


def test_classes_of_unittest_take_it_by_a_fixture_of_their_own(run: Run) -> None:
    run(UNITTEST).assert_outcomes(passed=4)


MARKED = """
import pytest

pytestmark = pytest.mark.mockvod(mode="PUSH", seed=1, poll_hold=9)

@pytest.mark.mockvod(callback_url="http://127.0.0.1:9/callback", frozen=True, seed=7, poll_hold="2s")
def test_marked(mockvod):
    config = mockvod.config()
    assert (config["mode"], config["callback_url"]) == ("PUSH", "http://127.0.0.1:9/callback")
    assert config["poll_hold"] == 2
    assert mockvod.clock().frozen
    assert mockvod.seed == 7

@pytest.mark.mockvod(secret_id="AKIDmine", secret_key="mine", sub_app_id=1500000001)
def test_named(mockvod):
    assert (mockvod.secret_id, mockvod.secret_key, mockvod.sub_app_id) == ("AKIDmine", "mine", 1500000001)
    assert mockvod.seed == 1

@pytest.mark.mockvod(secret_id="AKIDmine")
def test_the_name_of_a_deleted_account_is_free_again(mockvod):
    assert mockvod.events() == []
"""


def test_a_marker_says_how_an_account_begins_and_the_nearest_one_wins(run: Run) -> None:
    run(MARKED).assert_outcomes(passed=3)


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ("frosen=True", "@pytest.mark.mockvod: unknown argument 'frosen'; did you mean frozen?"),
        ("port=1", "@pytest.mark.mockvod: unknown argument 'port'"),
        ("mode='PUSHY'", "config.mode: must be 'PULL' or 'PUSH', got 'PUSHY'"),
        ("seed='x'", "seed: must be a valid integer, got 'x'"),
        ("'PUSH'", "@pytest.mark.mockvod takes keyword arguments only"),
    ],
)
def test_an_invalid_marker_is_reported_in_one_line(run: Run, mark: str, words: str) -> None:
    result = run(f"import pytest\n@pytest.mark.mockvod({mark})\ndef test_it(mockvod): pass")
    result.assert_outcomes(errors=1)
    assert any(words in line for line in result.outlines), result.outlines
    assert "Traceback" not in result.stdout.str()


FAILING = """
import pytest

@pytest.mark.mockvod(callback_url="http://127.0.0.1:1/", frozen=True, seed=7)
def test_failing(mockvod):
    mockvod.emit()
    mockvod.clock.advance(0.5)
    assert mockvod.events(state="delivered")

def test_without_events(mockvod):
    assert False

def test_many(mockvod):
    mockvod.emit(count=23)
    assert False

@pytest.mark.xfail
def test_expected(mockvod):
    assert False

def test_without_it():
    assert False
"""


@pytest.mark.parametrize("arguments", [(), ("-n", "2")])
def test_a_failure_shows_the_timelines_of_its_events(run: Run, arguments: tuple[str, ...]) -> None:
    result = run(FAILING, *arguments, apart=bool(arguments))
    result.assert_outcomes(failed=4, xfailed=1)
    shown = result.stdout.str()
    assert shown.count("- mockvod -") == 3
    assert "@pytest.mark.mockvod(seed=7)" in shown
    assert "evt_000001 CreateSnapshotByTimeOffsetComplete: delivering" in shown
    result.stdout.re_match_lines_random(
        [
            r" +\d\d:\d\d:\d\d\.\d{3}  delivering +url http://127.0.0.1:1/",
            r" +\d\d:\d\d:\d\d\.\d{3}  attempt +1 to http://127.0.0.1:1/: cannot connect: .* after 0.000 s",
            r"frozen_clock: .*",
            "there were no events",
            "… and 3 more events",
        ]
    )


MISTAKE = """
import pytest

@pytest.mark.mockvod(mode="PUSH")
def test_push_without_url(mockvod):
    mockvod.emit()
    mockvod.wait_for("delivered", timeout=0)

def test_pull(mockvod):
    mockvod.emit()
    assert mockvod.events(state="confirmed")
"""


def test_a_failure_names_the_likely_cause_first_and_points_at_the_line_of_the_test(run: Run) -> None:
    result = run(MISTAKE, "-p", "no:xdist")
    result.assert_outcomes(failed=2)
    lines = result.outlines
    sections = [place for place, line in enumerate(lines) if "- mockvod -" in line]
    assert [lines[place + 1].partition(":")[0] for place in sections] == ["no_callback_url", "nobody_pulls"]
    assert any("; likely cause: no_callback_url: " in line for line in lines)
    assert not any("calls.py" in line for line in lines)


def test_a_server_that_died_does_not_break_the_report(run: Run) -> None:
    result = run("def test_it(mockvod, mockvod_server):\n    mockvod_server.stop()\n    assert False, 'the reason'")
    assert "no mockvod server at" in result.stdout.str()
    assert "AssertionError: the reason" in result.stdout.str()


SESSION = """
def test_settings(mockvod, mockvod_server):
    assert mockvod.config()["pull_limit"] == 5
    assert mockvod_server.client.config()["pull_limit"] == 5

def test_seeds(mockvod, pytestconfig):
    [event] = mockvod.emit()
    with (pytestconfig.rootpath / "ids").open("a") as ids:
        print(mockvod.seed, event.task_id, file=ids)
"""
SETTINGS = """
import pytest

@pytest.fixture(scope="session")
def mockvod_settings():
    return {"pull_limit": 5, "seed": 11, "log_level": "error"}
"""


def test_a_session_has_settings_and_a_seed_that_make_every_run_the_same(run: Run, pytester: pytest.Pytester) -> None:
    for apart in (False, True):
        run(SESSION, conftest=SETTINGS, apart=apart).assert_outcomes(passed=2)
    first, second = (pytester.path / "ids").read_text().splitlines()
    assert first == second


def test_an_invalid_setting_of_the_session_is_named(run: Run) -> None:
    result = run("def test_it(mockvod): pass", conftest=SETTINGS.replace("pull_limit", "pul_limit"))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["mockvod_settings: pul_limit: unknown setting; did you mean pull_limit?"])


REMOTE = """
def test_remote(mockvod, mockvod_server, pytestconfig):
    mockvod.emit()
    assert mockvod.config()["pull_limit"] == 5
    assert mockvod_server.client.config()["pull_limit"] == 16
    (pytestconfig.rootpath / "url").write_text(mockvod.url)
"""


@pytest.mark.parametrize("by", ["option", "variable"])
def test_a_server_that_runs_elsewhere_is_used_when_it_is_named(
    run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    with MockVod() as server:
        arguments = ["--mockvod-url", server.url] if by == "option" else []
        if by == "variable":
            monkeypatch.setenv("MOCKVOD_URL", server.url)
        result = run(REMOTE, *arguments, conftest=SETTINGS)
        result.assert_outcomes(passed=1)
        assert (pytester.path / "url").read_text() == server.url
        assert len(server.client.accounts()) == 1, "the test's account is gone"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:1", "--mockvod-url or MOCKVOD_URL: no mockvod server at http://127.0.0.1:1 (*"),
        ("localhost:8266", "*'localhost:8266' must be the URL of a server, such as *"),
    ],
)
def test_an_unreachable_server_is_reported_in_one_line(run: Run, url: str, words: str) -> None:
    result = run("def test_it(mockvod): pass", "--mockvod-url", url)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([words.replace("[", "[[]")])


OWN_SERVER = """
import pytest
from mockvod.testing import MockVod

@pytest.fixture(scope="session")
def mockvod_server():
    with MockVod(pull_limit=3) as server:
        yield server
"""


def test_a_project_may_bring_a_server_of_its_own(run: Run) -> None:
    run("def test_it(mockvod): assert mockvod.config()['pull_limit'] == 3", conftest=OWN_SERVER).assert_outcomes(
        passed=1
    )


PARALLEL = """
import pytest

@pytest.mark.parametrize("number", range(24))
def test_parallel(mockvod, mockvod_server, number, pytestconfig):
    mockvod.emit(count=3)
    assert len(mockvod.events()) == 3
    assert len(mockvod_server.client.accounts()) == 2
    (pytestconfig.rootpath / f"server-{mockvod.endpoint.partition(':')[2]}").touch()
"""


def test_each_worker_has_a_server_of_its_own(run: Run, pytester: pytest.Pytester) -> None:
    run(PARALLEL, "-n", "2", apart=True).assert_outcomes(passed=24)
    assert len(list(pytester.path.glob("server-*"))) == 2


def test_workers_share_a_server_that_is_named(run: Run, pytester: pytest.Pytester) -> None:
    with MockVod() as server:
        tests = PARALLEL.replace("len(mockvod_server.client.accounts()) == 2", "True")
        run(tests, "-n", "2", "--mockvod-url", server.url, apart=True).assert_outcomes(passed=24)
        assert len(list(pytester.path.glob("server-*"))) == 1
        assert len(server.client.accounts()) == 1


DELETED = """
def test_deleted(mockvod):
    mockvod.delete_account(mockvod.secret_id)

def test_reset(mockvod, mockvod_server):
    mockvod.emit()
    mockvod_server.client.reset()
    assert mockvod.events() == []
"""


def test_a_test_may_delete_its_account_itself(run: Run) -> None:
    run(DELETED).assert_outcomes(passed=2)


def test_the_fixtures_and_the_marker_are_documented(run: Run) -> None:
    run("", "--fixtures").stdout.fnmatch_lines(["mockvod_server*", "mockvod_async*"])
    run("", "--markers").stdout.fnmatch_lines(["@pytest.mark.mockvod(seed=*"])


def test_an_unused_plugin_imports_nothing_expensive() -> None:
    code = (
        "import sys, importlib, urllib.parse, pytest; before = set(sys.modules); import mockvod.testing.plugin;"
        "print(*sorted(set(sys.modules) - before))"
    )
    imported = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()  # noqa: S603
    assert set(imported) - {"mockvod._version"} == {"mockvod", "mockvod.testing", "mockvod.testing.plugin"}


def test_every_name_in_all_can_be_imported() -> None:
    import mockvod.testing

    assert [name for name in mockvod.testing.__all__ if not hasattr(mockvod.testing, name)] == []
    assert dir(mockvod.testing) == sorted(mockvod.testing.__all__)
    with pytest.raises(AttributeError, match="no attribute 'MockVodd'"):
        mockvod.testing.MockVodd  # noqa: B018


def test_https_and_the_environment_that_makes_clients_trust_it(run: Run) -> None:
    tests = """
    import os, ssl
    from urllib.request import urlopen

    def test_https(mockvod_tls):
        assert os.environ["NODE_EXTRA_CA_CERTS"] == str(mockvod_tls.ca_file)
        context = ssl.create_default_context(cafile=mockvod_tls.ca_file)
        with urlopen(f"https://{mockvod_tls.https_endpoint}/mockvod/livez", context=context) as response:
            assert response.status == 200

    def test_the_environment_is_restored(mockvod):
        assert os.environ.get("NODE_EXTRA_CA_CERTS") != str(mockvod.ca_file)
    """
    settings = """
    import pytest

    @pytest.fixture(scope="session")
    def mockvod_settings():
        return {"tls": True}
    """
    run(tests, conftest=settings).assert_outcomes(passed=2)


def test_without_https_the_certificate_is_named_as_missing(run: Run) -> None:
    result = run("def test_https(mockvod): mockvod.ca_file")
    result.stdout.fnmatch_lines(["*MockVodError: *set tls=True*"])
