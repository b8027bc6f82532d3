"""Calls that show and move an account's clock."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from mockvod.engine.clock import Move
from mockvod.http.control.contract import LATEST, Due, ExactlyOne, Response, TimelineEntry, due, entry_view
from mockvod.http.control.request import ControlError, ControlRequest, Routes
from mockvod.service.life import Life
from mockvod.settings import Seconds

ROUTES: Final = Routes()

MOST_HAPPENED: Final = 1000


class ClockChange(ExactlyOne):
    """Exactly one of these."""

    freeze: Literal[True] | None = Field(None, description="Stop the clock.")
    advance: Seconds | None = Field(None, description="Advance by seconds, through every due moment, and settle.")
    set: Annotated[float, Field(ge=0, le=LATEST, allow_inf_nan=False)] | None = Field(
        None, description="Set the time (seconds since 1970): forward as advance does, backward at once."
    )
    scale: Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False)] | None = Field(
        None, description="Run this many times as fast as real time."
    )
    release: Literal[True] | None = Field(None, description="Return to real time.")


class ClockView(Response):
    now: float = Field(description="Seconds since 1970 on this clock.")
    rate: float = Field(description="Seconds on this clock per real second; 0 when frozen.")
    frozen: bool
    waiting: list[Due] = Field(description="What is due later, the next first; at most 100.")
    hint: str | None = Field(description="What a frozen clock is holding up, if anything.")


class ClockMoved(ClockView):
    fired: int = Field(description="How many timers fired.")
    completed: bool = Field(description="Whether the clock came as far as it should. If not, move it again.")
    reason: str | None = Field(description="Why the move was not completed.")
    happened: list[TimelineEntry] = Field(description=f"Journal entries of the move; at most {MOST_HAPPENED:,}.")
    happened_more: bool = Field(description="Whether there were more; they are in the journal.")


@ROUTES.add("GET", "/clock", "Show the account's time, and what is due.")
async def get_clock(request: ControlRequest) -> ClockView:
    return ClockView(**_facts(request.life))


@ROUTES.add(
    "POST",
    "/clock",
    "Freeze, advance, set, scale or release the clock; returns what happened meanwhile.",
    errors=(409, 503),
)
async def move_clock(request: ControlRequest, change: ClockChange) -> ClockMoved:
    return await request.life.unless_ended(_move(request.life, change))


async def _move(life: Life, change: ClockChange) -> ClockMoved:
    clock = life.clock
    before = life.journal.note("clock", detail=change.model_dump(exclude_unset=True)).seq
    move = Move(clock.epoch(), 0, completed=True)
    try:
        if change.freeze is not None:
            await clock.freeze()
        elif change.advance is not None:
            move = await clock.advance(change.advance)
        elif change.set is not None:
            move = await clock.set(change.set)
        elif change.scale is not None:
            await clock.scale(change.scale)
        else:
            await clock.release()
    except ValueError as error:
        [name] = change.model_fields_set
        raise ControlError(400, "bad_value", f"{name}: {error}", name) from None
    happened = [entry_view(entry) for entry in life.journal.since(before, MOST_HAPPENED + 1)]
    more = len(happened) > MOST_HAPPENED
    return ClockMoved(
        **_facts(life),
        fired=move.fired,
        completed=move.completed,
        reason=move.reason or None,
        happened=happened[:MOST_HAPPENED],
        happened_more=more,
    )


def _facts(life: Life) -> dict[str, Any]:
    clock = life.clock
    waiting = due(life, 100)
    hint = None
    if clock.rate == 0 and waiting:
        hint = (
            f"the clock is frozen; {clock.pending} pending, first: {waiting[0].what}, due in "
            f"{waiting[0].within:g} s: advance the clock by as many seconds, or release it"
        )
    return {"now": clock.epoch(), "rate": clock.rate, "frozen": clock.rate == 0, "waiting": waiting, "hint": hint}
