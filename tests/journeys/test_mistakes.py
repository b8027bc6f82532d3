"""Twelve mistakes that people make first: pytest's report and `mockvod doctor` name the cause in their first line."""

import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from mockvod.testing import Client
from tests.cli.running import process
from tests.journeys import stranger

pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")  # of the SDK

UNNEEDED = [f"-pno:{name}" for name in ("schemathesis", "hypothesispytest", "faker", "anyio", "randomly")]


@dataclass(frozen=True)
class Mistake:
    body: str
    """A test, which fails. The same steps are done with a server on localhost."""
    cause: str
    """What the first line says, as a regular expression."""


MISTAKES = {
    "wrong key": Mistake(
        """
        mockvod.emit()
        Worker(mockvod.endpoint, mockvod.secret_id, "typo").work()
        """,
        r"^refused_signature: .*SecretKey",
    ),
    "wrong SecretId": Mistake(
        """
        mockvod.emit()
        Worker(mockvod.endpoint, "AKIDtypo", mockvod.secret_key).work()
        """,
        r"^other_account: .*AKIDtypo",
    ),
    "https": Mistake(
        """
        mockvod.emit()
        Worker(mockvod.endpoint, mockvod.secret_id, mockvod.secret_key, protocol="https").work()
        """,
        r"^https_on_http_port: ",
    ),
    "wrong port": Mistake(
        """
        mockvod.emit()
        Worker(f"127.0.0.1:{free_port()}", mockvod.secret_id, mockvod.secret_key).work()
        """,
        r"^nobody_pulls: .*point the application's endpoint at 127\.0\.0\.1:\d+",
    ),
    "wrong SubAppId": Mistake(
        """
        mockvod.emit()
        Worker(mockvod.endpoint, mockvod.secret_id, mockvod.secret_key).pull(sub_app_id=1500000001)
        """,
        r"^other_application: .*polls application 1500000001",
    ),
    "PUSH without a URL": Mistake(
        """
        mockvod.config(mode="PUSH")
        mockvod.emit()
        mockvod.wait_for("delivered", timeout=0.5)
        """,
        r"^no_callback_url: .*PUSH mode without a callback URL",
    ),
    "receiver down": Mistake(
        """
        mockvod.config(callback_url=f"http://127.0.0.1:{free_port()}/", mode="PUSH")
        mockvod.emit()
        mockvod.wait_for("delivered", timeout=0.5)
        """,
        r"^refused: nothing listens on 127\.0\.0\.1 port \d+",
    ),
    "receiver on ::1": Mistake(
        """
        mockvod.config(callback_url=f"http://127.0.0.1:{ipv6_port}/", mode="PUSH")
        mockvod.emit()
        mockvod.wait_for("delivered", timeout=0.5)
        """,
        r"^other_loopback: .*::1 port \d+ accepts",
    ),
    "frozen clock": Mistake(
        """
        mockvod.clock.freeze()
        Worker(mockvod.endpoint, mockvod.secret_id, mockvod.secret_key, timeout=2.5).work()
        """,
        r"^poll_blocked: .*because the clock is frozen",
    ),
    "polls that time out after 5 s": Mistake(
        """
        worker = Worker(mockvod.endpoint, mockvod.secret_id, mockvod.secret_key, timeout=4.9)  # at 5 it is a race
        worker.work_twice()
        assert mockvod.events(state="confirmed")
        """,
        r"^polls_cut_short: .*set the read timeout",
    ),
    "no confirmation": Mistake(
        """
        mockvod.emit()
        Worker(mockvod.endpoint, mockvod.secret_id, mockvod.secret_key).pull()
        mockvod.wait_for("confirmed", timeout=0.5)
        """,
        r"^not_confirmed_yet: .*ConfirmEvents",
    ),
    "late confirmation": Mistake(
        """
        mockvod.emit()
        worker = Worker(mockvod.endpoint, mockvod.secret_id, mockvod.secret_key)
        handles = worker.pull()
        mockvod.clock.advance(31)
        worker.confirm(handles)
        """,
        r"^confirmed_late: ",
    ),
}

TEST = """
import pytest
from stranger import *

@pytest.fixture
def ipv6_port():
    with receiver_on_ipv6() as port:
        yield port

def test_events_are_processed(mockvod, ipv6_port):
"""

each_mistake = pytest.mark.parametrize("mistake", [pytest.param(one, id=name) for name, one in MISTAKES.items()])


@each_mistake
def test_the_report_of_a_test_names_the_cause_first(pytester: pytest.Pytester, mistake: Mistake) -> None:
    project = {
        "stranger": Path(stranger.__file__).read_text(encoding="utf-8"),
        "test_worker": TEST + textwrap.indent(textwrap.dedent(mistake.body), "    "),
    }
    pytester.makepyfile(**project)
    result = pytester.runpytest_inprocess(
        *UNNEEDED, "-o", "asyncio_default_fixture_loop_scope=function", "-W", "ignore"
    )
    result.assert_outcomes(failed=1)
    [heading] = [number for number, line in enumerate(result.outlines) if re.fullmatch(r"-+ mockvod -+", line)]
    first = result.outlines[heading + 1]
    assert re.search(mistake.cause, first)


class Localhost(Client):
    """A server that runs on localhost, with what the application needs to reach it."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.endpoint = url.removeprefix("http://")
        self.secret_key = "key"


@contextmanager
def serving() -> Iterator[Localhost]:
    with process(
        "serve", "--port", "0", "--profile", "current", "--secret-id", "AKIDmine", "--secret-key", "key"
    ) as server:
        assert server.stderr is not None
        [url] = next(filter(None, (re.findall(r"serves (http://\S+)", line) for line in server.stderr)))
        with Localhost(url) as mockvod:
            yield mockvod


@each_mistake
def test_the_doctor_names_the_cause_first(mistake: Mistake) -> None:
    with serving() as mockvod, stranger.receiver_on_ipv6() as port:
        names = {**vars(stranger), "mockvod": mockvod, "ipv6_port": port}
        mockvod.secret_id = "AKIDmine"
        if "AKIDtypo" in mistake.body:  # any SecretId is the default account, but not when another one was meant
            mockvod.secret_id = mockvod.make_account(secret_key="key").secret_id
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the steps of this mistake raise
            exec(textwrap.dedent(mistake.body), names)  # noqa: S102 - the same steps as in the test above
        with process("doctor", "--url", mockvod.url) as doctor:
            out, _ = doctor.communicate(timeout=30)
    assert re.search(mistake.cause, out.splitlines()[0])
