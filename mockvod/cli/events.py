"""Commands about events."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mockvod.cli.command import (
    ALL_APPLICATIONS,
    JSON,
    SCOPE,
    Failure,
    Options,
    choice,
    command,
    duration,
    number,
    numbers,
    option,
    pair,
)
from mockvod.cli.connection import arguments, ask, client, console_link
from mockvod.cli.output import COLOURS, event_line, in_colour, plural, progress, say, show, show_events
from mockvod.testing.client import Client
from mockvod.testing.shapes import STATES, TERMINAL, Event
from mockvod.testing.tail import follow, readable

TITLE = "Events"

states = choice(*STATES, several=True)
FILTERS = (
    option("--task", dest="task_id", metavar="TASK_ID", help="TaskId"),
    option("--file", dest="file_id", metavar="FILE_ID", help="FileId"),
    option("--type", dest="event_type", metavar="EVENT_TYPE", help="EventType"),
)


def _json_file(path: str) -> Any:
    try:
        raw = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return json.loads(raw.decode("utf-8-sig"))
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise Failure(f"{path} is not valid JSON: {error}") from None


@command(
    "emit",
    "Emit events.",
    SCOPE,
    option("--count", type=number, metavar="N", help="how many (default 1)"),
    option("--file", dest="file_id", metavar="FILE_ID", help="FileId of the media"),
    option("--task", dest="task_id", metavar="TASK_ID", help="TaskId"),
    option(
        "--offsets",
        dest="time_offsets",
        type=numbers,
        metavar="MS,MS",
        help="time offsets of the snapshots, in milliseconds",
    ),
    option("--failed", type=numbers, metavar="MS,MS", help="those of the offsets that fail"),
    option("--err-code", type=number, metavar="N", help="ErrCode of the failed ones"),
    option("--definition", type=number, metavar="N", help="template of the snapshots (default 10)"),
    option("--event", type=_json_file, metavar="PATH", help="a whole EventContent in JSON; - for standard input"),
    option("--type", dest="event_type", metavar="EVENT_TYPE", help="the documented example of an event type"),
    option(
        "--set",
        type=pair,
        action="append",
        metavar="PATH=VALUE",
        help="change the example, such as FileUploadEvent.FileId=1; may be repeated",
    ),
    option("--delay", type=duration, metavar="SECONDS", help="emit later, on the account's clock"),
    option("--wait", type=states, metavar="STATE,STATE", help="wait until each event has reached one of these states"),
    option("--timeout", type=duration, default=5.0, metavar="SECONDS", help="the limit for --wait (default 5)"),
    JSON,
)
def emit(options: Options) -> None:
    options.set = dict(options.set) if options.set else None
    with client(options) as connected:
        events = connected.emit(**arguments(options, connected.emit))
        if options.wait:
            with progress(f"waiting for {options.wait} …"):
                events = [_waited_for(connected, options, event.id) for event in events]
        show_events(options, events)
        _say_where(options, connected, events[0].id if len(events) == 1 else "")


def _waited_for(connected: Client, options: Options, event_id: str) -> Event:
    """The event once it was in one of the states to wait for. Raises WaitTimeout: at once if it ends in another."""
    connected.wait_for([*options.wait.split(","), *TERMINAL], event_id=event_id, timeout=options.timeout)
    [event] = connected.wait_for(options.wait, event_id=event_id, timeout=0)
    return event


def _say_where(options: Options, connected: Client, event_id: str = "") -> None:
    """Print the console's link to this event, or to the list, beside the data."""
    if not options.json and (link := console_link(connected, event_id)):
        say(f"console: {link}")


@command(
    "events",
    "List events, the newest last, or show one with its timeline.",
    ALL_APPLICATIONS,
    option("id", nargs="?", metavar="ID", help="show this event with its timeline"),
    option("--body", action="store_true", help="with ID: print the EventContent that is sent"),
    option("--state", type=states, metavar="STATE,STATE", help="such as queued,leased"),
    FILTERS,
    option("--limit", type=number, metavar="N", help="only the newest N"),
    option("--watch", action="store_true", help="then show each event whose state changes, until Ctrl-C"),
    JSON,
)
def events(options: Options) -> None:
    if options.id:
        with client(options) as connected:
            event = connected.event(options.id)
            if options.body:
                print(json.dumps(event.content, indent=2, ensure_ascii=False))
            else:
                show(options, event, [str(event)])
                _say_where(options, connected, event.id)
        return
    if options.body:
        raise Failure("--body needs the ID of an event", 2)
    with client(options) as connected:
        since = connected.journal_end()
        found = connected.events(**arguments(options, connected.events))
        if found:
            _say_where(options, connected)
        if options.watch:
            _watch(options, connected, found, since)
            return
    show_events(options, found)
    if not found and not options.json:
        say("no events match; `mockvod emit` makes one")


def _watch(options: Options, connected: Client, found: list[Event], since: int) -> None:
    def matching() -> Iterator[Event]:
        yield from found
        wanted = (options.task_id, options.file_id, options.event_type)
        for entry in follow(connected, since):
            if entry.get("event") and entry["what"] in STATES:
                event = connected.event(entry["event"])
                about = (event.task_id, event.file_id, event.event_type)
                if all(one in {None, value} for one, value in zip(wanted, about, strict=True)) and (
                    not options.state or event.state in options.state.split(",")
                ):
                    yield event

    for event in matching():
        if options.json:
            show_events(options, [event])
        else:
            print(event_line(event))
        sys.stdout.flush()
    say("the server has stopped, or the account was deleted")


@command("redeliver", "Deliver an event again.", ALL_APPLICATIONS, option("id", metavar="ID", help="its id"), JSON)
def redeliver(options: Options) -> None:
    event = ask(options, lambda connected: connected.redeliver(options.id))
    show(options, event, [event_line(event)])


@command(
    "wait",
    "Wait until events have reached a state: exit code 0, or 1 with the reason.",
    ALL_APPLICATIONS,
    option("state", nargs="?", type=states, metavar="STATE,STATE", help="such as confirmed, or delivered,failed"),
    option("--settled", action="store_true", help="wait until nothing more happens by itself"),
    option("--count", type=number, default=1, metavar="N", help="how many events (default 1)"),
    option("--id", dest="event_id", metavar="ID", help="one event"),
    FILTERS,
    option(
        "--since",
        metavar="now|ID|N",
        help="only what happens from now on, after this event was emitted, or after entry N of the journal "
        "(default: everything since the account was made or reset)",
    ),
    option("--timeout", type=duration, default=5.0, metavar="SECONDS", help="give up after this time (default 5)"),
    JSON,
)
def wait(options: Options) -> None:
    if bool(options.state) == options.settled:
        raise Failure("give the state to wait for, such as `mockvod wait confirmed`, or --settled", 2)
    with client(options) as connected, progress(f"waiting for {options.state or 'events to settle'} …"):
        if options.settled:
            connected.wait_until_settled(timeout=options.timeout)
            found = []
        else:
            options.since = _since(connected, options.since)
            found = connected.wait_for(**arguments(options, connected.wait_for))
    show_events(options, found)
    if not options.json:
        say("settled" if options.settled else f"{plural(len(found), 'event')} reached {options.state}")


def _since(connected: Client, text: str | None) -> int:
    if text is None:
        return 0
    if text.lower() == "now":
        return connected.journal_end()
    if text.isdecimal():
        return int(text)
    first: int = connected.event(text).timeline[0]["seq"]
    return first


@command(
    "tail",
    "Show journal entries as they are written, until Ctrl-C.",
    ALL_APPLICATIONS,
    option("--all", action="store_true", help="start with the entries written so far"),
    option("--json", action="store_true", help="print one JSON object per line"),
)
def tail(options: Options) -> None:
    with client(options) as connected:
        for entry in follow(connected, 0 if options.all else connected.journal_end()):
            line = json.dumps(entry) if options.json else readable(entry)
            colour = COLOURS.get(entry.get("what", "")) if not options.json and in_colour(sys.stdout) else None
            print(f"\x1b[{colour}m{line}\x1b[0m" if colour else line, flush=True)
    say("the server has stopped, or the account was deleted")
