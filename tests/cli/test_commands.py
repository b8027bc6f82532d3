"""What each command does with a running server, and what it prints."""

import io
import json
import re
import sys
from pathlib import Path

import pytest

from mockvod.cli.output import in_colour, plural
from mockvod.testing import Client, ClockState
from tests.background import Background, in_background
from tests.cli.running import Mockvod

# Events


def test_an_event_is_emitted_and_shown(mockvod: Mockvod) -> None:
    given = "--file 17 --task mine --offsets 1000,2000 --failed 2000 --err-code -7 --definition 24 --count 1".split()
    assert (
        mockvod.done("emit", *given) == "evt_000001  queued      default     CreateSnapshotByTimeOffsetComplete  mine\n"
    )
    [listed] = mockvod.json("events", "--state", "queued", "--task", "mine", "--file", "17")
    assert (listed["id"], listed["file_id"]) == ("evt_000001", "17")
    assert "timeline" not in listed  # an empty one would say that nothing has happened
    shown = mockvod.json("events", "evt_000001")
    task = shown["content"]["SnapshotByTimeOffsetCompleteEvent"]
    assert (task["Definition"], task["SnapshotInfoSet"][1]) == (24, {"ErrCode": -7, "TimeOffset": 2000, "Url": ""})
    assert [entry["what"] for entry in shown["timeline"]] == ["queued"]
    assert mockvod.done("events", "evt_000001").startswith("evt_000001 CreateSnapshotByTimeOffsetComplete: queued\n")
    assert json.loads(mockvod.done("events", "evt_000001", "--body")) == shown["content"]
    assert mockvod.done("events", "--type", "CreateSnapshotByTimeOffsetComplete").count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        ("emit", "/evt_000002"),
        ("emit --count 2", ""),
        ("emit --sub-app-id 7", "/evt_000002?app=7"),
        ("events", ""),
        ("events evt_000001", "/evt_000001"),
        ("events --secret-id AKIDother", "?account=AKIDother"),
    ],
)
def test_the_link_to_the_console_is_beside_the_data(
    mockvod: Mockvod, server: Background, arguments: str, place: str
) -> None:
    mockvod.done("accounts", "make", "AKIDother")
    mockvod.done("emit")
    mockvod.done("emit", "--secret-id", "AKIDother")
    code, out, err = mockvod.run(*arguments.split())
    assert (code, err.splitlines()[0]) == (0, f"mockvod: console: {server.url}/mockvod/#/events{place}")
    assert "/mockvod/" not in out


@pytest.mark.parametrize("arguments", ["emit --json", "events --json", "events evt_000001 --body"])
def test_data_alone_comes_without_a_link(mockvod: Mockvod, arguments: str) -> None:
    mockvod.done("emit")
    assert mockvod.run(*arguments.split())[2] == ""


def test_without_a_console_there_is_no_link(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with in_background(console=False) as server:
        monkeypatch.setenv("MOCKVOD_URL", server.url)
        assert Mockvod(capsys).run("emit")[2] == ""


def test_a_list_shows_the_newest_events_with_their_application(mockvod: Mockvod) -> None:
    mockvod.done("emit", "--count", "3")
    mockvod.done("emit", "--sub-app-id", "7")
    lines = mockvod.done("events", "--limit", "2").splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["evt_000003", "queued", "default"],
        ["evt_000004", "queued", "7"],
    ]


EVENT = {"EventType": "FileDeleted", "FileDeleteEvent": {"FileIdSet": ["快照"]}}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_whole_event_comes_from_a_file(mockvod: Mockvod, tmp_path: Path, encoding: str) -> None:
    (tmp_path / "event.json").write_text(json.dumps(EVENT, ensure_ascii=False), encoding=encoding)
    [event] = mockvod.json("emit", "--event", "event.json")
    assert mockvod.json("events", event["id"])["content"]["FileDeleteEvent"] == EVENT["FileDeleteEvent"]


def test_a_whole_event_comes_from_standard_input(mockvod: Mockvod, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(EVENT).encode())))
    assert mockvod.done("emit", "--event", "-", "--count", "2").count("FileDeleted") == 2


def test_the_example_of_a_type_is_emitted_with_changes(mockvod: Mockvod) -> None:
    changes = ("--set", 'FileDeleteEvent.FileIdSet=["1", "2=3"]', "--set", "FileDeleteEvent.FileDeleteResultInfo=[]")
    [event] = mockvod.json("emit", "--type", "FileDeleted", *changes)
    content = mockvod.json("events", event["id"])["content"]
    assert content["FileDeleteEvent"] == {"FileIdSet": ["1", "2=3"], "FileDeleteResultInfo": []}


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (None, "event.json"),
        (b"{", "event.json"),
        (b"\xff", "event.json"),
        (b"[]", "event: "),
        (b'{"EventType": "FileDeleted"}', "FileDeleteEvent"),
    ],
)
def test_an_invalid_event_file_ends_with_1(mockvod: Mockvod, tmp_path: Path, content: bytes | None, named: str) -> None:
    if content is not None:
        (tmp_path / "event.json").write_bytes(content)
    code, message = mockvod.failed("emit", "--event", "event.json")
    assert code == 1
    assert named in message


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["emit", "--count", "0"], "count: "),
        (["emit", "--err-code", "5"], "err_code"),
        (["events", "--limit", "0"], "limit"),
        (["events", "evt_000009"], "'evt_000009'"),
        (["redeliver", "evt_000009"], "'evt_000009'"),
        (["wait", "queued", "--since", "evt_000009"], "'evt_000009'"),
        (["accounts", "delete", "AKIDno"], "'AKIDno'"),
        (["events", "--secret-id", "AKIDno"], "'AKIDno'"),
        (["tail", "--secret-id", "AKIDno"], "'AKIDno'"),
        (["clock", "scale", "0"], "rate: "),
        (["config", "set", "mode=both"], "mode"),
        (["fault", "add", "dupliacte"], "duplicate"),
        (["fault", "clear", "flt_000009"], "flt_000009"),
        (["scenario", "apply", "none.yaml"], "none.yaml"),
    ],
)
def test_what_the_server_rejects_ends_with_1(mockvod: Mockvod, arguments: list[str], named: str) -> None:
    code, message = mockvod.failed(*arguments)
    assert code == 1
    assert named in message


@pytest.mark.parametrize("command", ["health", "emit", "events", "wait queued", "tail", "clock", "reset", "accounts"])
def test_without_a_server_every_command_says_how_to_start_one(mockvod: Mockvod, command: str) -> None:
    code, message = mockvod.failed(*command.split(), "--url", "127.0.0.1:9")
    assert code == 1
    assert message.endswith("; start one with `mockvod serve`")


def test_an_empty_list_is_no_failure(mockvod: Mockvod) -> None:
    assert mockvod.run("events") == (0, "", "mockvod: no events match; `mockvod emit` makes one\n")


def test_an_event_is_redelivered(mockvod: Mockvod, server: Background) -> None:
    with Client(server.url) as client:
        client.config(mode="PUSH")
        client.emit()
        client.config(mode="PULL")
    assert mockvod.done("redeliver", "evt_000001").startswith("evt_000001  queued")
    code, message = mockvod.failed("redeliver", "evt_000001")
    assert code == 1
    assert "evt_000001" in message


# Waiting


def test_a_wait_says_which_events_it_matched(mockvod: Mockvod) -> None:
    mockvod.done("emit", "--task", "mine")
    code, out, err = mockvod.run("wait", "queued,leased", "--task", "mine")
    assert (code, err) == (0, "mockvod: 1 event reached queued,leased\n")
    assert out.startswith("evt_000001  queued ")
    [event] = mockvod.json("wait", "queued", "--id", "evt_000001", "--type", "CreateSnapshotByTimeOffsetComplete")
    assert event["id"] == "evt_000001"


@pytest.mark.parametrize(("since", "code"), [("now", 1), ("evt_000002", 1), ("999", 1), ("1", 0), ("evt_000001", 0)])
def test_a_wait_may_ignore_what_has_happened(mockvod: Mockvod, since: str, code: int) -> None:
    mockvod.done("emit", "--count", "2")
    assert mockvod.run("wait", "queued", "--since", since, "--timeout", "0")[0] == code


def test_a_wait_that_times_out_shows_timelines(mockvod: Mockvod) -> None:
    mockvod.done("emit")
    code, message = mockvod.failed("wait", "confirmed", "--timeout", "0ms")
    assert code == 1
    assert re.search(r"^ +\d\d:\d\d:\d\d\.\d{3}  queued$", message, re.MULTILINE)


def test_a_wait_until_settled_ends(mockvod: Mockvod) -> None:
    mockvod.done("clock", "freeze")
    assert mockvod.run("wait", "--settled") == (0, "", "mockvod: settled\n")
    assert mockvod.json("wait", "--settled") == []


def test_emit_waits_for_each_event(mockvod: Mockvod) -> None:
    states = [event["state"] for event in mockvod.json("emit", "--count", "2", "--wait", "queued")]
    assert states == ["queued", "queued"]
    code, _ = mockvod.failed("emit", "--wait", "delivered", "--timeout", "0")
    assert code == 1


def test_emit_does_not_wait_for_an_event_that_has_ended(mockvod: Mockvod) -> None:
    mockvod.done("config", "set", "mode=PUSH")
    code, message = mockvod.failed("emit", "--wait", "delivered", "--timeout", "10m")
    assert code == 1
    assert "failed" in message


# Clock


def test_the_clock_is_shown_and_moved(mockvod: Mockvod) -> None:
    assert mockvod.done("clock").endswith("running at 1 ×\n")
    assert mockvod.done("clock", "freeze").endswith("frozen\n")
    mockvod.done("emit", "--delay", "1h")
    assert "  in 3600 s: evt_000001 " in mockvod.done("clock")
    assert "evt_000001  queued\n" in mockvod.done("clock", "advance", "1h")
    assert mockvod.json("clock", "scale", "60")["rate"] == 60
    assert mockvod.json("clock", "release")["frozen"] is False


@pytest.mark.parametrize("moment", ["1893456000", "2030-01-01", "2030-01-01T00:00:00Z", "2030-01-01T08:00+08:00"])
def test_the_clock_is_set_to_a_moment(mockvod: Mockvod, moment: str) -> None:
    mockvod.done("clock", "freeze")
    assert mockvod.json("clock", "set", moment)["now"] == 1893456000


def test_the_clock_shows_how_much_more_is_due(mockvod: Mockvod) -> None:
    mockvod.done("emit", "--count", "12", "--delay", "1h")
    assert "  … and 2 more\n" in mockvod.done("clock")


def test_a_move_that_was_not_completed_ends_with_1(mockvod: Mockvod, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = ClockState(1893456000.0, 0, True, [], None, happened_more=True, completed=False, reason="interrupted")
    monkeypatch.setattr("mockvod.cli.clock.ask", lambda *_: moved)
    code, out, err = mockvod.run("clock", "advance", "1d")
    assert (code, err) == (1, "mockvod: the move was not completed: interrupted\n")
    assert "… and more" in out


# Accounts and settings


def test_accounts_are_made_listed_and_deleted(mockvod: Mockvod) -> None:
    made = mockvod.done("accounts", "make", "AKIDmine", "--seed", "7", "--frozen")
    assert re.fullmatch(r"SecretId AKIDmine  SecretKey [0-9a-f]{32}  SubAppId \d+  0 events\n", made)
    mockvod.done("emit", "--secret-id", "AKIDmine")
    assert mockvod.json("clock", "--secret-id", "AKIDmine")["frozen"]
    assert mockvod.done("accounts").splitlines()[0] == "default account  0 events"
    assert [one["events"] for one in mockvod.json("accounts", "list")] == [0, 1]
    assert mockvod.done("accounts", "delete", "AKIDmine").startswith("deleted SecretId AKIDmine  SubAppId")
    assert len(mockvod.json("accounts")) == 1


def test_a_reset_says_what_it_discarded(mockvod: Mockvod) -> None:
    mockvod.done("emit", "--count", "3")
    assert mockvod.done("reset") == "discarded 3 events, 0 polls, 0 deliveries\n"
    assert mockvod.json("reset")["events"] == 0


def test_a_reset_of_an_application_leaves_the_others(mockvod: Mockvod) -> None:
    mockvod.done("emit", "--count", "2", "--sub-app-id", "7")
    mockvod.done("emit")
    assert mockvod.json("reset", "--sub-app-id", "7")["events"] == 2
    assert [one["sub_app_id"] for one in mockvod.json("events")] == [None]


@pytest.mark.parametrize(
    ("count", "words", "text"),
    [
        (1, ("delivery", "deliveries"), "1 delivery"),
        (0, ("event",), "0 events"),
        (1200, ("delivery", "deliveries"), "1,200 deliveries"),
    ],
)
def test_plurals(count: int, words: tuple[str, ...], text: str) -> None:
    assert plural(count, *words) == text


def test_settings_of_a_running_server_are_changed(mockvod: Mockvod) -> None:
    changes = ("poll-hold=500ms", "pull_limit=3", "strict-media=True", "mode=push", "sign-key=secret")
    changed = mockvod.json("config", "set", *changes, "--sub-app-id", "7")
    assert changed.pop("sign_key") != "secret"
    assert changed == {"poll_hold": 0.5, "pull_limit": 3, "strict_media": True, "mode": "PUSH"}
    assert mockvod.json("config", "get")["poll_hold"] == 0.5
    assert mockvod.done("config", "get", "mode", "--sub-app-id", "7") == "mode  PUSH\n"
    assert mockvod.done("config", "get", "callback-url") == "callback-url  (not set)\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("get", "pol-hold"), "unknown setting pol-hold; did you mean poll-hold?"),
        (("set", "pol-hold=3"), "pol-hold: unknown setting; did you mean poll-hold?"),
        (("set", "pull-limit=0"), "pull-limit: must be greater than or equal to 1, got 0"),
    ],
)
def test_a_message_about_a_setting_has_its_name_as_it_is_typed(
    mockvod: Mockvod, arguments: tuple[str, ...], message: str
) -> None:
    assert mockvod.failed("config", *arguments)[1] == message


def test_settings_of_a_new_server_are_shown_with_their_origin(
    mockvod: Mockvod, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCKVOD_POLL_HOLD", "7")
    assert re.search(r"^poll-hold +7\.0 +variable MOCKVOD_POLL_HOLD$", mockvod.done("config"), re.MULTILINE)


def test_an_unknown_variable_is_warned_of(mockvod: Mockvod, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOCKVOD_POL_HOLD", "5")
    code, out, err = mockvod.run("config")
    assert code == 0
    assert "poll-hold" in out
    assert "MOCKVOD_POL_HOLD" in err


# Faults and media


def test_faults_are_added_listed_and_cleared(mockvod: Mockvod) -> None:
    when = ("--when", "probability=0.5", "--scope", "event_type=FileDeleted", "--scope", "sub_app_id=7")
    [added] = mockvod.json("fault", "add", "duplicate", "copies=2", "after=500ms", *when)
    assert (added["fault"], added["parameters"]) == ("duplicate", {"copies": 2, "after": 0.5})
    assert (added["when"], added["scope"]) == (
        {"probability": 0.5},
        {"event_type": "FileDeleted", "sub_app_id": 7},
    )
    assert len(mockvod.json("fault", "add", "--recipe", "lost-confirm")) == 2
    [first, *_] = mockvod.done("fault", "list").splitlines()
    assert re.fullmatch(r"flt_000001  duplicate +applied to 0 of 0  copies=2 after=0\.5 probability=0\.5 .+", first)
    assert mockvod.done("fault", "clear", "flt_000001") == "removed 1 fault\n"
    assert mockvod.done("fault", "clear") == "removed 2 faults\n"


def test_media_are_added_and_listed(mockvod: Mockvod) -> None:
    added = mockvod.json("media", "add", "--file", "17", "--duration", "1m", "--width", "640", "--height", "480")
    assert (added["file_id"], added["duration"]) == ("17", 60)
    assert re.fullmatch(r"17  60 s  640×480  [\d,]+ bytes  .+\n", mockvod.done("media"))


def test_uploads_are_added_and_listed(mockvod: Mockvod) -> None:
    added = mockvod.json("uploads", "add", "--file", "17", "--name", "holiday", "--type", "mov", "--size", "5000")
    assert (added["file_id"], added["state"], added["event"]) == ("17", "finished", None)
    [listed] = mockvod.json("uploads")
    assert listed == added
    assert re.fullmatch(r"17  finished   [\d:. -]+  5,000 bytes  holiday\.mov\n", mockvod.done("uploads"))


def test_a_name_cannot_change_the_terminal(mockvod: Mockvod) -> None:
    mockvod.done("uploads", "add", "--file", "17", "--name", "a\nb\x1b[31m")
    assert mockvod.done("uploads").endswith("  a\\nb\\x1b[31m.mp4\n")
    assert mockvod.done("media").endswith("  a\\nb\\x1b[31m\n")


def test_the_host_of_the_storage_is_printed(mockvod: Mockvod) -> None:
    assert re.fullmatch(r"[0-9a-z]+-\d+\.cos\.ap-guangzhou\.myqcloud\.com\n", mockvod.done("uploads", "--host"))


# Scenarios


def test_a_scenario_is_checked_and_applied(mockvod: Mockvod, tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text("events:\n  - count: 2\n", encoding="utf-8-sig")
    assert mockvod.done("scenario", "check", "two.yaml").startswith("two.yaml is valid: ")
    assert mockvod.json("events") == []
    assert mockvod.done("scenario", "apply", "two.yaml") == "applied two.yaml: 1 event\n"
    assert len(mockvod.json("events")) == 2


def test_an_invalid_scenario_ends_with_1(mockvod: Mockvod, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("evnts: []\n")
    for command in ("check", "apply"):
        code, message = mockvod.failed("scenario", command, "bad.yaml")
        assert code == 1
        assert "evnts" in message


def test_a_video_of_a_scenario_is_beside_its_file(mockvod: Mockvod, tmp_path: Path) -> None:
    folder = tmp_path / "scenarios"
    folder.mkdir()
    (folder / "clip.mp4").write_bytes(b"no video")
    video = "applications:\n  - media:\n      - file_id: '1'\n        video: {}\n"
    (folder / "one.yaml").write_text(video.format("clip.mp4"))
    assert mockvod.done("scenario", "apply", "scenarios/one.yaml").startswith("applied scenarios/one.yaml: ")
    (folder / "one.yaml").write_text(video.format("none.mp4"))
    code, message = mockvod.failed("scenario", "apply", "scenarios/one.yaml")
    assert code == 1
    assert f"scenarios/one.yaml:4: applications.0.media.0.video: no file '{folder / 'none.mp4'}'" in message


def test_a_scenario_with_a_key_twice_is_not_applied(mockvod: Mockvod, tmp_path: Path) -> None:
    (tmp_path / "twice.yaml").write_text("frozen: false\nfrozen: true\n")
    for command in ("check", "apply"):
        code, message = mockvod.failed("scenario", command, "twice.yaml")
        assert (code, "twice.yaml:2: frozen" in message) == (1, True)


# Terminals


def test_a_terminal_shows_colours_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert in_colour(Terminal())
    assert not in_colour(io.StringIO())
    monkeypatch.setenv("TERM", "dumb")
    assert not in_colour(Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not in_colour(Terminal())
