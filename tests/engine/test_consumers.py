"""The callers of the vendor's APIs, as far as they are remembered."""

import logging
from collections import Counter
from collections.abc import Callable

import pytest

from mockvod.engine import consumers
from mockvod.engine.clock import Clock
from mockvod.engine.consumers import CALLER, Caller, Poll, Pulls, Refusals


@pytest.fixture
async def clock() -> Clock:
    return Clock()


@pytest.fixture
async def pulls(clock: Clock) -> Pulls:
    return Pulls(clock, Counter())


def begin(pulls: Pulls, caller: Caller) -> Poll:
    token = CALLER.set(caller)
    try:
        return pulls.begin()
    finally:
        CALLER.reset(token)


def test_a_caller_is_described_by_what_is_known() -> None:
    assert str(Caller()) == "a client without a User-Agent at an unknown address, API 3.0, unsigned"
    assert str(Caller("AKID1", "curl/8", "::1", "2.0")) == "curl/8 at ::1, API 2.0, signed by AKID1"


async def test_a_poll_that_was_closed_counts_as_retried_once_the_client_polls_again(pulls: Pulls) -> None:
    pulls.begin().hung_up(5)
    [puller] = pulls.pullers()
    assert (puller.hung_up, puller.retried) == (1, 0)
    pulls.begin()
    assert (puller.hung_up, puller.retried, puller.pulls) == (1, 1, 2)


async def test_a_poll_that_was_closed_after_its_hold_does_not_count(pulls: Pulls) -> None:
    pulls.begin().hung_up(-1)
    pulls.begin()
    assert pulls.pullers()[0].retried == 0


async def test_invalid_bytes_and_long_texts_of_a_caller_are_made_printable(pulls: Pulls) -> None:
    for _ in range(2):
        begin(pulls, Caller(user_agent="\udcff" + 1000 * "x"))
    [puller] = pulls.pullers()
    assert puller.caller.user_agent == "\\udcff" + 199 * "x"
    assert puller.pulls == 2


async def test_the_number_of_callers_is_bounded(pulls: Pulls) -> None:
    for number in range(300):
        begin(pulls, Caller(address=str(number)))
    assert len(pulls.pullers()) == 200
    assert "299" in {one.caller.address for one in pulls.pullers()}


# --- blocked polls


@pytest.fixture
def pass_two_seconds(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Fires the timers that look for blocked polls, which have waited long enough."""
    timers: list[Callable[[], None]] = []
    monkeypatch.setattr(consumers, "call_in_real_time", lambda _, call: timers.append(call))
    monkeypatch.setattr(consumers, "BLOCKED_SECONDS", 0)

    def fire() -> None:
        for call in [*timers]:
            timers.remove(call)
            call()

    return fire


@pytest.mark.parametrize("frozen_first", [True, False])
async def test_a_poll_that_a_frozen_clock_blocks_is_logged_once(
    pulls: Pulls,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    pass_two_seconds: Callable[[], None],
    frozen_first: bool,
) -> None:
    if frozen_first:
        await clock.freeze()
    for _ in range(3):
        pulls.begin()
    await clock.freeze()
    for _ in range(2):
        pass_two_seconds()
    assert pulls.pullers()[0].blocked == 3
    [record] = caplog.records
    assert (record.levelno, "the clock is frozen" in record.message) == (logging.WARNING, True)


async def test_a_poll_on_a_running_clock_is_blocked_once_the_clock_is_frozen(
    pulls: Pulls, clock: Clock, pass_two_seconds: Callable[[], None]
) -> None:
    pulls.begin()
    pass_two_seconds()
    assert pulls.pullers()[0].blocked == 0
    await clock.freeze()
    pass_two_seconds()
    assert pulls.pullers()[0].blocked == 1


async def test_a_poll_that_has_ended_is_not_blocked(
    pulls: Pulls, clock: Clock, pass_two_seconds: Callable[[], None]
) -> None:
    await clock.freeze()
    pulls.end(pulls.begin())
    pass_two_seconds()
    assert pulls.pullers()[0].blocked == 0


# --- refused calls


def test_refused_calls_are_grouped_by_caller_action_and_code() -> None:
    refusals = Refusals()
    for message in ("first", "second"):
        refusals.note("call", Caller("AKID1"), "PullEvents", "InternalError", message)
    refusals.note("call", Caller("AKID2"), "PullEvents", "InternalError", "third")
    rows = {(one.caller.secret_id, one.count, one.message) for one in refusals.since(0)}
    assert rows == {("AKID1", 2, "second"), ("AKID2", 1, "third")}
    assert refusals.since(refusals.since(0)[0].last_seen + 1) == []


def test_the_number_of_refused_calls_is_bounded() -> None:
    refusals = Refusals()
    for number in range(300):
        refusals.note("call", Caller(), f"Action{number}" + 1000 * "x", "InvalidAction", 1000 * "y")
    rows = refusals.since(0)
    assert len(rows) == 200
    assert max(len(one.action) + len(one.message) for one in rows) == 400
