"""The command `mockvod`: serve, and talk to a server that runs. Data goes to standard output, talk to standard error.

Exit codes: 0 done, 1 it could not be done (the message says why), 2 the command line is wrong.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from mockvod import __version__
from mockvod.cli.arguments import parser

if TYPE_CHECKING:
    from mockvod.app import Running
    from mockvod.settings_load import Loaded
    from mockvod.testing.client import Client
    from mockvod.testing.shapes import ClockState, Event


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    options = parser(arguments).parse_args(arguments)
    try:
        COMMANDS[options.command](options)
        sys.stdout.flush()
    except _Failure as failure:
        print(f"mockvod: {failure}", file=sys.stderr)
        sys.exit(failure.code)
    except BrokenPipeError:  # `mockvod events | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0)


class _Failure(Exception):
    """What could not be done, and the exit code that says so."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


# --- commands that are a server


def serve(options: argparse.Namespace) -> None:
    import gc

    gc.disable()  # until the server is ready: nothing that is imported is garbage
    # Pydantic would look for plugins, in the metadata of every package that is installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from mockvod.app import CannotListen, WrongScenario, run

    loaded = _settings(options)
    try:
        run(loaded.settings, _announce, loaded.origins)
    except CannotListen as error:
        raise _Failure(str(error)) from None
    except WrongScenario as error:
        raise _wrong_scenario(error) from None


def _wrong_scenario(error: Exception, code: int = 2) -> _Failure:
    return _Failure(f"the scenario does not fit:\n{error}", code)


def _announce(running: "Running") -> None:
    import logging

    logging.getLogger("mockvod").info(
        "mockvod %s serves %s (API 3.0 at /, control API at /mockvod/v1); seed %s",
        __version__,
        running.url,
        running.world.seed,
    )


def demo(options: argparse.Namespace) -> None:
    from mockvod.app import CannotListen, WrongScenario
    from mockvod.cli.demo import run

    loaded = _settings(options, log_level="warning")
    try:
        run(loaded.settings)
    except CannotListen as error:
        raise _Failure(str(error)) from None
    except WrongScenario as error:
        raise _wrong_scenario(error) from None


def config(options: argparse.Namespace) -> None:
    from mockvod.settings import definitions

    loaded = _settings(options)
    values = loaded.settings.model_dump()
    rows = []
    for one in definitions():
        value = values[one.name]
        shown = "(set)" if one.secret and value else value
        rows.append({"setting": one.key, "value": shown, "origin": loaded.origins[one.name]})
    width = max(len(row["setting"]) for row in rows)
    _show(options, rows, (f"{row['setting']:<{width}}  {_text(row['value']):<24}  {row['origin']}" for row in rows))


def _text(value: object) -> str:
    """As it would be written in a flag or a variable."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _settings(options: argparse.Namespace, **defaults: object) -> "Loaded":
    from mockvod import logs
    from mockvod.settings import names
    from mockvod.settings_load import SettingsError, load

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


# --- commands that need no server


def scenario(options: argparse.Namespace) -> None:
    import asyncio

    from mockvod.scenario.check import read
    from mockvod.scenario.files import load
    from mockvod.scenario.models import published_schema
    from mockvod.scenario.source import ScenarioError
    from mockvod.service.world import World
    from mockvod.settings import Settings

    if (options.do == "check") != bool(options.file):
        raise _Failure("say which scenario to check (mockvod scenario check FILE); schema takes none", code=2)
    if options.do == "schema":
        print(json.dumps(published_schema(), indent=2, ensure_ascii=False))
        return

    def no_session() -> NoReturn:
        raise AssertionError("a world that is only looked at pushes nothing")

    try:
        checked = asyncio.run(read(load(options.file), World(Settings(), no_session)))
    except ScenarioError as error:
        raise _wrong_scenario(error, 1) from None
    print(f"{options.file} fits: {checked.summary()}")


# --- commands that talk to a server


def health(options: argparse.Namespace) -> None:
    from time import monotonic, sleep  # real time: how long a person or a container waits

    from mockvod.testing.shapes import MockVodError

    give_up = monotonic() + (options.timeout if options.wait else 0.0)
    while True:
        try:
            with _client(options) as client:
                client.ready()
        except MockVodError as error:
            problem = f"the server at {options.url} is starting or stopping" if error.status == 503 else str(error)
        else:
            print("ready")
            return
        if monotonic() >= give_up:
            raise _Failure(problem)
        sleep(0.05)


def emit(options: argparse.Namespace) -> None:
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
        "event_type": options.type,
        "set": dict(options.set) if options.set else None,
    }
    _show_events(options, _ask(options, lambda client: client.emit(**wishes)))


def _event_file(path: str) -> Any:
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
        return json.loads(text)
    except OSError as error:
        raise _Failure(f"cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise _Failure(f"{path} is not JSON: {error}") from None


def events(options: argparse.Namespace) -> None:
    if options.id:
        event = _ask(options, lambda client: client.event(options.id))
        _show(options, event, [str(event)])
        return
    found = _ask(
        options,
        lambda client: client.events(
            state=options.state, task_id=options.task, file_id=options.file, event_type=options.type
        ),
    )
    _show_events(options, found)
    if not found:
        print("no event fits; `mockvod emit` makes one", file=sys.stderr)


def redeliver(options: argparse.Namespace) -> None:
    event = _ask(options, lambda client: client.redeliver(options.id))
    _show(options, event, [_line(event)])


def wait(options: argparse.Namespace) -> None:
    if bool(options.state) == options.settled:
        raise _Failure("say which state to wait for (mockvod wait confirmed), or --settled", code=2)
    if options.settled:
        _ask(options, lambda client: client.wait_until_settled(timeout=options.timeout))
        _show_events(options, [])
        return
    found = _ask(
        options,
        lambda client: client.wait_for(
            options.state.split(","),
            count=options.count,
            timeout=options.timeout,
            event_id=options.id,
            task_id=options.task,
            file_id=options.file,
            event_type=options.type,
        ),
    )
    _show_events(options, found)


def clock(options: argparse.Namespace) -> None:
    amount = options.amount
    moves: Mapping[str, Callable[[Client], ClockState]] = {
        "show": lambda client: client.clock(),
        "freeze": lambda client: client.clock.freeze(),
        "release": lambda client: client.clock.release(),
        "advance": lambda client: client.clock.advance(amount),
        "scale": lambda client: client.clock.scale(amount),
    }
    if (amount is None) == (options.do in {"advance", "scale"}):
        wanted = "needs an amount, such as" if amount is None else "takes no amount, other than"
        raise _Failure(f"clock {options.do} {wanted} clock advance 31s", code=2)
    state = _ask(options, moves[options.do])
    pace = "frozen" if state.frozen else f"running at {state.rate:g} ×"
    happened = [f"  {_date(entry['at'])}  {entry['event'] or '':<10}  {entry['what']}" for entry in state.happened]
    waiting = [f"  in {one['within']:g} s: {one['what']}" for one in state.waiting[:10]]
    _show(options, state, [f"{_date(state.now)}  {pace}", *happened, *waiting])


def doctor(options: argparse.Namespace) -> None:
    from dataclasses import asdict

    from mockvod.testing.shapes import Diagnosis, Unreachable

    seen = _probed(options.callback_url) if options.callback_url else None
    try:
        with _client(options) as client:
            found = client.diagnosis(probe=options.from_server)
    except Unreachable as error:
        if seen is None:
            raise _Failure(str(error)) from None
        print(f"mockvod: only the address was looked at: {error}", file=sys.stderr)
        found = Diagnosis([])
    seen = seen or found.probe
    causes = [asdict(one) for one in found.findings]
    _show(options, {"findings": causes, "probe": seen}, [*_probe_lines(seen), str(found)])
    if causes or (seen is not None and not seen["ok"]):
        sys.stdout.flush()
        sys.exit(1)


def _probed(url: str) -> dict[str, Any]:
    import asyncio

    from mockvod.http.control.probe import probe

    try:
        return asyncio.run(probe(url)).as_json()
    except ValueError as error:
        raise _Failure(str(error), code=2) from None


def _probe_lines(seen: Mapping[str, Any] | None) -> Iterable[str]:
    if seen is None:
        return
    for one in seen["addresses"]:
        yield f"{one['address']} ({one['family']}): {one['outcome']}, {one['seconds']:.3f} s"
    within = "" if seen["seconds"] is None else f", {seen['seconds']:.3f} s"
    yield f"{seen['url']}: {seen['words']}{within}"


def reset(options: argparse.Namespace) -> None:
    discarded = _ask(options, lambda client: client.reset())
    words = ", ".join(f"{count} {what}" for what, count in discarded.items())
    _show(options, discarded, [f"thrown away: {words}"])


def accounts(options: argparse.Namespace) -> None:
    if options.do == "make":
        found = [_ask(options, lambda client: client.make_account(secret_id=options.name, seed=options.seed))]
    elif options.do == "delete":
        if not options.name:
            raise _Failure("say which account to delete: mockvod accounts delete SECRET_ID", code=2)
        found = [_ask(options, lambda client: client.delete_account(options.name))]
    else:
        found = _ask(options, lambda client: client.accounts())
    lines = []
    for one in found:
        of_account = (one.secret_id or "(any SecretId)", one.secret_key, f"SubAppId {one.sub_app_id or 'any'}")
        lines.append("  ".join(filter(None, (*of_account, f"{one.events} events"))))
    _show(options, found, lines)


def tail(options: argparse.Namespace) -> None:
    from mockvod.testing.shapes import MockVodError
    from mockvod.testing.tail import follow

    colour = sys.stdout.isatty() and not options.json and "NO_COLOR" not in os.environ
    try:
        with _client(options) as client:
            for line in follow(client, as_json=options.json, colour=colour, from_start=options.all):
                print(line, flush=True)
    except MockVodError as error:
        raise _Failure(str(error)) from None
    print("mockvod: the server, or the account, has ended", file=sys.stderr)


def _client(options: argparse.Namespace) -> "Client":
    from mockvod.testing.client import Client

    return Client(options.url, secret_id=options.secret_id, sub_app_id=options.sub_app_id)


def _ask(options: argparse.Namespace, question: Callable[["Client"], Any]) -> Any:
    from mockvod.testing.shapes import MockVodError

    try:
        with _client(options) as client:
            return question(client)
    except MockVodError as error:
        raise _Failure(str(error)) from None


def _show(options: argparse.Namespace, value: Any, lines: Iterable[str]) -> None:
    """Print *value* as JSON where that is asked for, else *lines*."""
    if options.json:
        from dataclasses import asdict

        print(json.dumps(value, default=asdict))
        return
    for line in lines:
        print(line)


def _show_events(options: argparse.Namespace, found: Sequence["Event"]) -> None:
    """What lists know of events; the JSON has no empty timeline where none was asked for."""
    from dataclasses import asdict

    unknown = {"timeline", "attempts", "content"}
    rows = [{name: value for name, value in asdict(event).items() if name not in unknown} for event in found]
    _show(options, rows, map(_line, found))


def _line(event: "Event") -> str:
    return f"{event.id}  {event.state:<10}  {event.event_type}  {event.task_id or ''}".rstrip()


def _date(epoch: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


COMMANDS: Final[Mapping[str, Callable[[argparse.Namespace], None]]] = {
    "serve": serve,
    "demo": demo,
    "config": config,
    "health": health,
    "emit": emit,
    "events": events,
    "redeliver": redeliver,
    "wait": wait,
    "tail": tail,
    "clock": clock,
    "doctor": doctor,
    "reset": reset,
    "accounts": accounts,
    "scenario": scenario,
}
