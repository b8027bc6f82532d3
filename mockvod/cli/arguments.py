"""The command line of `mockvod`: its commands and what each takes. Nothing here runs one."""

import argparse
import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from mockvod import __version__
from mockvod.durations import seconds

TAKE_SETTINGS: Final = frozenset({"serve", "demo", "config"})
"""The commands that are a server, or show what one would be; the others talk to one that runs."""
NEED_NO_SERVER: Final = frozenset({"scenario"})
"""But for these, which do by themselves what they do."""


def default_url() -> str:
    """Where a server is looked for: MOCKVOD_URL, else the port of this machine that MOCKVOD_PORT puts a server on.

    So `mockvod health` finds the server of its own container whatever port that was given.
    """
    port = os.environ.get("MOCKVOD_PORT", "")
    return os.environ.get("MOCKVOD_URL") or f"http://127.0.0.1:{port if port.strip('0') else 8266}"


def parser(wanted: Collection[str]) -> argparse.ArgumentParser:
    """The parser of the command line; of the commands that take settings, only those *wanted* know them."""
    whole = argparse.ArgumentParser(
        prog="mockvod",
        description="A local stand-in for the event notification of Tencent Cloud VOD.",
        epilog="`mockvod COMMAND --help` says more. Settings also come from MOCKVOD_… variables and mockvod.toml.",
    )
    whole.add_argument("--version", action="version", version=f"mockvod {__version__}")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, words: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=words, description=words)
        sub.set_defaults(command=name)
        if name in TAKE_SETTINGS:
            if name in wanted:
                _add_settings(sub)
        elif name not in NEED_NO_SERVER:
            _add_whom(sub)
        return sub

    command("serve", "Serve until stopped.")
    command("demo", "Serve, and show an event's way in both modes.")
    sub = command("config", "Show every setting with its value and where that comes from.")
    sub.add_argument("--json", action="store_true", help="as JSON")

    sub = command("health", "Say whether a server is ready: exit code 0 or 1.")
    sub.add_argument("--wait", action="store_true", help="wait until it is")
    sub.add_argument("--timeout", type=_seconds, default=30.0, metavar="SECONDS", help="for --wait (default 30)")

    sub = command("emit", "Let events happen.")
    sub.add_argument("--count", type=int, metavar="N", help="how many (default 1)")
    sub.add_argument("--file", metavar="FILE_ID", help="FileId of the media")
    sub.add_argument("--task", metavar="TASK_ID", help="TaskId")
    sub.add_argument("--offsets", type=_numbers, metavar="MS,MS", help="time offsets of the snapshots, in milliseconds")
    sub.add_argument("--failed", type=_numbers, metavar="MS,MS", help="those of the offsets that fail")
    sub.add_argument("--err-code", type=int, metavar="N", help="ErrCode of the failed ones")
    sub.add_argument("--definition", type=int, metavar="N", help="template of the snapshots (default 10)")
    sub.add_argument("--event", metavar="PATH", help="a whole EventContent as JSON; - for standard input")
    sub.add_argument("--type", metavar="EVENT_TYPE", help="the documented example of an event type")
    sub.add_argument(
        "--set",
        type=_change,
        action="append",
        metavar="PATH=VALUE",
        help="change the example, as FileUploadEvent.FileId=1 does; may be given several times",
    )
    sub.add_argument("--delay", type=_seconds, metavar="SECONDS", help="until they happen, on the account's clock")
    sub.add_argument("--json", action="store_true", help="as JSON")

    sub = command("events", "List events, or show one with its timeline.")
    sub.add_argument("id", nargs="?", help="an event's id: show it with its timeline")
    _add_filters(sub)
    sub.add_argument("--state", metavar="STATE,STATE", help="such as queued,leased")
    sub.add_argument("--json", action="store_true", help="as JSON")

    sub = command("redeliver", "Send an event that is over once more.")
    sub.add_argument("id", help="its id")
    sub.add_argument("--json", action="store_true", help="as JSON")

    sub = command("wait", "Wait until events have reached a state: exit code 0, or 1 and why not.")
    sub.add_argument("state", nargs="?", help="such as confirmed, or delivered,failed for any of them")
    sub.add_argument("--settled", action="store_true", help="wait until nothing more happens by itself")
    sub.add_argument("--count", type=int, default=1, metavar="N", help="how many events (default 1)")
    sub.add_argument("--id", metavar="EVENT", help="one event")
    _add_filters(sub)
    sub.add_argument("--timeout", type=_seconds, default=5.0, metavar="SECONDS", help="give up after (default 5)")
    sub.add_argument("--json", action="store_true", help="as JSON")

    sub = command("tail", "Show what happens as it happens, until Ctrl-C.")
    sub.add_argument("--all", action="store_true", help="begin with what has happened so far")
    sub.add_argument("--json", action="store_true", help="a JSON object a line")

    sub = command("clock", "Show the clock, or move it.")
    sub.add_argument("do", nargs="?", choices=["show", "freeze", "advance", "scale", "release"], default="show")
    sub.add_argument(
        "amount", nargs="?", type=_seconds, metavar="AMOUNT", help="seconds to advance, or how many times as fast"
    )
    sub.add_argument("--json", action="store_true", help="as JSON")

    sub = command("doctor", "Say why nothing arrives: exit code 0 when nothing is wrong, 1 with what is.")
    where = sub.add_mutually_exclusive_group()
    where.add_argument("--callback-url", metavar="URL", help="look at this address from here too; no event is sent")
    where.add_argument(
        "--from-server", action="store_true", help="let the server look at the application's own callback URL"
    )
    sub.add_argument("--json", action="store_true", help="as JSON")

    sub = command("reset", "Begin anew: the account of --secret-id, or all.")
    sub.add_argument("--json", action="store_true", help="as JSON")

    sub = command("accounts", "List isolated accounts, make one, delete one.")
    sub.add_argument("do", nargs="?", choices=["list", "make", "delete"], default="list")
    sub.add_argument("name", nargs="?", metavar="SECRET_ID")
    sub.add_argument("--seed", type=int, metavar="N", help="for make")
    sub.add_argument("--json", action="store_true", help="as JSON")

    sub = command("scenario", "Check a scenario, or show the JSON Schema of scenarios.")
    sub.add_argument("do", choices=["check", "schema"])
    sub.add_argument("file", nargs="?", metavar="FILE", help="for check: a YAML or JSON file, or an example's name")
    return whole


def _add_settings(parser: argparse.ArgumentParser) -> None:
    from mockvod.settings import definitions

    parser.add_argument("--config", type=Path, metavar="PATH", help="settings file (default: mockvod.toml, if there)")
    group = parser.add_argument_group("settings")
    for one in definitions():
        words = one.words.replace("%", "%%") + (f" (default {one.default})" if one.default else "")
        if one.kind == "true|false":
            group.add_argument(one.flag, dest=one.name, action=argparse.BooleanOptionalAction, default=None, help=words)
        else:
            group.add_argument(one.flag, dest=one.name, metavar=one.kind.upper(), help=words)


def _add_whom(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--url",
        type=_url,
        default=default_url(),
        help="the server (variable MOCKVOD_URL; default: port 8266 of this machine)",
    )
    parser.add_argument("--secret-id", metavar="ID", help="the account (default: the default one)")
    parser.add_argument("--sub-app-id", type=int, metavar="N", help="the application (default: the default one)")


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--task", metavar="TASK_ID", help="TaskId")
    parser.add_argument("--file", metavar="FILE_ID", help="FileId")
    parser.add_argument("--type", metavar="EVENT_TYPE", help="EventType")


def _numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",") if part]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} should be whole numbers with commas, such as 10000,20000") from None


def _change(text: str) -> tuple[str, str]:
    path, equals, value = text.partition("=")
    if not path or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} should be a path, = and a value, such as FileUploadEvent.FileId=1")
    return path, value


def _url(text: str) -> str:
    url = text if "://" in text else f"http://{text}"
    with suppress(ValueError):  # a port that is no number
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return url
    raise argparse.ArgumentTypeError(f"{text!r} should be the address of a server, such as http://127.0.0.1:8266")


def _seconds(text: str) -> float:
    try:
        return seconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} {error}") from None
