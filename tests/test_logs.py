"""The log: lines for people or for machines."""

import json
import logging
from collections.abc import Iterator

import pytest

from mockvod import logs


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    root.handlers = []
    yield
    root.handlers, root.level = before, level


def test_a_line_for_people_has_time_level_and_message(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("text", "info")
    logging.getLogger("mockvod.test").info("port %s", 8266)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("INFO    port 8266\n")


def test_a_message_for_people_is_one_line_whatever_a_client_sent(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("text", "info")
    logging.getLogger("mockvod.test").info("unknown action %s", "Pull\r\n2026-01-01 ERROR\x1b[2J\u2028快照")
    [line] = capsys.readouterr().err.splitlines()
    assert line.endswith("unknown action Pull\\r\\n2026-01-01 ERROR\\x1b[2J\\u2028快照")


def test_a_line_for_machines_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json", "info")
    logging.getLogger("mockvod.test").warning("two\nlines: %s", "快照")
    [line] = capsys.readouterr().err.splitlines()
    reported = json.loads(line)
    assert reported.pop("time").endswith("+00:00")
    assert reported == {"level": "warning", "logger": "mockvod.test", "message": "two\nlines: 快照"}


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_exception_is_logged_with_its_traceback(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json" if form == "json" else "text", "info")
    try:
        dict[str, int]()["missing"]
    except KeyError:
        logging.getLogger("mockvod.test").exception("a mistake")
    reported = capsys.readouterr().err
    if form == "json":
        reported = json.loads(reported)["traceback"]
    assert "KeyError: 'missing'" in reported


@pytest.mark.parametrize(("level", "count"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_less_important_lines_are_left_out(level: str, count: int, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("text", level)
    for number in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        logging.getLogger("mockvod.test").log(number, "a line")
    assert len(capsys.readouterr().err.splitlines()) == count


def test_configuring_twice_does_not_log_twice(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("text", "info")
    logs.configure("text", "info")
    logging.getLogger("mockvod.test").info("once")
    assert len(capsys.readouterr().err.splitlines()) == 1
