"""The command line: which command it names, and what is wrong with it."""

import os
import re
import shlex

import pytest

from mockvod import __version__
from mockvod.cli.table import COMMANDS
from mockvod.settings import definitions
from mockvod.testing import Client
from tests.background import Background
from tests.cli.running import Mockvod, process


def test_the_module_prints_the_version() -> None:
    with process("--version") as running:
        assert running.communicate(timeout=30) == (f"mockvod {__version__}\n", "")
    assert running.returncode == 0


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help_lists_every_command(mockvod: Mockvod, arguments: tuple[str, ...]) -> None:
    listed = re.findall(r"^  (\S+(?: \S+)?)  ", mockvod.done(*arguments), re.MULTILINE)
    assert sorted(listed) == sorted(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(mockvod: Mockvod, command: str) -> None:
    out = mockvod.done(*command.split(), "--help")
    assert f"usage: mockvod {command} [-h]" in out
    assert COMMANDS[command].help.split(":")[0] in " ".join(out.split())


def test_the_help_of_a_group_lists_its_commands(mockvod: Mockvod) -> None:
    out = mockvod.done("scenario", "--help")
    assert re.findall(r"^  (scenario \w+)", out, re.MULTILINE) == [
        "scenario check",
        "scenario schema",
        "scenario apply",
    ]


def test_the_help_of_serve_lists_every_setting(mockvod: Mockvod) -> None:
    out = mockvod.done("serve", "--help")
    assert [one.flag for one in definitions() if f"  {one.flag}" not in out] == []


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["emti"], "did you mean emit?"),
        (["clock", "advanse"], "did you mean advance?"),
        (["fault", "ad"], "did you mean add?"),
        (["scenario"], "check, schema, apply"),
        (["--jsno", "events"], "did you mean --json?"),
        (["emit", "--cuont", "1"], "did you mean --count?"),
        (["emit", "--wait", "queud"], "did you mean queued?"),
        (["events", "--state", "done"], "must be one of scheduled, queued"),
        (["emit", "--cou", "1"], "--cou"),
        (["emit", "more"], "'more'"),
        (["emit", "--offsets", "a,b"], "--offsets: 'a,b'"),
        (["emit", "--delay", "soon"], "--delay: 'soon'"),
        (["emit", "--type", "FileDeleted", "--set", "FileId"], "--set: 'FileId'"),
        (["emit", "--count", "x"], "--count: 'x'"),
        (["events", "--body"], "--body"),
        (["clock", "advance"], "DURATION"),
        (["clock", "advance", "soon"], "DURATION: 'soon'"),
        (["clock", "set", "soon"], "TIME: 'soon'"),
        (["clock", "freeze", "5"], "'5'"),
        (["accounts", "delete"], "SECRET_ID"),
        (["accounts", "--sub-app-id", "7"], "--sub-app-id"),
        (["wait"], "--settled"),
        (["wait", "queued", "--settled"], "--settled"),
        (["events", "--url", "nowhere:x"], "--url: 'nowhere:x'"),
        (["events", "--url", "ftp://x"], "--url: 'ftp://x'"),
        (["--url", "http://127.0.0.1:9", "serve"], "--url"),
        (["serve", "--port", "x"], "port"),
        (["serve", "--prot", "1"], "did you mean --port?"),
        (["serve", "--mode", "pushy"], "did you mean push?"),
        (["config", "--config", "none.toml"], "none.toml"),
        (["config", "set", "poll-hold"], "'poll-hold'"),
        (["config", "get", "pol-hold"], "did you mean poll-hold?"),
        (["fault", "add"], "--recipe"),
        (["fault", "add", "duplicate", "--recipe", "flaky-network"], "--recipe"),
        (["doctor", "--callback-url", "http://127.0.0.1", "--from-server"], "--from-server"),
        (["completion", "csh"], "bash"),
    ],
)
def test_a_wrong_command_line_ends_with_2_and_names_what_is_wrong(
    mockvod: Mockvod, arguments: list[str], named: str
) -> None:
    code, message = mockvod.failed(*arguments)
    assert code == 2
    assert named in message


def test_a_message_about_the_command_line_points_to_the_help(mockvod: Mockvod) -> None:
    assert mockvod.failed("emit", "--cuont", "1") == (
        2,
        "unknown option --cuont; did you mean --count? (see `mockvod emit --help`)",
    )


def test_shared_options_may_precede_the_command(
    mockvod: Mockvod, server: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MOCKVOD_URL")
    with Client(server.url) as client:
        client.make_account(secret_id="AKIDmine")
        client.emit(count=2)
    assert len(mockvod.json("--url", server.url, "events")) == 2
    assert mockvod.done(f"--url={server.url}", "--json", "--secret-id", "AKIDmine", "events") == "[]\n"


def test_values_are_accepted_in_any_case(mockvod: Mockvod) -> None:
    assert mockvod.done("emit", "--wait", "Queued").startswith("evt_000001  queued")
    [mode] = [one for one in mockvod.json("config", "--mode", "push") if one["setting"] == "mode"]
    assert (mode["value"], mode["origin"]) == ("PUSH", "flag --mode")


def test_an_argument_that_is_not_utf_8_is_rejected() -> None:
    with process("events", "--task", b"caf\xe9") as running:
        out, err = running.communicate(timeout=30)
    assert (running.returncode, out) == (2, "")
    assert err == "mockvod: 'caf\\udce9' is not valid UTF-8\n"


def test_text_that_standard_output_cannot_encode_is_printed_all_the_same(server: Background) -> None:
    with Client(server.url) as client:
        [event] = client.emit(task_id="快照")
    with process("events", event.id, "--body", PYTHONIOENCODING="ascii") as running:
        out, err = running.communicate(timeout=30)
    assert (running.returncode, err) == (0, "")
    assert "\\u5feb\\u7167" in out


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_are_no_failure(server: Background, closed: str) -> None:
    import subprocess
    import sys

    command = f"{shlex.quote(sys.executable)} -m mockvod clock {closed}"
    ended = subprocess.run(command, shell=True, check=False, capture_output=True, timeout=30)  # noqa: S602 - our own
    assert (ended.returncode, ended.stderr) == (0, b"")


# Completion


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("re", ["redeliver", "reset"]),
        ("clock ", ["freeze", "advance", "set", "scale", "release"]),
        ("clock s", ["set", "scale"]),
        ("scenario ", ["check", "schema", "apply"]),
        ("wait con", ["confirmed"]),
        ("emit --wait del", ["delivering", "delivered"]),
        ("emit --co", ["--count"]),
        ("emit --count ", []),
        ("serve --mode ", ["PULL", "PUSH"]),
        ("serve --no-access", []),
        ("completion ", ["bash", "zsh", "fish"]),
        ("nothing ", []),
    ],
)
def test_completion_offers_what_may_come_next(mockvod: Mockvod, words: str, found: list[str]) -> None:
    assert mockvod.done("__complete", *words.split(" ")).split() == found


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_is_accepted_by_its_shell(mockvod: Mockvod, shell: str) -> None:
    import shutil
    import subprocess

    script = mockvod.done("completion", shell)
    assert "mockvod __complete" in script
    if path := shutil.which(shell):
        subprocess.run([path, "-n"], input=script, text=True, check=True, timeout=30)  # noqa: S603


def test_bash_completes_by_the_script(mockvod: Mockvod) -> None:
    import subprocess
    import sys

    asking = (
        f'mockvod() {{ {shlex.quote(sys.executable)} -m mockvod "$@"; }}\n{mockvod.done("completion", "bash")}\n'
        'COMP_WORDS=(mockvod clock adv); COMP_CWORD=2; _mockvod; echo "${COMPREPLY[@]}"'
    )
    reported = subprocess.run(["bash", "-c", asking], capture_output=True, text=True, check=True, timeout=30)  # noqa: S603, S607
    assert reported.stdout == "advance\n"
    assert os.linesep not in reported.stderr
