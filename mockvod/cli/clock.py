"""Commands that show and move an account's clock."""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime

from mockvod.cli.command import ACCOUNT_OPTIONS, JSON, Command, Failure, Option, Options, command, duration, option
from mockvod.cli.connection import ask
from mockvod.cli.output import date, show
from mockvod.testing.client import Clock
from mockvod.testing.shapes import ClockState

TITLE = "Clock"

MOST_SHOWN = 10
"""Lines about what is due."""


def _moment(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text!r} must be seconds since 1970, or a date such as 2030-01-31T12:00:00"
        raise argparse.ArgumentTypeError(message) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _rate(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} must be a number, such as 60") from None


def _clock(name: str, text: str, call: Callable[[Clock, Options], ClockState], *options: Option) -> Command:
    """A command that makes one call and shows the clock after it."""
    return command(name, text, ACCOUNT_OPTIONS, options, JSON)(lambda given: _show(given, call))


clock = _clock("clock", "Show the clock of an account, and what is due.", lambda clock, _: clock())
freeze = _clock("clock freeze", "Stop the clock.", lambda clock, _: clock.freeze())
advance = _clock(
    "clock advance",
    "Move the clock forward through everything that is due, and show what happened.",
    lambda clock, given: clock.advance(given.seconds),
    option("seconds", type=duration, metavar="DURATION", help="seconds, or a duration such as 31s, 5m, 4d"),
)
set_clock = _clock(
    "clock set",
    "Set the clock: forward through everything that is due, backward at once.",
    lambda clock, given: clock.set(given.moment),
    option("moment", type=_moment, metavar="TIME", help="seconds since 1970, or an ISO 8601 date (default zone: UTC)"),
)
scale = _clock(
    "clock scale",
    "Run the clock faster or slower than real time.",
    lambda clock, given: clock.scale(given.rate),
    option("rate", type=_rate, metavar="RATE", help="seconds of the clock in a real second, such as 60"),
)
release = _clock("clock release", "Return to real time.", lambda clock, _: clock.release())


def _show(options: Options, call: Callable[[Clock, Options], ClockState]) -> None:
    state = ask(options, lambda client: call(client.clock, options))
    pace = "frozen" if state.frozen else f"running at {state.rate:g} ×"
    happened = [f"  {date(entry['at'])}  {entry.get('event') or '':<10}  {entry['what']}" for entry in state.happened]
    due = [f"  in {one['within']:g} s: {one['what']}" for one in state.waiting[:MOST_SHOWN]]
    if state.happened_more:
        happened.append("  … and more; see `mockvod tail --all`")
    if len(state.waiting) > MOST_SHOWN:
        due.append(f"  … and {len(state.waiting) - MOST_SHOWN} more")
    show(options, state, [f"{date(state.now)}  {pace}", *happened, *due])
    if not state.completed:
        raise Failure(f"the move was not completed: {state.reason}")
