"""What commands print: data on standard output, everything else on standard error."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TextIO

from mockvod.cli.command import Options

if TYPE_CHECKING:  # the shapes take 8 ms, which `serve` does not pay
    from mockvod.testing.shapes import Event

GREEN: Final = 32
RED: Final = 31
YELLOW: Final = 33
CYAN: Final = 36
COLOURS: Final[Mapping[str, int]] = {
    **dict.fromkeys(("confirmed", "delivered"), GREEN),
    **dict.fromkeys(("failed", "expired", "dropped"), RED),
    **dict.fromkeys(("attempt", "lease_ended", "leased"), YELLOW),
    **dict.fromkeys(("queued", "delivering", "scheduled"), CYAN),
}
"""The colour of a state, or of what a journal entry says."""


def show(options: Options, value: Any, lines: Iterable[str]) -> None:
    """Print *value* as JSON with --json, else *lines*."""
    if options.json:
        print(json.dumps(value, default=asdict))
        return
    for line in lines:
        print(line)


def printable(text: str) -> str:
    """*text* with its control characters as escapes, so that it cannot change the terminal."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def show_events(options: Options, events: Sequence["Event"]) -> None:
    """Print a list of events; their JSON leaves out what lists do not contain."""
    details = {"timeline", "attempts", "content"}
    rows = [{name: value for name, value in asdict(event).items() if name not in details} for event in events]
    show(options, rows, map(event_line, events))


def event_line(event: "Event") -> str:
    application = "default" if event.sub_app_id is None else str(event.sub_app_id)
    state = paint(f"{event.state:<10}", COLOURS.get(event.state))
    return f"{event.id}  {state}  {application:<10}  {event.event_type}  {event.task_id or ''}".rstrip()


def say(text: str) -> None:
    """Print what is not data."""
    print(f"mockvod: {text}", file=sys.stderr)


def paint(text: str, colour: int | None) -> str:
    """*text* in *colour* if standard output is a terminal that shows colours."""
    return f"\x1b[{colour}m{text}\x1b[0m" if colour and in_colour(sys.stdout) else text


def in_colour(stream: TextIO) -> bool:
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


@contextmanager
def progress(text: str) -> Iterator[None]:
    """While the block runs, show *text* if standard error is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    print(text, end="", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def date(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def plural(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """*rows* as lines whose columns are aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
