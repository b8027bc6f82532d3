"""Events: found by id, counted by state, forgotten only when over and old."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockvod.engine.clock import Clock
from mockvod.engine.events import STATE_AFTER, STATES, TERMINAL, BacklogFull, Event, Events, event_id, event_number
from mockvod.engine.journal import Entry, Journal
from mockvod.settings import AccountSettings
from tests.limits import journal_limits

BODY = b'{"EventType":"FileUploaded","FileUploadEvent":null,"ProcedureStateChangeEvent":{"TaskId":"t-1"}}'


class Bench:
    """Events with settings that can be changed, and a journal that keeps little."""

    def __init__(self, **settings: Any) -> None:
        self.settings = AccountSettings(**settings)
        self.journal = Journal(Clock(), lambda: journal_limits(1000))
        self.events = Events(self.journal, lambda: self.settings)

    def create(self, *story: str, body: bytes = BODY) -> Event:
        """An event to which all of *story* has happened."""
        event = self.events.create(None, "FileUploaded", body[1:])
        for what in story:
            self.events.note(event, what)
        return event

    def numbers(self) -> list[int]:
        return [event.number for event in self.events]


@pytest.fixture
def bench() -> Bench:
    return Bench()


# One event


def test_an_id_is_a_number_with_a_name(bench: Bench) -> None:
    event = bench.create("queued")
    assert event.id == event_id(1) == "evt_000001"
    assert event_number(event.id) == 1
    assert event_number(event_id(12345678)) == 12345678


@pytest.mark.parametrize("text", ["", "evt_", "1", "000001", "evt_1x", "evt_-1", "evt_١", "EVT_1", "evt_" + "9" * 19])
def test_a_text_that_is_not_an_event_id_has_no_number(text: str) -> None:
    assert event_number(text) is None


@pytest.mark.parametrize(("what", "state"), STATE_AFTER.items())
def test_the_last_entry_determines_the_state(bench: Bench, what: str, state: str) -> None:
    event = bench.create("queued", what)
    assert event.state == state
    assert bench.events.counts[event.state] == 1


def test_an_event_to_which_nothing_has_happened_is_scheduled(bench: Bench) -> None:
    assert bench.create().state == "scheduled"


def test_a_timeline_lists_all_entries_oldest_first(bench: Bench) -> None:
    event, other = bench.create(), bench.create()
    noted = [bench.events.note(event, "queued")]
    bench.events.note(other, "queued")
    noted += [bench.events.note(event, what, what.upper()) for what in ("leased", "lease_ended", "leased", "confirmed")]
    assert event.timeline() == noted
    assert [entry.detail for entry in noted] == [None, "LEASED", "LEASE_ENDED", "LEASED", "CONFIRMED"]
    assert [entry.seq for entry in noted] == [1, 3, 4, 5, 6]
    assert {entry.event for entry in noted} == {event.number}


def test_a_timeline_outlasts_the_journal(bench: Bench) -> None:
    event = bench.create("queued")
    for _ in range(2000):
        bench.journal.note("something else")
    bench.events.note(event, "leased")
    assert [entry.what for entry in event.timeline()] == ["queued", "leased"]
    assert event.state == "leased"


def test_the_timeline_of_a_pending_event_is_bounded_by_the_journal() -> None:
    bench = Bench()
    event = bench.create("queued")
    created_at = event.created_at
    for _ in range(20_000):
        bench.events.note(event, "leased", "a handle")
        bench.events.note(event, "lease_ended", "a handle")
    assert 1000 <= len(event.timeline()) <= 1001
    assert event.created_at == created_at > 0


async def test_an_event_was_created_when_something_first_happened_to_it() -> None:
    bench = Bench()
    event = bench.create()
    bench.events.note_all([event], "queued", [None], at=5.0)
    bench.events.note(event, "leased", at=6.0)
    assert event.created_at == 5.0


def test_an_event_parses_its_structure_from_its_body(bench: Bench) -> None:
    event = bench.create("queued")
    assert event.content()["EventType"] == "FileUploaded"
    assert event.structure() == {"TaskId": "t-1"}
    assert bench.create(body=b'{"EventType":"FileUploaded"}').structure() == {}


def test_a_listener_sees_the_event_in_its_new_state(bench: Bench) -> None:
    heard: list[tuple[str, str]] = []

    def listen(entry: Entry) -> None:
        event = bench.events.find(entry.event or 0)
        assert event is not None
        heard.append((entry.what, event.state))

    bench.journal.listen(listen)
    bench.create("queued", "leased", "lease_ended")
    assert heard == [("queued", "queued"), ("leased", "leased"), ("lease_ended", "queued")]


def test_a_listener_gets_the_event_even_if_it_is_evicted_in_the_same_step() -> None:
    bench = Bench(history_events=0)
    heard: list[tuple[int, str, str]] = []
    stop = bench.events.listen(lambda event, entry: heard.append((event.number, event.state, entry.what)))
    events = [bench.create("queued") for _ in range(2)]
    bench.events.note_all(events, "confirmed", ["a", "b"], at=5.0)
    assert bench.numbers() == []
    stop()
    bench.create("queued")
    assert heard == [
        (1, "queued", "queued"),
        (2, "queued", "queued"),
        (1, "confirmed", "confirmed"),
        (2, "confirmed", "confirmed"),
    ]


def test_what_happens_to_several_at_once_is_in_the_timeline_of_each(bench: Bench) -> None:
    events = [bench.create("queued") for _ in range(3)]
    bench.events.note_all(events, "leased", ["a", "b", "c"], at=5.0)
    bench.events.note(events[1], "lease_ended", "b")
    bench.events.note_all([events[0], events[2]], "confirmed", ["a", "c"], at=6.0)
    assert [[(entry.what, entry.detail) for entry in event.timeline()] for event in events] == [
        [("queued", None), ("leased", "a"), ("confirmed", "a")],
        [("queued", None), ("leased", "b"), ("lease_ended", "b")],
        [("queued", None), ("leased", "c"), ("confirmed", "c")],
    ]
    assert [event.state for event in events] == ["confirmed", "queued", "confirmed"]
    assert [entry.seq for entry in events[2].timeline()] == [3, 6, 9]
    assert bench.events.counts == Counter(dict.fromkeys(STATES, 0)) | Counter(queued=1, confirmed=2)
    assert bench.events.pending_bytes == len(BODY)


def test_a_fault_leaves_an_event_in_the_state_that_several_came_into_at_once(bench: Bench) -> None:
    events = [bench.create("queued") for _ in range(2)]
    bench.events.note_all(events, "leased", ["a", "b"], at=5.0)
    for _ in range(2000):
        bench.events.note(events[0], "fault", {})
    assert events[0].state == "leased"


# All events


def test_events_are_found_by_number_and_come_oldest_first(bench: Bench) -> None:
    first, second, third = (bench.create("queued") for _ in range(3))
    assert bench.events.find(2) is second
    assert bench.events.find(4) is None
    assert list(bench.events) == [first, second, third]
    assert len(bench.events) == 3
    assert list(bench.events.after(0)) == [first, second, third]
    assert list(bench.events.after(1)) == [second, third]
    assert list(bench.events.after(3)) == []


@pytest.mark.parametrize("over", [0, 3, 40])
def test_events_are_found_after_a_number_despite_evicted_ones(over: int) -> None:
    bench = Bench(history_events=2)
    owed = [bench.create("queued")]
    for _ in range(over):
        bench.create("queued", "confirmed")
    owed += [bench.create("queued") for _ in range(3)]
    everything = bench.numbers()
    for number in (-1, 0, 1, 2, over, over + 1, over + 3, over + 4, 10**18):
        assert [event.number for event in bench.events.after(number)] == [one for one in everything if one > number]
        older = [one for one in reversed(everything) if one < number]
        assert [event.number for event in bench.events.before(number)] == older
    assert [event.number for event in bench.events.before(None)] == everything[::-1]
    assert {event.number for event in owed} <= set(everything)


def test_events_belong_to_the_application_they_were_made_for(bench: Bench) -> None:
    event = bench.events.create(1500000001, "FileUploaded", BODY)
    assert bench.events.note(event, "queued").sub_app_id == 1500000001


def test_terminal_events_are_bounded_in_count_and_evicted_in_order_of_their_end() -> None:
    bench = Bench(history_events=2)
    events = [bench.create("queued") for _ in range(4)]
    for place in (2, 0, 3):
        bench.events.note(events[place], "confirmed")
    assert bench.numbers() == [1, 2, 4]
    assert bench.events.find(3) is None
    assert bench.events.evicted == 1
    assert bench.events.counts == Counter(dict.fromkeys(STATES, 0)) | Counter(queued=1, confirmed=3)


def test_terminal_events_are_bounded_in_bytes() -> None:
    bench = Bench(history_bytes=5000)
    for _ in range(10):
        bench.create("queued", "confirmed", body=b"x" * 1000)
    assert bench.numbers() == [8, 9, 10]
    bench.create("queued", "failed", body=b"x" * 4000)
    assert bench.numbers() == [11]
    bench.create("queued", "dropped", body=b"x" * 6000)
    assert bench.numbers() == []
    assert bench.events.evicted == 12


@pytest.mark.parametrize("limits", [{"history_events": 0}, {"history_bytes": 0}])
def test_pending_events_are_not_evicted(limits: dict[str, int]) -> None:
    bench = Bench(**limits)
    owed = [what for what, state in STATE_AFTER.items() if state not in TERMINAL]
    for what in owed:
        bench.create("queued", what, body=b"x" * 100_000)
    for what in STATE_AFTER.keys() - owed:
        bench.create("queued", what)
    assert len(bench.events) == len(owed)
    assert {event.state for event in bench.events}.isdisjoint(TERMINAL)
    assert bench.events.pending_bytes == 100_000 * len(owed)


def test_lower_limits_apply_when_the_next_event_ends() -> None:
    bench = Bench()
    for _ in range(10):
        bench.create("queued", "confirmed")
    bench.settings = AccountSettings(history_events=3)
    bench.create("queued", "confirmed")
    assert bench.numbers() == [9, 10, 11]


def test_a_redelivered_event_is_pending_again() -> None:
    bench = Bench(history_events=1)
    event = bench.create("queued", "confirmed")
    assert bench.events.pending_bytes == 0
    bench.events.note(event, "queued")
    assert bench.events.pending_bytes == len(BODY)
    bench.create("queued", "confirmed")
    bench.create("queued", "confirmed")
    assert bench.numbers() == [1, 3]


def test_a_redelivered_event_does_not_count_among_terminal_ones() -> None:
    bench = Bench(history_bytes=2500)
    event = bench.create("queued", "confirmed", body=b"x" * 500)
    for _ in range(5):
        bench.events.note(event, "queued")
        bench.events.note(event, "confirmed")
    bench.create("queued", "confirmed", body=b"x" * 500)
    assert bench.numbers() == [1, 2]


def test_an_evicted_event_can_be_redelivered_by_its_holder() -> None:
    bench = Bench(history_events=1)
    event = bench.create("queued", "confirmed")
    younger = [bench.create("queued", "confirmed"), bench.create("queued")]
    assert bench.events.find(event.number) is None
    bench.events.note(event, "queued")
    assert bench.events.find(event.number) is event
    assert list(bench.events) == [event, *younger]
    assert list(bench.events.after(1)) == younger
    assert bench.events.pending_bytes == 2 * len(BODY)
    bench.events.note(event, "confirmed")
    assert bench.numbers() == [1, 3]
    assert bench.events.counts["confirmed"] == 2


def test_a_terminal_event_can_change_its_terminal_state_and_is_counted_once() -> None:
    """Sent once more where there is no callback URL, a confirmed event fails without being on its way again."""
    bench = Bench(history_bytes=2500)
    bench.create("queued", "confirmed", "failed", "expired", "failed", body=b"x" * 500)
    assert bench.events.pending_bytes == 0
    assert bench.events.counts["failed"] == sum(bench.events.counts.values()) == 1
    bench.create("queued", "confirmed", body=b"x" * 500)
    assert bench.numbers() == [1, 2]


@given(
    st.lists(st.tuples(st.integers(0, 7), st.sampled_from(sorted(STATE_AFTER))), max_size=60),
    st.integers(0, 4),
    st.sampled_from([0, 1400, 2800, 10**6]),
)
def test_states_and_counters_are_exact_whatever_happens(
    steps: list[tuple[int, str]], history_events: int, history_bytes: int
) -> None:
    bench = Bench(history_events=history_events, history_bytes=history_bytes)
    held = [bench.create(body=b"x" * (2 + 100 * number)) for number in range(8)]
    stories: dict[int, list[str]] = {number: [] for number in range(8)}
    for number, what in steps:
        bench.events.note(held[number], what)
        stories[number].append(what)

        states = {n: STATE_AFTER[story[-1]] if story else "scheduled" for n, story in stories.items()}
        assert {s: count for s, count in bench.events.counts.items() if count} == Counter(states.values())
        owed = [n for n in range(8) if states[n] not in TERMINAL]
        assert bench.events.pending_bytes == sum(2 + 100 * n for n in owed)
        assert {held[n].number for n in owed} <= set(bench.numbers())
        kept = [event for event in bench.events if event.state in TERMINAL]
        assert len(kept) <= history_events
        assert sum(len(event.body) for event in kept) <= history_bytes
        assert bench.numbers() == sorted(bench.numbers())
    for number, story in stories.items():
        assert [entry.what for entry in held[number].timeline()] == story


# The limit on pending events


def test_no_event_is_created_that_would_exceed_the_limit_on_pending_bytes() -> None:
    bench = Bench(pending_bytes=2500)
    events = [bench.create("queued", body=b"x" * 1000) for _ in range(2)]
    with pytest.raises(BacklogFull):
        bench.create("queued", body=b"x" * 501)
    assert bench.numbers() == [1, 2]
    bench.create("queued", body=b"x" * 500)
    bench.events.note(events[0], "confirmed")
    bench.create("queued", body=b"x" * 1000)
    assert bench.events.pending_bytes == 2500


def test_room_is_checked_before_an_event_is_rendered() -> None:
    bench = Bench(pending_bytes=3000)
    bench.events.check_room(3000)
    with pytest.raises(BacklogFull):
        bench.events.check_room(3001)
