"""The queue: leases and their ends, held polls, confirming, retention."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest

from mockvod.engine import queue as reliable
from mockvod.engine.clock import Clock
from mockvod.engine.events import Event, Events
from mockvod.engine.journal import Journal
from mockvod.engine.lifetime import LifeEnded
from mockvod.engine.queue import EventQueue, Leases, Outcome
from mockvod.settings import AccountSettings
from tests.clocks import System
from tests.limits import journal_limits

DAY = 86400.0
FOREVER = 10 * DAY

CONFIRMED, REPEATED, UNKNOWN = Outcome.CONFIRMED, Outcome.REPEATED, Outcome.UNKNOWN


class Bench:
    """A queue on a frozen clock, with settings that can be changed."""

    def __init__(self, seed: int = 7) -> None:
        self.clock = Clock()
        self.settings = AccountSettings()
        self.journal = Journal(self.clock, lambda: journal_limits(1000))
        self.events = Events(self.journal, lambda: self.settings)
        self.queue = EventQueue("the queue", self.clock, self.events, lambda: self.settings, Random(seed))

    def change(self, **changes: Any) -> None:
        self.settings = self.settings.changed(changes)
        self.queue.reschedule()

    def put(self, count: int = 1) -> list[Event]:
        events = [self.events.create(None, "CreateSnapshotByTimeOffsetComplete", b"}") for _ in range(count)]
        for event in events:
            self.queue.put(event)
        return events

    async def pull(self, limit: int = 16, *, hold: float = 0.0) -> Leases:
        with self.clock.busy():
            return await self.queue.pull(limit, hold=hold)

    async def poll(self, hold: float = 5.0) -> asyncio.Task[Leases]:
        """A pull that has begun; held, if there was nothing."""
        poll = asyncio.create_task(self.pull(hold=hold))
        await self.clock.settle()
        return poll

    async def handles(self, limit: int = 16) -> list[str]:
        return [leased.handle for leased in await self.pull(limit)]

    @property
    def idle(self) -> bool:
        """Whether the clock waits for nobody."""
        return self.clock._busy == 0


@pytest.fixture
async def bench() -> Bench:
    bench = Bench()
    await bench.clock.freeze()
    return bench


def events_of(batch: Leases) -> list[Event]:
    return [leased.event for leased in batch]


def story(event: Event) -> list[str]:
    return [entry.what for entry in event.timeline()]


# Leasing


async def test_a_pull_gets_at_most_its_limit_oldest_first(bench: Bench) -> None:
    events = bench.put(40)
    assert events_of(await bench.pull()) == events[:16]
    assert events_of(await bench.pull()) == events[16:32]
    assert events_of(await bench.pull()) == events[32:]
    assert not await bench.pull()


async def test_events_whose_lease_ended_are_pulled_oldest_first_before_younger_ones(bench: Bench) -> None:
    old = bench.put(5)
    first = await bench.pull(3)
    await bench.clock.advance(1)
    bench.queue.confirm([first.handles[1]])
    second = await bench.pull(1)
    young = bench.put(2)
    assert events_of(second) == [old[3]]
    await bench.clock.advance(30)
    assert events_of(await bench.pull(3)) == [old[0], old[2], old[3]]
    assert events_of(await bench.pull()) == [old[4], *young]


async def test_a_redelivered_event_is_last_in_the_queue(bench: Bench) -> None:
    first, second = bench.put(2)
    [leased] = await bench.pull(1)
    bench.queue.confirm([leased.handle])
    bench.queue.put(first, {"redelivery": True})
    assert events_of(await bench.pull()) == [second, first]
    assert story(first) == ["queued", "leased", "confirmed", "queued", "leased"]


async def test_pulls_at_the_same_time_get_different_events(bench: Bench) -> None:
    events = bench.put(50)
    batches = await asyncio.gather(*(bench.pull() for _ in range(4)))
    pulled = [event for batch in batches for event in events_of(batch)]
    assert sorted(event.number for event in pulled) == [event.number for event in events]


async def test_an_event_has_a_fresh_handle_at_each_lease(bench: Bench) -> None:
    [event] = bench.put()
    handles = []
    for _ in range(5):
        [leased] = await bench.pull()
        assert leased.event is event
        handles.append(leased.handle)
        await bench.clock.advance(30)
    assert len(set(handles)) == 5


async def test_a_handle_has_eighteen_digits(bench: Bench) -> None:
    bench.put(16)
    for handle in await bench.handles():
        assert handle.isascii()
        assert handle.isdigit()
        assert len(handle) == 18


def test_every_place_of_a_pull_fits_into_a_handle() -> None:
    most = next(one.le for one in AccountSettings.model_fields["pull_limit"].metadata if hasattr(one, "le"))
    assert most <= len(reliable._PLACES)


async def test_a_text_that_only_looks_like_a_handle_is_unknown(bench: Bench) -> None:
    bench.put(3)
    first, second = await bench.handles(2)
    number = int(first)
    strangers = [
        f" {first}", f"{first} ", f"0{first}", f"+{first}", f"{first}.0", f"{number:_}", first[:-1], "", "-1", "x" * 18,
        first.replace(first[-1], "١"), str(number + 1), str(number - 1), str(number + 20), str(number + 100),
        str(number + 10**4), str(number + 10**8), str(int(float(first))),
        f"{first[:14]}٠٠٠{first[17:]}", f"{first[:14]}²²²{first[17:]}",
        first[:10],
        f"{first[:14]}9991", f"{first[:14]}0x1{first[17:]}", f"{first[:10]}-001", "9" * 400,
    ]  # fmt: skip
    assert bench.queue.confirm(strangers) == [UNKNOWN] * len(strangers)
    assert [bench.queue.event_of(one) for one in strangers] == [None] * len(strangers)
    assert bench.queue.leased == 2
    assert bench.queue.confirm([second, first]) == [CONFIRMED, CONFIRMED]


async def test_every_place_of_a_large_pull_is_found(bench: Bench) -> None:
    bench.change(pull_limit=1000)
    events = bench.put(1000)
    handles = await bench.handles(1000)
    assert [bench.queue.event_of(handle) for handle in handles] == events
    assert bench.queue.confirm(handles[::-1]) == [CONFIRMED] * 1000


@pytest.mark.parametrize("taken", [slice(None), slice(None, None, -1), slice(1, None), slice(0, 2), slice(2, 3)])
async def test_handles_of_several_pulls_are_confirmed_in_any_order_and_number(bench: Bench, taken: slice) -> None:
    events = bench.put(6)
    handles = [*await bench.handles(3), *await bench.handles(3)][taken]
    assert bench.queue.confirm(handles) == [CONFIRMED] * len(handles)
    assert [event for event in events if event.state == "confirmed"] == sorted(
        events[taken], key=lambda event: event.number
    )
    assert bench.queue.leased == 6 - len(handles)
    assert bench.queue.confirm(handles) == [REPEATED] * len(handles)


async def test_the_same_seed_gives_the_same_handles() -> None:
    async def handles(seed: int) -> list[str]:
        bench = Bench(seed)
        bench.put(16)
        return await bench.handles()

    assert await handles(1) == await handles(1) != await handles(2)


@pytest.mark.parametrize(("seconds", "visible"), [(29.9, 0), (30.0, 1), (30.1, 1)])
async def test_a_lease_lasts_for_the_visibility_timeout(bench: Bench, seconds: float, visible: int) -> None:
    bench.put()
    [handle] = await bench.handles()
    await bench.clock.advance(seconds)
    assert bench.queue.visible == visible
    assert bench.queue.leased == 1 - visible
    assert bench.queue.confirm([handle]) == [UNKNOWN if visible else CONFIRMED]


async def test_the_end_of_a_lease_is_in_the_timeline_at_its_moment(bench: Bench) -> None:
    [event] = bench.put()
    [handle] = await bench.handles()
    leased_at = bench.clock.epoch()
    await bench.clock.advance(100)
    queued, leased, ended = event.timeline()
    assert (queued.what, leased.what, ended.what) == ("queued", "leased", "lease_ended")
    assert (ended.at, ended.detail) == (leased_at + 30, handle)
    assert event.state == "queued"


async def test_leases_end_by_themselves_on_a_running_clock(bench: Bench) -> None:
    await bench.clock.scale(30 * 1000)
    [event] = bench.put()
    await bench.pull()
    ended = asyncio.Event()
    bench.journal.listen(lambda entry: ended.set() if entry.what == "lease_ended" else None)
    async with asyncio.timeout(5):
        await ended.wait()
    assert event.state == "queued"
    bench.queue.close()


# Held polls


async def test_a_pull_does_not_block_if_there_are_events(bench: Bench) -> None:
    bench.put(2)
    poll = await bench.poll()
    assert len(await poll) == 2


@pytest.mark.parametrize("hold", [0.0, -1.0])
async def test_a_pull_without_a_hold_returns_at_once(bench: Bench, hold: float) -> None:
    assert not await (await bench.poll(hold))


async def test_a_poll_blocks_for_five_seconds(bench: Bench) -> None:
    poll = await bench.poll()
    assert bench.queue.waiting == 1
    await bench.clock.advance(4.9)
    assert not poll.done()
    await bench.clock.advance(0.1)
    assert not poll.result()
    assert bench.queue.waiting == 0


async def test_a_blocked_poll_gets_an_event_when_it_arrives(bench: Bench) -> None:
    poll = await bench.poll()
    await bench.clock.advance(3)
    events = bench.put(2)
    await bench.clock.settle()
    assert events_of(poll.result()) == events


async def test_a_blocked_poll_gets_an_event_when_its_lease_ends(bench: Bench) -> None:
    [event] = bench.put()
    [handle] = await bench.handles()
    await bench.clock.advance(27)
    poll = await bench.poll()
    moment = bench.clock.epoch() + 3
    await bench.clock.advance(60)
    [leased] = poll.result()
    assert leased.event is event
    assert leased.handle != handle
    assert [entry.at for entry in event.timeline()][2:4] == [moment, moment]


async def test_an_event_that_arrives_when_a_hold_ends_is_not_lost(bench: Bench) -> None:
    first = await bench.poll()
    event = bench.events.create(None, "FileUploaded", b"}")
    bench.clock.at(bench.clock.now() + 5, lambda: bench.queue.put(event), "an event")
    second = await bench.poll()
    await bench.clock.advance(5)
    assert len(first.result()) + len(second.result()) == 1
    assert bench.queue.leased == 1


async def test_one_event_wakes_the_poll_that_has_waited_longest(bench: Bench) -> None:
    polls = [await bench.poll() for _ in range(3)]
    for number in range(3):
        bench.put()
        assert bench.queue.waiting == 2 - number
        await bench.clock.settle()
        assert [poll.done() for poll in polls] == [place <= number for place in range(3)]


async def test_each_event_wakes_a_poll_and_a_poll_that_finds_none_keeps_waiting(bench: Bench) -> None:
    polls = [await bench.poll() for _ in range(3)]
    await bench.clock.advance(1)
    bench.put(17)
    await bench.clock.settle()
    assert [len(poll.result()) for poll in polls if poll.done()] == [16, 1]
    assert bench.queue.waiting == 1
    await bench.clock.advance(4)
    assert not polls[2].result()


async def test_a_poll_woken_without_an_event_blocks_until_its_old_deadline(bench: Bench) -> None:
    poll = await bench.poll()
    await bench.clock.advance(2)
    bench.put()
    [other] = await bench.pull()  # comes before the woken poll has its turn
    await bench.clock.advance(2.9)
    assert not poll.done()
    await bench.clock.advance(0.1)
    assert not poll.result()
    assert bench.queue.confirm([other.handle]) == [CONFIRMED]


@pytest.mark.parametrize("limit", [1, 2, 16])
async def test_polls_share_the_events_of_several_leases_that_end_at_once(bench: Bench, limit: int) -> None:
    events = bench.put(4)
    for _ in range(4):
        await bench.pull(limit=1)
    polls = [asyncio.create_task(bench.pull(limit, hold=60)) for _ in range(6)]
    await bench.clock.settle()
    await bench.clock.advance(30)
    done = [poll for poll in polls if poll.done()]
    assert done == polls[: -(-4 // limit)]
    assert [event for poll in done for event in events_of(poll.result())] == events
    assert (bench.queue.waiting, bench.queue.leased) == (6 - len(done), 4)
    # Those that found nothing block until their own end.
    await bench.clock.advance(29)
    assert bench.queue.waiting == 6 - len(done)
    await bench.clock.advance(31)
    assert all(poll.done() for poll in polls)
    assert bench.idle


async def test_a_poll_that_is_cancelled_leases_nothing(bench: Bench) -> None:
    poll = await bench.poll()
    poll.cancel()
    await asyncio.wait([poll])
    bench.put()
    await bench.clock.settle()
    assert (bench.queue.waiting, bench.queue.visible, bench.queue.leased) == (0, 1, 0)
    assert bench.idle


@pytest.mark.parametrize("woken_first", [True, False])
async def test_a_poll_cancelled_when_it_is_woken_passes_the_event_on(bench: Bench, woken_first: bool) -> None:
    gone, next_in_line = await bench.poll(), await bench.poll()
    if woken_first:
        bench.put()
        gone.cancel()
    else:
        gone.cancel()
        bench.put()
    await bench.clock.settle()
    assert gone.cancelled()
    assert len(next_in_line.result()) == 1
    assert bench.idle


# Confirming


async def test_a_confirmed_event_is_never_delivered_again(bench: Bench) -> None:
    [event] = bench.put()
    handles = await bench.handles()
    assert bench.queue.confirm(handles) == [CONFIRMED]
    await bench.clock.advance(FOREVER)
    assert not await bench.pull()
    assert story(event) == ["queued", "leased", "confirmed"]
    assert event.timeline()[-1].detail == handles[0]


async def test_a_handle_can_be_confirmed_again_during_its_visibility_timeout(bench: Bench) -> None:
    [event] = bench.put()
    handles = await bench.handles()
    await bench.clock.advance(29)
    assert bench.queue.confirm(handles) == [CONFIRMED]
    await bench.clock.advance(0.9)
    assert bench.queue.confirm(handles) == [REPEATED]
    await bench.clock.advance(0.1)
    assert bench.queue.confirm(handles) == [UNKNOWN]
    assert story(event).count("confirmed") == 1


async def test_the_order_of_confirming_does_not_prolong_what_may_be_repeated(bench: Bench) -> None:
    bench.put(2)
    [early] = await bench.handles(1)
    await bench.clock.advance(20)
    [late] = await bench.handles(1)
    bench.queue.confirm([late])
    bench.queue.confirm([early])
    await bench.clock.advance(10)
    assert bench.queue.confirm([early, late]) == [UNKNOWN, REPEATED]


async def test_a_repeated_handle_is_refused_if_the_setting_says_so(bench: Bench) -> None:
    bench.change(repeated_confirm="refuse")
    bench.put()
    handles = await bench.handles()
    assert bench.queue.confirm(handles) == [CONFIRMED]
    assert bench.queue.confirm(handles) == [UNKNOWN]


async def test_a_handle_is_refused_once_its_lease_has_ended(bench: Bench) -> None:
    bench.put()
    [old] = await bench.handles()
    await bench.clock.advance(30)
    [new] = await bench.handles()
    assert bench.queue.confirm([old]) == [UNKNOWN]
    assert bench.queue.leased == 1
    assert bench.queue.confirm([new]) == [CONFIRMED]


async def test_beside_a_bad_handle_the_others_are_confirmed(bench: Bench) -> None:
    bench.put(2)
    one, two = await bench.handles()
    assert bench.queue.confirm([one, "EventHandle.N", two]) == [CONFIRMED, UNKNOWN, CONFIRMED]
    assert bench.queue.leased == 0


async def test_beside_a_bad_handle_nothing_is_confirmed_if_the_setting_says_so(bench: Bench) -> None:
    bench.change(bad_handle="refuse")
    bench.put(2)
    one, two = await bench.handles()
    assert bench.queue.confirm([one, "", two]) == [CONFIRMED, UNKNOWN, CONFIRMED]
    assert bench.queue.leased == 2
    assert bench.queue.confirm([one, two]) == [CONFIRMED, CONFIRMED]
    assert bench.queue.leased == 0


@pytest.mark.parametrize("repeated_confirm", ["accept", "refuse"])
@pytest.mark.parametrize("bad_handle", ["skip", "refuse"])
async def test_a_handle_given_twice_in_a_batch_counts_once(
    bench: Bench, repeated_confirm: str, bad_handle: str
) -> None:
    bench.change(repeated_confirm=repeated_confirm, bad_handle=bad_handle)
    [event] = bench.put()
    [handle] = await bench.handles()
    assert bench.queue.confirm([handle, handle]) == [CONFIRMED, CONFIRMED]
    assert story(event) == ["queued", "leased", "confirmed"]


async def test_only_so_many_confirmed_handles_are_remembered(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reliable, "HANDLES_KEPT", 3)
    bench.put(5)
    handles = [leased.handle for _ in range(5) for leased in await bench.pull(limit=1)]
    bench.queue.confirm(handles[1:])
    assert bench.queue.confirm(handles) == [CONFIRMED, UNKNOWN, REPEATED, REPEATED, REPEATED]


async def test_handles_of_a_pull_are_remembered_while_one_of_its_events_is_leased(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reliable, "HANDLES_KEPT", 2)
    bench.put(30)
    first = await bench.handles(3)
    bench.queue.confirm(first[:2])
    for _ in range(5):
        bench.queue.confirm(await bench.handles(2))
    assert bench.queue.confirm(first[:2]) == [REPEATED, REPEATED]
    assert bench.queue.confirm(first[2:]) == [CONFIRMED]
    assert bench.queue.confirm(first) == [UNKNOWN] * 3


async def test_after_leases_have_ended_as_many_handles_are_remembered_as_before(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reliable, "HANDLES_KEPT", 20)
    bench.put(400)
    for _ in range(100):
        first, _left = await bench.handles(2)
        bench.queue.confirm([first])
    await bench.clock.advance(30)
    for _ in range(150):
        bench.queue.confirm(await bench.handles(2))
    assert bench.queue._finished_handles == 20
    assert len(bench.queue._pulls) == len(bench.queue._finished) == 10


async def test_a_handle_rounded_to_a_float_is_refused(bench: Bench) -> None:
    bench.put(64)
    handles = [handle for _ in range(4) for handle in await bench.handles()]
    assert bench.queue.confirm([str(int(float(handle))) for handle in handles]) == [UNKNOWN] * 64
    assert bench.queue.leased == 64


async def test_an_event_is_not_leased_again_before_its_lease_ends() -> None:
    """The clock runs, and many leases have ended since the last pull."""
    bench = Bench()
    bench.settings = bench.settings.changed({"visibility_timeout": 0})
    bench.put(200)
    await bench.pull(200)
    batch = await bench.pull(200)
    for leased in batch:
        times = [entry.at for entry in leased.event.timeline()]
        assert times == sorted(times)


async def test_confirmed_handles_are_forgotten_with_their_leases(bench: Bench) -> None:
    bench.put(5)
    bench.queue.confirm(await bench.handles())
    await bench.clock.advance(30)
    assert bench.queue.visible == 0
    assert not bench.queue._pulls
    assert not bench.queue._finished
    assert not bench.queue._finished_handles


# Retention


async def test_an_event_that_is_not_pulled_expires_after_four_days(bench: Bench) -> None:
    [event] = bench.put()
    await bench.clock.advance(4 * DAY - 0.25)
    assert bench.queue.visible == 1
    await bench.clock.advance(0.25)
    assert bench.queue.visible == 0
    assert not await bench.pull()
    assert story(event) == ["queued", "expired"]


async def test_an_event_whose_lease_ended_expires_four_days_after_it_arrived(bench: Bench) -> None:
    [event] = bench.put()
    arrived = bench.clock.epoch()
    await bench.clock.advance(4 * DAY - 40)
    await bench.pull()
    await bench.clock.advance(FOREVER)
    assert story(event) == ["queued", "leased", "lease_ended", "expired"]
    assert event.timeline()[-1].at == arrived + 4 * DAY


async def test_a_lease_outlasts_the_retention_but_not_by_more_than_itself(bench: Bench) -> None:
    confirmed, expired = bench.put(2)
    arrived = bench.clock.epoch()
    await bench.clock.advance(4 * DAY - 10)
    handle, _ = await bench.handles()
    await bench.clock.advance(25)
    assert bench.queue.confirm([handle]) == [CONFIRMED]
    await bench.clock.advance(30)
    assert confirmed.state == "confirmed"
    assert story(expired) == ["queued", "leased", "lease_ended", "expired"]
    assert expired.timeline()[-1].at == arrived + 4 * DAY + 20


async def test_old_events_expire_while_young_ones_stay(bench: Bench) -> None:
    bench.put(3)
    await bench.pull(1)
    await bench.clock.advance(DAY)
    young = bench.put(2)
    await bench.clock.advance(3 * DAY)
    assert events_of(await bench.pull()) == young


async def test_of_many_events_that_expire_at_once_a_pull_leases_none(system: System) -> None:
    bench = Bench()
    bench.put(1_100)
    system.passed = 3 * DAY
    [young] = bench.put()
    system.passed = 4 * DAY
    assert events_of(await bench.pull()) == [young]
    assert bench.events.counts["expired"] == 1_100


async def test_an_expired_event_is_returned_by_no_poll(bench: Bench) -> None:
    bench.put()
    await bench.pull()
    bench.change(retention=10.0)
    await bench.clock.advance(28)
    poll = await bench.poll()
    await bench.clock.advance(5)
    assert not poll.result()
    assert bench.events.counts["expired"] == 1


# Settings that change


@pytest.mark.parametrize(("seconds", "ends_after"), [(10.0, 0.0), (20.0, 5.0), (60.0, 45.0)])
async def test_a_changed_visibility_timeout_applies_to_open_leases(
    bench: Bench, seconds: float, ends_after: float
) -> None:
    [event] = bench.put()
    await bench.pull()
    await bench.clock.advance(15)
    changed_at = bench.clock.epoch()
    bench.change(visibility_timeout=seconds)
    await bench.clock.advance(100)
    ended = event.timeline()[-1]
    assert (ended.what, ended.at) == ("lease_ended", changed_at + ends_after)


async def test_a_changed_retention_applies_to_queued_events(bench: Bench) -> None:
    [event] = bench.put()
    arrived = bench.clock.epoch()
    bench.change(retention=DAY)
    await bench.clock.advance(FOREVER)
    assert (event.state, event.timeline()[-1].at) == ("expired", arrived + DAY)


async def test_a_longer_retention_keeps_what_would_have_expired(bench: Bench) -> None:
    bench.put()
    bench.change(retention=9 * DAY)
    await bench.clock.advance(8 * DAY)
    assert bench.queue.visible == 1


async def test_a_visibility_timeout_of_0_makes_an_event_visible_at_once(bench: Bench) -> None:
    bench.change(visibility_timeout=0.0)
    bench.put()
    [first] = await bench.handles()
    [second] = await bench.handles()
    assert first != second
    await bench.clock.settle()
    assert bench.queue.visible == 1


async def test_changing_settings_leaves_one_timer_behind(bench: Bench) -> None:
    bench.put(3)
    await bench.pull(1)
    for seconds in (20.0, 40.0, 60.0):
        bench.change(visibility_timeout=seconds)
    assert len(bench.clock.waiting()) == 1
    bench.queue.reschedule()
    assert len(bench.clock.waiting()) == 1


# Serving, and the end


async def test_a_queue_that_does_not_serve_keeps_what_it_has(bench: Bench) -> None:
    bench.queue.serve(False)
    events = bench.put(2)
    assert not await bench.pull()
    assert bench.queue.visible == 2
    bench.queue.serve(True)
    assert events_of(await bench.pull()) == events


async def test_blocked_polls_get_the_kept_events_once_the_queue_serves(bench: Bench) -> None:
    bench.queue.serve(False)
    bench.put(17)
    polls = [await bench.poll() for _ in range(3)]
    assert bench.queue.waiting == 3
    bench.queue.serve(True)
    await bench.clock.settle()
    assert [len(poll.result()) for poll in polls if poll.done()] == [16, 1]
    assert bench.queue.waiting == 1
    await bench.clock.advance(5)


async def test_leases_end_and_can_be_confirmed_while_the_queue_does_not_serve(bench: Bench) -> None:
    bench.put(2)
    one, _ = await bench.handles()
    bench.queue.serve(False)
    assert bench.queue.confirm([one]) == [CONFIRMED]
    await bench.clock.advance(30)
    assert (bench.queue.visible, bench.queue.leased) == (1, 0)


async def test_once_pollers_are_released_every_poll_returns_at_once(bench: Bench) -> None:
    polls = [await bench.poll() for _ in range(3)]
    bench.queue.release_pollers()
    await bench.clock.settle()
    assert [len(poll.result()) for poll in polls] == [0, 0, 0]
    assert not await (await bench.poll())
    bench.put()
    assert len(await bench.pull(hold=5)) == 1


async def test_a_closed_queue_is_empty(bench: Bench) -> None:
    bench.put(5)
    handles = await bench.handles(2)
    bench.queue.confirm(handles[:1])
    bench.queue.close()
    assert bench.queue.confirm(handles) == [UNKNOWN, UNKNOWN]
    assert not await bench.pull()
    assert (bench.queue.visible, bench.queue.leased, bench.queue.waiting) == (0, 0, 0)
    assert bench.clock.waiting() == []
    await bench.clock.advance(FOREVER)


async def test_a_closed_queue_returns_nothing_to_every_poll(bench: Bench) -> None:
    poll = await bench.poll()
    bench.put()
    bench.queue.close()
    await bench.clock.settle()
    assert not poll.result()
    assert not await (await bench.poll())
    assert bench.idle


@pytest.mark.parametrize(
    "call", [lambda queue: queue.reschedule(), lambda queue: queue.serve(True), lambda queue: queue.close()]
)
async def test_a_closed_queue_ignores_later_calls(bench: Bench, call: Callable[[EventQueue], None]) -> None:
    bench.put()
    await bench.pull()
    bench.queue.close()
    call(bench.queue)
    assert not await bench.pull(hold=5)
    assert bench.clock.waiting() == []


# An event given back


async def test_an_event_whose_lease_was_ended_expires_when_its_retention_ends(bench: Bench) -> None:
    bench.change(retention=10)
    [first] = bench.put()
    await bench.clock.advance(1)
    [second] = bench.put()
    [_, handle] = await bench.handles()
    await bench.clock.advance(9.5)  # past the retention of the first, which its lease holds
    assert first.state == second.state == "leased"
    bench.queue.end_lease(handle)
    await bench.clock.advance(0.5)
    assert story(second) == ["queued", "leased", "lease_ended", "expired"]


# The end of its life


async def put(bench: Bench) -> None:
    bench.put()


async def confirm(bench: Bench) -> None:
    bench.queue.confirm(["1" * 18])


@pytest.mark.parametrize("call", [put, confirm, Bench.pull, lambda bench: bench.pull(hold=5)])
async def test_a_queue_whose_life_has_ended_raises(bench: Bench, call: Callable[[Bench], Awaitable[object]]) -> None:
    bench.put(2)
    await bench.pull(limit=1)
    bench.queue.close()
    bench.clock.close("the account", "reset")
    with pytest.raises(LifeEnded, match="the account was reset"):
        await call(bench)
    assert bench.queue.visible == bench.queue.leased == 0
    assert bench.idle


async def test_a_blocked_poll_returns_nothing_when_the_life_of_its_queue_ends(bench: Bench) -> None:
    poll = await bench.poll()
    bench.queue.close()
    bench.clock.close("the account", "deleted")
    assert not await poll
    assert bench.idle
