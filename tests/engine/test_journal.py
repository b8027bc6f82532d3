"""The journal: what happened, in order, and its listeners."""

import pytest

from mockvod.engine.clock import Clock
from mockvod.engine.journal import Batch, Entry, Journal
from tests.limits import journal_limits


@pytest.fixture
async def clock() -> Clock:
    clock = Clock()
    await clock.freeze()
    return clock


@pytest.fixture
def journal(clock: Clock) -> Journal:
    return Journal(clock, lambda: journal_limits(5))


def write(journal: Journal, count: int) -> None:
    for _ in range(count):
        journal.note("something")


def seqs(journal: Journal, since: int, limit: int | None = None) -> list[int]:
    return [entry.seq for entry in journal.since(since, limit)]


def test_a_fresh_journal_is_empty(journal: Journal) -> None:
    assert (journal.seq, journal.first) == (0, 1)
    assert seqs(journal, 0) == []


async def test_an_entry_has_what_happened_and_when(journal: Journal, clock: Clock) -> None:
    await clock.advance(60)
    entry = journal.note("configured", sub_app_id=1500000001, detail={"mode": "PULL"})
    assert list(journal.since(0)) == [entry]
    assert (entry.seq, entry.at, entry.what) == (1, clock.epoch(), "configured")
    assert (entry.event, entry.sub_app_id, entry.detail) == (None, 1500000001, {"mode": "PULL"})


async def test_an_entry_has_the_time_of_the_clock(journal: Journal, clock: Clock) -> None:
    await clock.set(86400)
    assert journal.note("something").at == 86400


def test_a_page_starts_after_its_cursor(journal: Journal) -> None:
    write(journal, 5)
    assert seqs(journal, 0) == [1, 2, 3, 4, 5]
    assert seqs(journal, 3) == [4, 5]
    assert seqs(journal, 5) == []


@pytest.mark.parametrize(
    ("since", "limit", "given"),
    [(0, 2, [1, 2]), (2, 2, [3, 4]), (4, 2, [5]), (5, 2, []), (0, 0, []), (0, 100, [1, 2, 3, 4, 5])],
)
def test_a_page_has_at_most_its_limit(journal: Journal, since: int, limit: int, given: list[int]) -> None:
    write(journal, 5)
    assert seqs(journal, since, limit) == given


def test_the_oldest_entries_are_evicted_and_numbers_continue(journal: Journal) -> None:
    write(journal, 8)
    assert (journal.seq, journal.first) == (8, 4)
    assert seqs(journal, 0) == [4, 5, 6, 7, 8]


@pytest.mark.parametrize(("since", "given"), [(-7, [4, 5]), (1, [4, 5]), (3, [4, 5]), (4, [5, 6]), (7, [8]), (99, [])])
def test_a_cursor_before_the_oldest_entry_starts_with_the_oldest(
    journal: Journal, since: int, given: list[int]
) -> None:
    write(journal, 8)
    assert seqs(journal, since, 2) == given


def test_pages_read_one_after_the_other_miss_nothing(journal: Journal) -> None:
    write(journal, 8)
    read: list[int] = []
    while page := seqs(journal, read[-1] if read else 0, 2):
        read += page
    assert read == [4, 5, 6, 7, 8]


def test_a_lower_limit_applies_from_the_next_entry(clock: Clock) -> None:
    limit = 10
    journal = Journal(clock, lambda: journal_limits(limit))
    write(journal, 10)
    limit = 3
    write(journal, 1)
    assert seqs(journal, 0) == [9, 10, 11]


def test_the_oldest_entries_are_evicted_when_details_take_too_many_bytes(clock: Clock) -> None:
    journal = Journal(clock, lambda: journal_limits(100, 9000))
    for size in (1000, 1000, 1000, 6000, 1000):
        journal.note("configured", detail={"public_url": "x" * size, "lists": [("y", 1)]})
    assert seqs(journal, 0) == [4, 5]
    assert journal.first == 4
    for _ in range(100):
        journal.note("something")
    kept = seqs(journal, 0)
    assert 30 < len(kept) <= 9000 / 200
    assert kept[-1] == 105


def test_the_last_entry_is_kept_however_large_it_is(clock: Clock) -> None:
    journal = Journal(clock, lambda: journal_limits(100, 1000))
    write(journal, 3)
    journal.note("configured", detail="x" * 5000)
    assert seqs(journal, 0) == [4]
    write(journal, 1)
    assert seqs(journal, 0) == [5]


def test_a_listener_gets_every_entry_from_then_on(journal: Journal) -> None:
    heard: list[int] = []
    journal.note("before")
    stop = journal.listen(lambda entry: heard.append(entry.seq))
    write(journal, 2)
    stop()
    journal.note("after")
    assert heard == [2, 3]


def test_listeners_are_called_in_the_order_in_which_they_were_added(journal: Journal) -> None:
    heard: list[str] = []
    journal.listen(lambda _: heard.append("first"))
    journal.listen(lambda _: heard.append("second"))
    write(journal, 2)
    assert heard == ["first", "second"] * 2


def test_a_listener_can_stop_while_it_is_called(journal: Journal) -> None:
    heard: list[str] = []

    def once(entry: Entry) -> None:
        heard.append("once")
        stop()

    stop = journal.listen(once)
    journal.listen(lambda _: heard.append("always"))
    write(journal, 2)
    assert heard == ["once", "always", "always"]


def test_listeners_get_an_appended_record_when_tell_is_called(journal: Journal) -> None:
    heard: list[Entry] = []
    journal.listen(heard.append)
    entry = Entry(journal.seq + 1, journal.moment(), "queued", 1, None, None)
    journal.append(entry)
    assert heard == []
    journal.tell(entry)
    assert heard == [entry]


async def test_the_first_entry_has_the_number_that_the_journal_begins_with() -> None:
    journal = Journal(Clock(), lambda: journal_limits(100), first=4)
    assert (journal.seq, journal.first) == (3, 4)
    assert journal.note("reset").seq == 4
    assert seqs(journal, 1) == [4]


# The same that happened to several events


def write_of(journal: Journal, *events: int, what: str = "leased", earlier: Batch | Entry | None = None) -> Batch:
    details = [f"of {event}" for event in events]
    batch = Batch(journal.seq + 1, 7.5, what, events, 1500000001, details, [earlier] * len(events))
    journal.append(batch)
    journal.tell(batch)
    return batch


def test_a_record_of_several_events_reads_as_an_entry_of_each(journal: Journal) -> None:
    heard: list[Entry] = []
    journal.listen(heard.append)
    write(journal, 1)
    batch = write_of(journal, 11, 12, 13)
    write(journal, 1)
    assert seqs(journal, 0) == [1, 2, 3, 4, 5]
    assert journal.seq == 5
    entries = list(journal.since(1, 3))
    assert entries == [Entry(1 + n, 7.5, "leased", 10 + n, 1500000001, f"of {10 + n}") for n in (1, 2, 3)]
    assert heard[1:4] == entries
    assert batch.entry_of(12) == entries[1]


@pytest.mark.parametrize(
    ("since", "limit", "given"),
    [(0, 2, [4, 5]), (4, 2, [5, 6]), (5, 1, [6]), (5, 9, [6, 7, 8]), (6, 0, []), (8, 1, [])],
)
def test_a_page_may_begin_and_end_within_a_batch(journal: Journal, since: int, limit: int, given: list[int]) -> None:
    write_of(journal, 11, 12)
    write_of(journal, 13, 14, 15, 16, 17, 18)
    assert journal.first == 4
    assert seqs(journal, since, limit) == given


def test_entries_are_evicted_one_by_one_within_a_batch(journal: Journal) -> None:
    write_of(journal, 11, 12, 13)
    for last in range(4, 12):
        write(journal, 1)
        assert seqs(journal, 0) == list(range(max(1, last - 4), last + 1))


def test_an_entry_links_to_the_earlier_entry_of_its_event_across_batches(journal: Journal) -> None:
    first = write_of(journal, 11, 12, what="queued")
    second = write_of(journal, 12, 11, earlier=first)
    last = Entry(5, 9.0, "confirmed", 11, None, None, second)
    before = last.before
    assert before is not None
    assert (before.seq, before.what, before.event, before.detail) == (4, "leased", 11, "of 11")
    assert before.before == first.entries()[0]
    assert first.entries()[0].before is None


def test_an_evicted_record_forgets_what_happened_before_it(journal: Journal) -> None:
    first = write_of(journal, 11, 12, what="queued")
    second = write_of(journal, 11, 12, earlier=first)
    last = Entry(5, 9.0, "lease_ended", 11, None, None, second)
    journal.append(last)
    write(journal, 3)
    assert [entry.what for entry in (last, last.before, second.entry_of(11).before) if entry is not None] == [
        "lease_ended",
        "leased",
        "queued",
    ]
    write(journal, 1)
    assert last.before is not None
    assert last.before.before is None
    write(journal, 1)
    assert last.before is None


def test_records_of_several_events_count_by_their_events(clock: Clock) -> None:
    journal = Journal(clock, lambda: journal_limits(100, 2000))
    write_of(journal, *range(6))
    write_of(journal, *range(6))
    assert journal.first == 7
