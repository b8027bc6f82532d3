"""Commands that show and move an account's clock."""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime

from mockvod.cli.command import ACCOUNT_OPTIONS, JSON, Failure, Options, command, duration, option
from mockvod.cli.connection import ask
from mockvod.cli.output import date, show
from mockvod.testing.client import Client
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


@command("clock", "Show the clock of an account, and what is due.", ACCOUNT_OPTIONS, JSON)
def clock(options: Options) -> None:
    _show(options, lambda client: client.clock())


@command("clock freeze", "Stop the clock.", ACCOUNT_OPTIONS, JSON)
def freeze(options: Options) -> None:
    _show(options, lambda client: client.clock.freeze())


@command(
    "clock advance",
    "Move the clock forward through everything that is due, and show what happened.",
    ACCOUNT_OPTIONS,
    option("seconds", type=duration, metavar="DURATION", help="seconds, or a duration such as 31s, 5m, 4d"),
    JSON,
)
def advance(options: Options) -> None:
    _show(options, lambda client: client.clock.advance(options.seconds))


@command(
    "clock set",
    "Set the clock: forward through everything that is due, backward at once.",
    ACCOUNT_OPTIONS,
    option("moment", type=_moment, metavar="TIME", help="seconds since 1970, or an ISO 8601 date (default zone: UTC)"),
    JSON,
)
def set_clock(options: Options) -> None:
    _show(options, lambda client: client.clock.set(options.moment))


@command(
    "clock scale",
    "Run the clock faster or slower than real time.",
    ACCOUNT_OPTIONS,
    option("rate", type=_rate, metavar="RATE", help="seconds of the clock in a real second, such as 60"),
    JSON,
)
def scale(options: Options) -> None:
    _show(options, lambda client: client.clock.scale(options.rate))


@command("clock release", "Return to real time.", ACCOUNT_OPTIONS, JSON)
def release(options: Options) -> None:
    _show(options, lambda client: client.clock.release())


def _show(options: Options, call: Callable[[Client], ClockState]) -> None:
    state = ask(options, call)
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
