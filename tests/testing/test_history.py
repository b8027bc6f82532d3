"""The checker of histories: what an orderly queue does passes, and every way of breaking the promise is found."""

import asyncio
import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

import pytest

from mockvod.engine.clock import Clock
from mockvod.engine.events import Event, Events
from mockvod.engine.journal import Journal
from mockvod.engine.queue import EventQueue, Leased, Leases
from mockvod.http.control.contract import entry_view
from mockvod.settings import AccountSettings
from mockvod.testing.history import History, check, check_record, may_come_again
from tests.limits import journal_limits

Entries = list[dict[str, Any]]

FAULT = {"id": "flt_000001", "fault": "some-fault", "did": "something"}


def entries(*reported: tuple[str, str] | tuple[str, str, dict[str, Any]], first: int = 1) -> Entries:
    """A journal of these: event (empty for none), what happened, and what else is known."""
    found = []
    for seq, (event, what, *more) in enumerate(reported, first):
        found.append({"seq": seq, "at": 0.0, "what": what, "event": event or None, **(more[0] if more else {})})
    return found


def handle(text: str) -> dict[str, Any]:
    return {"event_handle": text}


def attempt(status: int | None, error: str | None = None, url: str = "http://a/") -> dict[str, Any]:
    return {"attempt": {"url": url, "status": status, "error": error}}


def words(history: History) -> dict[str, list[str]]:
    """What was found, by kind; kinds without a finding are left out."""
    kinds = ("lost", "unexpected", "duplicated", "recovered", "given_up", "unfinished")
    return {kind: [str(one) for one in getattr(history, kind)] for kind in kinds if getattr(history, kind)}


PULLED = (("a", "queued"), ("a", "leased", handle("1")), ("a", "confirmed", handle("1")))
PUSHED = (("a", "delivering"), ("a", "attempt", attempt(200)), ("a", "delivered"))


# --- what is in order


@pytest.mark.parametrize("journal", [PULLED, PUSHED, (("a", "scheduled"), *PULLED), ()])
def test_an_orderly_history_is_at_least_once(journal: Any) -> None:
    history = check(entries(*journal))
    assert words(history) == {}
    history.assert_ok()
    assert history.enqueued == history.delivered == history.confirmed == (1 if journal else 0)
    assert str(history).startswith("at least once: ")


def test_an_event_delivered_again_after_its_lease_is_recovered() -> None:
    again = (("a", "lease_ended", handle("1")), ("a", "leased", handle("2")), ("a", "confirmed", handle("2")))
    history = check(entries(*PULLED[:2], *again))
    assert history.ok
    assert words(history) == {"recovered": ["a: was delivered 2 times, after a lease that ended (entry 5)"]}


def test_an_attempt_that_failed_is_a_reason_for_another() -> None:
    failed = ("a", "attempt", attempt(None, "timeout: no complete answer within 5 s"))
    history = check(entries(PUSHED[0], failed, *PUSHED[1:]))
    assert history.ok
    assert words(history) == {"recovered": ["a: was delivered 2 times, after an attempt that failed (entry 4)"]}


def test_a_redelivery_is_a_reason_for_another_delivery() -> None:
    again = (("a", "queued", {"redelivery": True}), ("a", "leased", handle("2")), ("a", "confirmed", handle("2")))
    assert words(check(entries(*PULLED, *again))) == {}
    assert may_come_again(entries(*PULLED, *again)) == {"a": 1}


def test_each_of_two_addresses_is_pushed_to() -> None:
    other = ("a", "attempt", attempt(200, url="http://b/"))
    assert check(entries(*PUSHED[:2], other, PUSHED[2])).ok


@pytest.mark.parametrize("what", ["failed", "expired", "dropped"])
def test_an_event_given_up_for_a_reason_is_not_lost(what: str) -> None:
    history = check(entries(("a", "queued"), ("a", what, {"reason": "why"})))
    assert history.ok
    assert words(history) == {"given_up": [f"a: {what}: why (entry 2)"]}


def test_a_push_without_an_address_fails_as_it_happens() -> None:
    history = check(entries(("a", "failed", {"reason": "no callback URL"})))
    assert (history.ok, history.enqueued, len(history.given_up)) == (True, 1, 1)


def test_a_fault_excuses_the_next_thing_that_happens_to_its_event() -> None:
    fault = ("a", "fault", FAULT)
    assert check(entries(*PULLED[:2], fault, ("a", "leased", handle("2")), ("a", "confirmed", handle("2")))).ok
    assert check(entries(*PUSHED, fault, *PUSHED)).ok
    assert not check(entries(*PULLED[:2], ("b", "fault", FAULT), ("a", "leased", handle("2")))).ok


def test_a_queued_event_at_the_end_is_lost_only_if_drained() -> None:
    journal = entries(("a", "queued"), ("b", "queued"), ("b", "leased", handle("1")))
    assert words(check(journal)) == {
        "lost": ["a: is queued at the end, never delivered"],
        "unfinished": ["b: is leased at the end, delivered but not acknowledged"],
    }
    assert check(journal, drained=False).ok


def test_a_journal_without_its_beginning_has_nothing_unexpected() -> None:
    journal = entries(("a", "leased", handle("1")), ("a", "confirmed", handle("1")), ("b", "delivered"), first=500)
    assert check(journal).ok
    assert check(journal).enqueued == 2


def test_entries_that_are_no_events_do_not_matter() -> None:
    assert words(check(entries(("", "configured"), ("", "reset"), *PULLED, ("", "clock")))) == {}


# --- what is not


@pytest.mark.parametrize(
    ("journal", "kind", "reported"),
    [
        (PULLED[1:], "unexpected", "a: was pulled and never enqueued (entry 1)"),
        (PULLED[:1], "lost", "a: is queued at the end, never delivered"),
        ((*PULLED[:2], ("a", "leased", handle("2"))), "duplicated", "a: was pulled although it was leased (entry 3)"),
        ((*PULLED, ("a", "leased", handle("2"))), "duplicated", "a: was pulled although it was confirmed (entry 4)"),
        ((*PULLED, ("a", "queued")), "unexpected", "a: was queued although it had been confirmed (entry 4)"),
        ((*PULLED, PULLED[2]), "unexpected", "a: it was confirmed although it was confirmed (entry 4)"),
        (
            (*PULLED[:2], ("a", "confirmed", handle("2"))),
            "unexpected",
            "a: it was confirmed under 2, but it was pulled under 1 (entry 3)",
        ),
        (
            (*PULLED, ("b", "queued"), ("b", "leased", handle("1"))),
            "unexpected",
            "b: was pulled under 1, which had been used before (entry 5)",
        ),
        (
            (*PUSHED[:2], ("a", "attempt", attempt(200))),
            "duplicated",
            "a: was pushed to http://a/ again after a 2xx response (entry 3)",
        ),
        (
            (PUSHED[0], ("a", "attempt", attempt(500)), PUSHED[2]),
            "unexpected",
            "a: was marked delivered without a 2xx response (entry 3)",
        ),
        ((*PUSHED, PUSHED[1]), "unexpected", "a: was pushed although it was delivered (entry 4)"),
        ((("a", "queued"), ("a", "dropped")), "lost", "a: is queued at the end, never delivered"),
        (
            (*PULLED, ("a", "failed", {"reason": "x"})),
            "unexpected",
            "a: failed although it was confirmed (entry 4)",
        ),
    ],
)
def test_every_breach_is_found(journal: Any, kind: str, reported: str) -> None:
    history = check(entries(*journal))
    assert reported in words(history)[kind]
    assert not history.ok
    assert str(history).startswith("NOT at least once: ")
    assert reported in str(history)
    with pytest.raises(AssertionError, match="NOT at least once"):
        history.assert_ok()


def test_the_text_names_the_first_of_many() -> None:
    text = str(check(entries(*((f"e{n}", "queued") for n in range(30)))))
    assert "30 lost" in text
    assert text.count("never delivered") == 10
    assert text.endswith("  …")


# --- an application's own record


def test_an_applications_own_record_is_checked_alike() -> None:
    history = check_record(["a", "b", "c", "d"], ["a", "a", "b", "b", "b", "c", "x"], ["a", "b", "y"], again={"a": 1})
    assert words(history) == {
        "lost": ["d: was enqueued and never delivered"],
        "unexpected": ["x: was delivered and never enqueued", "y: was confirmed and never delivered"],
        "duplicated": ["b: was delivered 3 times, 0 more than once with a reason"],
        "recovered": ["a: was delivered 2 times, and confirmed"],
        "unfinished": ["c: was delivered but not confirmed"],
    }
    assert (history.enqueued, history.delivered, history.confirmed) == (4, 3, 2)


def test_an_id_may_be_delivered_again_as_often_as_it_has_reasons() -> None:
    assert check_record([1, 2], [1, 2, 2, 2], again=[2]).ok
    assert not check_record([1, 2], [1, 1, 2], again=[2]).ok


def test_a_record_that_is_not_drained_has_lost_nothing() -> None:
    assert check_record(["a", "b"], ["a"], drained=False).ok


# --- thousands of runs

LEASE, LIMIT = 30.0, 16


class Run:
    """One run of a queue with consumers that confirm, forget, confirm late and confirm twice, all from one seed."""

    def __init__(self, seed: int, queue: type[EventQueue] = EventQueue) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.settings = AccountSettings.model_construct(**DEFAULTS, retention=self.random.choice([90.0, 4 * 86400.0]))
        self.clock = Clock()
        self.journal = Journal(self.clock, lambda: journal_limits(100_000))
        self.events = Events(self.journal, lambda: self.settings)
        self.queue = queue("the queue", self.clock, self.events, lambda: self.settings, Random(seed))
        self.enqueued: list[str] = []
        self.delivered: list[str] = []
        self.confirmed: list[str] = []
        self.held: list[Leased] = []

    async def whole(self) -> Entries:
        """The journal of a run that ends with every event confirmed that has not expired."""
        await self.clock.freeze()
        steps: Sequence[Callable[[], Any]] = (self.emit, self.pull, self.pull, self.confirm, self.confirm, self.wait)
        for _ in range(self.random.randint(5, 25)):
            await self.random.choice(steps)()
        await self.clock.advance(LEASE)
        while await self.pull():
            self.confirm_all()
        return [entry_view(entry).model_dump(exclude_none=True) for entry in self.journal.since(0)]

    async def emit(self) -> None:
        for _ in range(self.random.randint(1, 4)):
            event = self.events.create(None, "FileUploaded", b"}")
            self.queue.put(event)
            self.enqueued.append(event.id)

    async def pull(self) -> Leases:
        with self.clock.busy():
            batch = await self.queue.pull(self.random.randint(1, LIMIT), hold=0)
        self.delivered += [leased.event.id for leased in batch]
        self.held += batch
        return batch

    async def confirm(self) -> None:
        """Confirm some of the pulled handles, and some that were confirmed before or are unknown."""
        some = self.random.sample(self.held, self.random.randint(0, min(LIMIT, len(self.held))))
        self._confirm(some, ["EventHandle.N"] * (self.random.random() < 0.1))

    def confirm_all(self) -> None:
        self._confirm(self.held[-LIMIT:], [])

    def _confirm(self, some: Sequence[Leased], strangers: list[str]) -> None:
        outcomes = self.queue.confirm([leased.handle for leased in some] + strangers)
        for leased, outcome in zip(some, outcomes, strict=False):
            if outcome.value == "confirmed" and leased.event.state == "confirmed":
                self.confirmed.append(leased.event.id)

    async def wait(self) -> None:
        await self.clock.advance(self.random.choice([0.1, 10.0, 29.9, LEASE, 45.0]))


DEFAULTS = AccountSettings().model_dump()
del DEFAULTS["retention"]


class Losing(EventQueue):
    """Forgets an event now and then."""

    def put(self, event: Event, detail: object = None) -> None:
        super().put(event, detail)
        if event.number % 5 == 0:
            self._fresh.pop()


class Doubling(EventQueue):
    """Hands an event out once more while it is leased, now and then."""

    def _lease(self, limit: int, now: float) -> Leases:
        batch = super()._lease(limit, now)
        if len(batch) > 2 and batch.events[0].order not in {order for order, _ in self._returned}:
            heapq.heappush(self._returned, (batch.events[0].order, batch.events[0]))
        return batch


class Reviving(EventQueue):
    """Queues what has been confirmed, now and then."""

    def confirm(self, handles: Sequence[str]) -> Any:
        events = [self.event_of(one) for one in handles]
        outcomes = super().confirm(handles)
        for event in events[:1]:
            if event is not None and event.number % 3 == 0:
                self.put(event)
        return outcomes


async def runs(seeds: Sequence[int], queue: type[EventQueue] = EventQueue) -> list[tuple[Run, Entries]]:
    done = []
    for seed in seeds:
        run = Run(seed, queue)
        done.append((run, await run.whole()))
    return done


@pytest.mark.parametrize("thousand", range(3))
async def test_a_thousand_runs_of_the_queue_are_at_least_once(thousand: int) -> None:
    recovered = expired = 0
    for run, journal in await runs(range(thousand * 1000, thousand * 1000 + 1000)):
        history = check(journal)
        assert words(history).keys() <= {"recovered", "given_up"}, f"seed {run.seed}: {history}"
        assert (history.enqueued, history.confirmed) == (len(set(run.enqueued)), len(set(run.confirmed)))
        gone = [oddity.event for oddity in history.given_up]
        record = check_record(
            set(run.enqueued).difference(gone).union(run.delivered),
            run.delivered,
            run.confirmed,
            again=may_come_again(journal),
        )
        assert record.ok, record
        recovered += len(history.recovered)
        expired += len(gone)
        await asyncio.sleep(0)
    assert recovered > 100
    assert expired > 100


async def test_the_same_seed_gives_the_same_history() -> None:
    def reported(journal: Entries) -> Iterator[tuple[Any, ...]]:
        return ((entry["what"], entry.get("event"), entry.get("event_handle")) for entry in journal)

    [(_, one)], [(_, other)] = await runs([7]), await runs([7])
    assert list(reported(one)) == list(reported(other))


@pytest.mark.parametrize(("queue", "kind"), [(Losing, "lost"), (Doubling, "duplicated"), (Reviving, "unexpected")])
async def test_a_queue_that_loses_or_duplicates_is_detected(queue: type[EventQueue], kind: str) -> None:
    found = Counter[str]()
    for _, journal in await runs(range(40), queue):
        found.update(words(check(journal)).keys() & {"lost", "duplicated", "unexpected"})
    assert found[kind] > 5, found


async def test_a_removed_journal_entry_is_detected() -> None:
    """Of what was enqueued or leased; what only ends something is not needed to know that all came."""
    missed = 0
    for run, journal in await runs(range(100)):
        at = [place for place, entry in enumerate(journal) if place and entry["what"] in {"queued", "leased"}]
        if at:
            del journal[run.random.choice(at)]
            missed += not check(journal).ok
    assert missed > 80
