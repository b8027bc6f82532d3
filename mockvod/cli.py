"""The command `mockvod`: serve, and talk to a server that runs. Data goes to standard output, talk to standard error.

Exit codes: 0 done, 1 it could not be done (the message says why), 2 the command line is wrong.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from mockvod import __version__

if TYPE_CHECKING:
    from mockvod.app import Running
    from mockvod.settings import Loaded
    from mockvod.testing.client import Client

DEFAULT_URL = "http://127.0.0.1:8266"
NEEDS_SETTINGS = frozenset({"serve", "demo", "config"})


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    options = _parser(NEEDS_SETTINGS & set(arguments)).parse_args(arguments)
    try:
        sys.exit(options.run(options) or 0)
    except _Failure as failure:
        print(f"mockvod: {failure}", file=sys.stderr)
        sys.exit(failure.code)
    except BrokenPipeError:  # `mockvod events | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)


class _Failure(Exception):
    """What could not be done, and the exit code that says so."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


# --- commands that are a server


def serve(options: argparse.Namespace) -> int:
    from mockvod.app import CannotListen, run

    loaded = _settings(options)
    try:
        run(loaded.settings, _announce)
    except CannotListen as error:
        raise _Failure(str(error)) from None
    return 0


def _announce(running: "Running") -> None:
    import logging

    logging.getLogger("mockvod").info(
        "mockvod %s serves %s (API 3.0 at /, control API at /mockvod/v1); seed %s",
        __version__,
        running.url,
        running.world.seed,
    )


def demo(options: argparse.Namespace) -> int:
    from mockvod.app import CannotListen
    from mockvod.demo import run

    loaded = _settings(options, log_level="warning")
    try:
        run(loaded.settings)
    except CannotListen as error:
        raise _Failure(str(error)) from None
    return 0


def config(options: argparse.Namespace) -> int:
    from mockvod.settings import definitions

    loaded = _settings(options)
    values = loaded.settings.model_dump()
    rows = []
    for one in definitions():
        value = values[one.name]
        shown = "(set)" if one.secret and value else value
        rows.append({"setting": one.key, "value": shown, "origin": loaded.origins[one.name]})
    if options.json:
        print(json.dumps(rows))
        return 0
    width = max(len(row["setting"]) for row in rows)
    for row in rows:
        value = "" if row["value"] is None else row["value"]
        print(f"{row['setting']:<{width}}  {value!s:<24}  {row['origin']}")
    return 0


def _settings(options: argparse.Namespace, **defaults: object) -> "Loaded":
    from mockvod import logs
    from mockvod.settings import SettingsError, load, names

    flags = {name: getattr(options, name) for name in names()}
    try:
        loaded = load(flags, file=options.config or _configured_file())
    except SettingsError as error:
        raise _Failure(str(error), code=2) from None
    level: str = loaded.settings.log_level
    if loaded.origins["log_level"] == "default":
        level = str(defaults.get("log_level", level))
    logs.configure(loaded.settings.log_format, level)
    for warning in loaded.warnings:
        print(f"mockvod: {warning}", file=sys.stderr)
    return loaded


def _configured_file() -> Path | None:
    return Path(os.environ["MOCKVOD_CONFIG"]) if os.environ.get("MOCKVOD_CONFIG") else None


# --- commands that talk to a server


def health(options: argparse.Namespace) -> int:
    from time import monotonic, sleep  # real time: how long a person or a container waits

    from mockvod.testing.calls import MockVodError

    client = _client(options)
    problem = "not ready"
    give_up = monotonic() + (options.timeout if options.wait else 0.0)
    while True:
        try:
            if client.ready():
                print("ready")
                return 0
        except MockVodError as error:  # also: not ready yet
            problem = str(error)
        if monotonic() >= give_up:
            raise _Failure(problem)
        sleep(0.05)


def emit(options: argparse.Namespace) -> int:
    wishes: dict[str, Any] = {
        "count": options.count,
        "file_id": options.file,
        "task_id": options.task,
        "definition": options.definition,
        "time_offsets": options.offsets,
        "failed": options.failed,
        "err_code": options.err_code,
        "delay": options.delay,
        "event": _event_file(options.event) if options.event else None,
    }
    events = _ask(options, lambda client: client.emit(**wishes))
    if options.json:
        print(json.dumps([_plain(event) for event in events]))
    else:
        for event in events:
            print(f"{event.id}  {event.state}  {event.event_type}  {event.task_id or ''}")
    return 0


def _event_file(path: str) -> Any:
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
        return json.loads(text)
    except OSError as error:
        raise _Failure(f"cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise _Failure(f"{path} is not JSON: {error}") from None


def events(options: argparse.Namespace) -> int:
    if options.id:
        event = _ask(options, lambda client: client.event(options.id))
        print(json.dumps(_plain(event)) if options.json else event)
        return 0
    found = _ask(
        options,
        lambda client: client.events(
            state=options.state, task_id=options.task, file_id=options.file, event_type=options.type
        ),
    )
    if options.json:
        print(json.dumps([_plain(event) for event in found]))
        return 0
    for event in found:
        print(f"{event.id}  {event.state:<10}  {event.event_type}  {event.task_id or ''}")
    if not found:
        print("no event fits; `mockvod emit` makes one", file=sys.stderr)
    return 0


def redeliver(options: argparse.Namespace) -> int:
    event = _ask(options, lambda client: client.redeliver(options.id))
    print(json.dumps(_plain(event)) if options.json else f"{event.id}  {event.state}")
    return 0


def wait(options: argparse.Namespace) -> int:
    if options.settled:
        _ask(options, lambda client: client.wait_until_settled(timeout=options.timeout))
        return 0
    if not options.state:
        raise _Failure("say which state to wait for (mockvod wait confirmed), or --settled", code=2)
    found = _ask(
        options,
        lambda client: client.wait_for(
            options.state.split(","),
            count=options.count,
            timeout=options.timeout,
            event_id=options.id,
            task_id=options.task,
            file_id=options.file,
        ),
    )
    if options.json:
        print(json.dumps([_plain(event) for event in found]))
    else:
        for event in found:
            print(f"{event.id}  {event.state}  {event.task_id or ''}")
    return 0


def clock(options: argparse.Namespace) -> int:
    def move(client: "Client") -> Any:
        if options.do == "freeze":
            return client.clock.freeze()
        if options.do == "release":
            return client.clock.release()
        if options.do == "advance":
            return client.clock.advance(options.seconds)
        if options.do == "scale":
            return client.clock.scale(options.rate)
        return client.clock()

    state = _ask(options, move)
    if options.json:
        print(json.dumps(_plain(state)))
        return 0
    pace = "frozen" if state.frozen else f"running at {state.rate:g} ×"
    print(f"{_date(state.now)}  {pace}")
    for entry in state.happened:
        print(f"  {_date(entry['at'])}  {entry.get('event') or '':<10}  {entry['what']}")
    for one in state.waiting[:10]:
        print(f"  in {one['within']:g} s: {one['what']}")
    return 0


def reset(options: argparse.Namespace) -> int:
    thrown_away = _ask(options, lambda client: client.reset())
    if options.json:
        print(json.dumps(thrown_away))
    else:
        print("thrown away: " + ", ".join(f"{count} {what}" for what, count in thrown_away.items()))
    return 0


def accounts(options: argparse.Namespace) -> int:
    if options.do == "make":
        made = _ask(options, lambda client: client.make_account(secret_id=options.name, seed=options.seed))
        found = [made]
    elif options.do == "delete":
        if not options.name:
            raise _Failure("say which account to delete: mockvod accounts delete SECRET_ID", code=2)
        found = [_ask(options, lambda client: client.delete_account(options.name))]
    else:
        found = _ask(options, lambda client: client.accounts())
    if options.json:
        print(json.dumps([_plain(one) for one in found]))
        return 0
    for one in found:
        name = one.secret_id or "(any SecretId)"
        print(
            f"{name}  {one.secret_key}  SubAppId {one.sub_app_id or 'any'}  {one.events} events".replace("    ", "  ")
        )
    return 0


def tail(options: argparse.Namespace) -> int:
    from mockvod.testing.calls import MockVodError
    from mockvod.testing.tail import follow

    colour = sys.stdout.isatty() and not options.json and "NO_COLOR" not in os.environ
    try:
        for line in follow(_client(options), as_json=options.json, colour=colour, from_start=options.all):
            print(line, flush=True)
    except MockVodError as error:
        raise _Failure(str(error)) from None
    return 0


def _client(options: argparse.Namespace) -> "Client":
    from mockvod.testing.client import Client

    return Client(options.url, secret_id=options.secret_id, sub_app_id=options.sub_app_id)


def _ask(options: argparse.Namespace, question: Callable[["Client"], Any]) -> Any:
    from mockvod.testing.calls import MockVodError

    try:
        return question(_client(options))
    except MockVodError as error:
        raise _Failure(str(error)) from None


def _plain(value: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(value)


def _date(epoch: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


# --- the command line


def _parser(settings_for: Sequence[str] | frozenset[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mockvod",
        description="A local stand-in for the event notification of Tencent Cloud VOD.",
        epilog="`mockvod COMMAND --help` says more. Settings also come from MOCKVOD_… variables and mockvod.toml.",
    )
    parser.add_argument("--version", action="version", version=f"mockvod {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, run: Callable[[argparse.Namespace], int], words: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=words, description=words)
        sub.set_defaults(run=run)
        if name in settings_for:
            _add_settings(sub)
        elif name not in NEEDS_SETTINGS:
            _add_whom(sub)
        return sub

    command("serve", serve, "Serve until stopped.")
    command("demo", demo, "Serve, and show an event's way in both modes.")
    sub = command("config", config, "Show every setting with its value and where that comes from.")
    sub.add_argument("--json", action="store_true", help="as JSON")

    sub = command("health", health, "Say whether a server is ready: exit code 0 or 1.")
    sub.add_argument("--wait", action="store_true", help="wait until it is")
    sub.add_argument("--timeout", type=_seconds, default=30.0, metavar="SECONDS", help="for --wait (default 30)")

    sub = command("emit", emit, "Let events happen.")
    sub.add_argument("--count", type=int, metavar="N", help="how many (default 1)")
    sub.add_argument("--file", metavar="FILE_ID", help="FileId of the media")
    sub.add_argument("--task", metavar="TASK_ID", help="TaskId")
    sub.add_argument("--offsets", type=_numbers, metavar="MS,MS", help="time offsets of the snapshots, in milliseconds")
    sub.add_argument("--failed", type=_numbers, metavar="MS,MS", help="those of the offsets that fail")
    sub.add_argument("--err-code", type=int, metavar="N", help="ErrCode of the failed ones")
    sub.add_argument("--definition", type=int, metavar="N", help="template of the snapshots (default 10)")
    sub.add_argument("--event", metavar="PATH", help="a whole EventContent as JSON; - for standard input")
    sub.add_argument("--delay", type=_seconds, metavar="SECONDS", help="until they happen, on the account's clock")
    sub.add_argument("--json", action="store_true", help="as JSON")

    sub = command("events", events, "List events, or show one with its timeline.")
    sub.add_argument("id", nargs="?", help="an event's id: show it with its timeline")
    _add_filters(sub)
    sub.add_argument("--state", metavar="STATE,STATE", help="such as queued,leased")
    sub.add_argument("--type", metavar="EVENT_TYPE", help="EventType")
    sub.add_argument("--json", action="store_true", help="as JSON")

    sub = command("redeliver", redeliver, "Send an event that is over once more.")
    sub.add_argument("id", help="its id")
    sub.add_argument("--json", action="store_true", help="as JSON")

    sub = command("wait", wait, "Wait until events have reached a state: exit code 0, or 1 and why not.")
    sub.add_argument("state", nargs="?", help="such as confirmed, or delivered,failed for any of them")
    sub.add_argument("--settled", action="store_true", help="wait until nothing more happens by itself")
    sub.add_argument("--count", type=int, default=1, metavar="N", help="how many events (default 1)")
    sub.add_argument("--id", metavar="EVENT", help="one event")
    _add_filters(sub)
    sub.add_argument("--timeout", type=_seconds, default=5.0, metavar="SECONDS", help="give up after (default 5)")
    sub.add_argument("--json", action="store_true", help="as JSON")

    sub = command("tail", tail, "Show what happens as it happens, until Ctrl-C.")
    sub.add_argument("--all", action="store_true", help="begin with what has happened so far")
    sub.add_argument("--json", action="store_true", help="a JSON object a line")

    sub = command("clock", clock, "Show the clock, or move it.")
    moves = sub.add_subparsers(dest="do", metavar="MOVE")
    moves.add_parser("freeze", help="stop it")
    moves.add_parser("advance", help="move on").add_argument("seconds", type=_seconds)
    moves.add_parser("scale", help="run faster").add_argument("rate", type=float)
    moves.add_parser("release", help="run with the system again")
    sub.add_argument("--json", action="store_true", help="as JSON")

    sub = command("reset", reset, "Begin anew: the account of --secret-id, or all.")
    sub.add_argument("--json", action="store_true", help="as JSON")

    sub = command("accounts", accounts, "List isolated accounts, make one, delete one.")
    sub.add_argument("do", nargs="?", choices=["list", "make", "delete"], default="list")
    sub.add_argument("name", nargs="?", metavar="SECRET_ID")
    sub.add_argument("--seed", type=int, metavar="N", help="for make")
    sub.add_argument("--json", action="store_true", help="as JSON")
    return parser


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
    url = os.environ.get("MOCKVOD_URL") or DEFAULT_URL
    parser.add_argument("--url", default=url, help=f"the server (variable MOCKVOD_URL; default {DEFAULT_URL})")
    parser.add_argument("--secret-id", metavar="ID", help="the account (default: the default one)")
    parser.add_argument("--sub-app-id", type=int, metavar="N", help="the application (default: the default one)")


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--task", metavar="TASK_ID", help="TaskId")
    parser.add_argument("--file", metavar="FILE_ID", help="FileId")


def _numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",") if part]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} should be whole numbers with commas, such as 10000,20000") from None


def _seconds(text: str) -> float:
    for unit, factor in (("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("d", 86400), ("", 1)):
        number = text.removesuffix(unit)
        if number != text or not unit:
            try:
                return float(number) * factor
            except ValueError:
                break
    raise argparse.ArgumentTypeError(f"{text!r} should be seconds, also as 500ms, 5m, 4d")
