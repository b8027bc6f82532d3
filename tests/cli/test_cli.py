"""The command `mockvod`: what it prints where, and how it ends."""

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mockvod import __version__
from mockvod.cli import main as cli
from mockvod.cli.arguments import default_url
from mockvod.settings import definitions
from mockvod.testing import Client
from tests.background import Background, in_background

COMMANDS = list(cli.COMMANDS)


@pytest.fixture(scope="module")
def server() -> Iterator[Background]:
    with in_background() as server:
        yield server


@pytest.fixture(autouse=True)
def _fresh(server: Background, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Client(server.url) as client:
        client.reset()
        for account in client.accounts():
            if not account.default:
                client.delete_account(account.secret_id)
    for name in [name for name in os.environ if name.startswith("MOCKVOD_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MOCKVOD_URL", server.url)


@pytest.fixture
def mockvod(capsys: pytest.CaptureFixture[str]) -> "Mockvod":
    return Mockvod(capsys)


class Mockvod:
    """Runs the command in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        with pytest.raises(SystemExit) as ended:
            cli.main(arguments)
        code = ended.value.code
        assert isinstance(code, int)
        return code, *self.capsys.readouterr()

    def done(self, *arguments: str) -> str:
        """What was printed by a command that succeeded."""
        code, out, err = self.run(*arguments)
        assert (code, err) == (0, "")
        return out

    def json(self, *arguments: str) -> Any:
        return json.loads(self.done(*arguments, "--json"))

    def refused(self, *arguments: str) -> tuple[int, str]:
        """Exit code and message of a command that failed, and printed no data."""
        code, out, err = self.run(*arguments)
        assert out == ""
        assert "Traceback" not in err
        return code, err


@contextmanager
def process(*arguments: str, stdout: int = subprocess.PIPE) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "mockvod", *arguments]
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen(  # noqa: S603 - our own interpreter and our own words
        command, stdout=stdout, stderr=subprocess.PIPE, text=True, env=environ
    ) as running:
        try:
            yield running
        finally:
            running.kill()


# Help and version


def test_the_version_is_told_by_the_module_too() -> None:
    with process("--version") as running:
        assert running.communicate(timeout=10) == (f"mockvod {__version__}\n", "")
    assert running.returncode == 0


def test_every_command_is_in_the_help(mockvod: Mockvod) -> None:
    out = mockvod.done("--help")
    assert [line.split()[0] for line in out.splitlines() if re.match("    [a-z]", line)] == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(mockvod: Mockvod, command: str) -> None:
    assert f"usage: mockvod {command}" in mockvod.done(command, "--help")


def test_the_help_of_serve_has_every_setting(mockvod: Mockvod) -> None:
    out = mockvod.done("serve", "--help")
    assert all(f"  {one.flag}" in out for one in definitions())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "COMMAND"),
        (["emti"], "invalid choice: 'emti'"),
        (["emit", "--offsets", "a,b"], "'a,b' should be whole numbers with commas"),
        (["emit", "--delay", "soon"], "'soon' must be seconds"),
        (["emit", "--type", "FileDeleted", "--set", "FileId"], "'FileId' should be a path, = and a value"),
        (["emit", "--count", "x"], "invalid int value: 'x'"),
        (["clock", "advance"], "needs an amount, such as clock advance 31s"),
        (["clock", "freeze", "5"], "takes no amount"),
        (["clock", "advance", "soon"], "'soon' must be seconds"),
        (["clock", "back"], "invalid choice: 'back'"),
        (["accounts", "delete"], "mockvod accounts delete SECRET_ID"),
        (["wait"], "mockvod wait confirmed"),
        (["wait", "queued", "--settled"], "or --settled"),
        (["events", "--url", "nowhere:x"], "'nowhere:x' should be the address of a server"),
        (["events", "--url", "ftp://x"], "'ftp://x' should be the address of a server"),
        (["serve", "--port", "x"], "port: must be a valid integer"),
        (["serve", "--prot", "1"], "--prot"),
        (["config", "--config", "none.toml"], "cannot read the settings file none.toml"),
    ],
)
def test_a_wrong_command_line_ends_with_2(mockvod: Mockvod, arguments: list[str], said: str) -> None:
    code, err = mockvod.refused(*arguments)
    assert code == 2
    assert said in err


# Talking to a server


def test_an_event_is_emitted_and_shown(mockvod: Mockvod) -> None:
    wishes = "--file 17 --task mine --offsets 1000,2000 --failed 2000 --err-code -7 --definition 24 --count 1".split()
    assert mockvod.done("emit", *wishes) == "evt_000001  queued      CreateSnapshotByTimeOffsetComplete  mine\n"
    [listed] = mockvod.json("events", "--state", "queued", "--task", "mine", "--file", "17")
    assert (listed["id"], listed["file_id"]) == ("evt_000001", "17")
    assert "timeline" not in listed  # an empty one would say that nothing has happened
    shown = mockvod.json("events", "evt_000001")
    task = shown["content"]["SnapshotByTimeOffsetCompleteEvent"]
    assert (task["Definition"], task["SnapshotInfoSet"][1]) == (24, {"ErrCode": -7, "TimeOffset": 2000, "Url": ""})
    assert [entry["what"] for entry in shown["timeline"]] == ["queued"]
    assert mockvod.done("events", "evt_000001").startswith("evt_000001 CreateSnapshotByTimeOffsetComplete: queued\n")
    assert mockvod.done("events", "--type", "CreateSnapshotByTimeOffsetComplete").count("\n") == 1


EVENT = {"EventType": "FileDeleted", "FileDeleteEvent": {"FileIdSet": ["快照"]}}


def test_a_whole_event_comes_from_a_file(mockvod: Mockvod, tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text(json.dumps(EVENT, ensure_ascii=False), encoding="utf-8")
    [event] = mockvod.json("emit", "--event", "event.json")
    assert mockvod.json("events", event["id"])["content"]["FileDeleteEvent"] == EVENT["FileDeleteEvent"]


def test_the_example_of_a_type_is_emitted_with_what_differs(mockvod: Mockvod) -> None:
    changes = ("--set", 'FileDeleteEvent.FileIdSet=["1", "2=3"]', "--set", "FileDeleteEvent.FileDeleteResultInfo=[]")
    [event] = mockvod.json("emit", "--type", "FileDeleted", *changes)
    content = mockvod.json("events", event["id"])["content"]
    assert content["FileDeleteEvent"] == {"FileIdSet": ["1", "2=3"], "FileDeleteResultInfo": []}


def test_a_whole_event_comes_from_standard_input(mockvod: Mockvod, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(EVENT)))
    assert mockvod.done("emit", "--event", "-", "--count", "2").count("FileDeleted") == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot read event.json: No such file"),
        (b"{", "event.json is not JSON"),
        (b"\xff", "event.json is not JSON"),
        (b"[]", "event: must be"),
        (b'{"EventType": "FileDeleted"}', "give 'FileDeleteEvent'"),
    ],
)
def test_an_event_file_that_makes_no_sense_ends_with_1(
    mockvod: Mockvod, tmp_path: Path, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "event.json").write_bytes(content)
    code, err = mockvod.refused("emit", "--event", "event.json")
    assert code == 1
    assert said in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["emit", "--count", "0"], "count: must be greater"),
        (["emit", "--err-code", "5"], "err_code 5"),
        (["events", "evt_000009"], "no event 'evt_000009'"),
        (["events", "--state", "done"], "'done'"),
        (["redeliver", "evt_000009"], "no event 'evt_000009'"),
        (["accounts", "delete", "AKIDno"], "'AKIDno'"),
        (["events", "--secret-id", "AKIDno"], "'AKIDno'"),
        (["tail", "--secret-id", "AKIDno"], "'AKIDno'"),
        (["wait", "queued", "--timeout", "0"], "has had no event"),
        (["clock", "scale", "0"], "scale: must be"),
    ],
)
def test_what_the_server_refuses_ends_with_1_and_its_words(mockvod: Mockvod, arguments: list[str], said: str) -> None:
    code, err = mockvod.refused(*arguments)
    assert code == 1
    assert err.startswith("mockvod: ")
    assert said in err


@pytest.mark.parametrize("command", ["health", "emit", "events", "wait queued", "tail", "clock", "reset", "accounts"])
def test_without_a_server_every_command_says_how_to_start_one(mockvod: Mockvod, command: str) -> None:
    code, err = mockvod.refused(*command.split(), "--url", "127.0.0.1:9")
    assert code == 1
    assert err.startswith("mockvod: no mockvod server at http://127.0.0.1:9 (")
    assert err.endswith("start one with `mockvod serve`\n")


def test_nothing_found_is_no_failure_and_says_how_to_get_something(mockvod: Mockvod) -> None:
    assert mockvod.run("events") == (0, "", "no event fits; `mockvod emit` makes one\n")


def test_a_wait_ends_with_its_events(mockvod: Mockvod) -> None:
    mockvod.done("emit", "--task", "mine")
    assert mockvod.done("wait", "queued,leased", "--task", "mine").startswith("evt_000001  queued ")
    [event] = mockvod.json("wait", "queued", "--id", "evt_000001", "--type", "CreateSnapshotByTimeOffsetComplete")
    assert event["id"] == "evt_000001"


def test_a_wait_in_vain_tells_the_timeline(mockvod: Mockvod) -> None:
    mockvod.done("emit")
    code, err = mockvod.refused("wait", "confirmed", "--timeout", "0ms")
    assert code == 1
    assert "nobody has pulled it" in err
    assert re.search(r"^ +\d\d:\d\d:\d\d\.\d{3}  queued$", err, re.MULTILINE)


def test_a_wait_for_quiet_ends(mockvod: Mockvod) -> None:
    mockvod.done("clock", "freeze")
    assert mockvod.done("wait", "--settled") == ""
    assert mockvod.json("wait", "--settled") == []


def test_an_event_is_redelivered(mockvod: Mockvod, server: Background) -> None:
    with Client(server.url) as client:
        client.config(mode="PUSH")
        client.emit()
        client.config(mode="PULL")
    assert mockvod.done("redeliver", "evt_000001").startswith("evt_000001  queued")
    code, err = mockvod.refused("redeliver", "evt_000001")
    assert code == 1
    assert "evt_000001" in err


def test_the_clock_is_shown_and_moved(mockvod: Mockvod) -> None:
    assert mockvod.done("clock").endswith("running at 1 ×\n")
    assert mockvod.done("clock", "freeze").endswith("frozen\n")
    mockvod.done("emit", "--delay", "1h")
    assert "  in 3600 s: evt_000001 happens\n" in mockvod.done("clock")
    assert "evt_000001  queued\n" in mockvod.done("clock", "advance", "1h")
    assert mockvod.json("clock", "scale", "60")["rate"] == 60
    assert mockvod.json("clock", "release")["frozen"] is False


def test_a_reset_tells_what_it_threw_away(mockvod: Mockvod) -> None:
    mockvod.done("emit", "--count", "3")
    assert mockvod.done("reset") == "thrown away: 3 events, 3 queued, 0 leased, 0 polls, 0 deliveries\n"
    assert mockvod.json("reset")["events"] == 0


def test_accounts_are_made_listed_and_deleted(mockvod: Mockvod) -> None:
    made = mockvod.done("accounts", "make", "AKIDmine", "--seed", "7")
    assert re.fullmatch(r"AKIDmine  [0-9a-f]{32}  SubAppId \d+  0 events\n", made)
    mockvod.done("emit", "--secret-id", "AKIDmine")
    assert mockvod.done("accounts").splitlines()[0] == "(any SecretId)  SubAppId any  0 events"
    assert [one["events"] for one in mockvod.json("accounts", "list")] == [0, 1]
    assert mockvod.done("accounts", "delete", "AKIDmine").startswith("AKIDmine  SubAppId")
    assert len(mockvod.json("accounts")) == 1


# Health


def test_a_server_that_is_ready_is_healthy(mockvod: Mockvod) -> None:
    assert mockvod.done("health") == "ready\n"


def test_a_server_that_is_not_ready_is_not_healthy(mockvod: Mockvod, server: Background) -> None:
    server.running.world.ready = False
    try:
        code, err = mockvod.refused("health")
    finally:
        server.running.world.ready = True
    assert (code, err) == (1, f"mockvod: the server at {server.url} is starting or stopping\n")


def test_health_gives_up_waiting_in_time(mockvod: Mockvod) -> None:
    code, err = mockvod.refused("health", "--wait", "--timeout", "60ms", "--url", "http://127.0.0.1:9")
    assert code == 1
    assert "no mockvod server" in err


def test_health_waits_for_a_server_to_come() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (
        process("health", "--wait", "--timeout", "10", "--url", f"127.0.0.1:{port}") as waiting,
        in_background(port=port),
    ):
        assert waiting.communicate(timeout=10) == ("ready\n", "")
    assert waiting.returncode == 0


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "http://127.0.0.1:8266"),
        ({"MOCKVOD_PORT": "9000"}, "http://127.0.0.1:9000"),
        ({"MOCKVOD_PORT": "0"}, "http://127.0.0.1:8266"),
        ({"MOCKVOD_PORT": "", "MOCKVOD_URL": ""}, "http://127.0.0.1:8266"),
        ({"MOCKVOD_PORT": "9000", "MOCKVOD_URL": "http://vod:1"}, "http://vod:1"),
    ],
)
def test_a_server_is_looked_for_where_the_variables_put_it(
    environ: dict[str, str], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MOCKVOD_URL")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert default_url() == url


def test_asking_for_health_imports_nothing_heavy(server: Background) -> None:
    code = (
        "import sys; from mockvod.cli.main import main\n"
        "try: main(['health'])\n"
        "finally: print(sorted({'pydantic', 'aiohttp', 'faker', 'asyncio', 'yarl'} & set(sys.modules)))"
    )
    told = subprocess.run(  # noqa: S603 - our own interpreter and our own text
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=10
    )
    assert told.stdout == "ready\n[]\n"


# Serving


def test_serving_ends_with_0_when_it_is_told_to() -> None:
    with process("serve", "--port", "0", "--seed", "7", "--log-format", "json") as running:
        assert running.stderr is not None
        first = json.loads(running.stderr.readline())
        assert re.search(r"serves http://127\.0\.0\.1:\d+ .*; seed 7$", first["message"])
        running.send_signal(signal.SIGTERM)
        out, err = running.communicate(timeout=5)
    assert (running.returncode, out) == (0, "")
    assert json.loads(err)["message"] == "stopping"


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_taken_port_ends_with_1_and_says_what_to_do(mockvod: Mockvod, server: Background, command: str) -> None:
    port = server.running.port
    code, err = mockvod.refused(command, "--port", str(port))
    assert code == 1
    assert err.startswith(f"mockvod: port {port} on 127.0.0.1 is taken by another program")
    assert "--port 0 for any free one" in err


def test_an_address_that_is_not_ours_ends_with_1(mockvod: Mockvod) -> None:
    code, err = mockvod.refused("serve", "--host", "192.0.2.1", "--port", "0")
    assert code == 1
    assert "cannot listen on 192.0.2.1 port 0" in err


def test_a_variable_that_is_no_setting_is_warned_of(mockvod: Mockvod, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOCKVOD_POL_HOLD", "5")
    code, out, err = mockvod.run("config")
    assert code == 0
    assert "poll-hold" in out
    assert err == "mockvod: unknown variable MOCKVOD_POL_HOLD is ignored; did you mean MOCKVOD_POLL_HOLD?\n"


# Streams


def test_what_happens_is_shown_as_it_happens(server: Background) -> None:
    with Client(server.url) as anyone:
        whom = ("--secret-id", anyone.make_account().secret_id)
    with (
        Client(server.url, secret_id=whom[1]) as client,
        process("tail", "--all", *whom) as lines,
        process("tail", "--all", "--json", *whom) as objects,
    ):
        client.emit()
        assert lines.stdout is not None
        assert objects.stdout is not None
        assert re.fullmatch(r"evt_000001 \d\d:\d\d:\d\d\.\d{3}  queued\n", lines.stdout.readline())
        assert json.loads(objects.stdout.readline())["what"] == "queued"
        for running in (lines, objects):
            running.send_signal(signal.SIGINT)
            assert running.communicate(timeout=5) == ("", "")
            assert running.returncode == 130


def test_a_tail_ends_with_its_account(mockvod: Mockvod, server: Background) -> None:
    mockvod.done("accounts", "make", "AKIDmine")
    mockvod.done("emit", "--secret-id", "AKIDmine")
    with process("tail", "--all", "--secret-id", "AKIDmine") as running:
        assert running.stdout is not None
        assert "queued" in running.stdout.readline()
        mockvod.done("accounts", "delete", "AKIDmine")
        assert running.communicate(timeout=5) == ("", "mockvod: the server, or the account, has ended\n")
    assert running.returncode == 0


def test_a_reader_that_has_seen_enough_is_no_failure(server: Background) -> None:
    with Client(server.url) as client:
        client.emit(count=5000)
    with process("events") as running:
        assert running.stdout is not None
        assert running.stdout.readline().startswith("evt_000001")
        running.stdout.close()
        assert running.wait(10) == 0
        assert running.stderr is not None
        assert running.stderr.read() == ""


def test_a_reader_that_reads_nothing_is_no_failure(server: Background) -> None:
    """What was printed is still in the buffer when the command ends."""
    reading, writing = os.pipe()
    os.close(reading)
    with process("clock", stdout=writing) as running:
        os.close(writing)
        assert running.wait(10) == 0
        assert running.stderr is not None
        assert running.stderr.read() == ""
