"""When and for what a fault fires: the parts that need no server."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockvod.engine.events import Event
from mockvod.faults.base import shuffled
from mockvod.faults.rules import Scope, When
from mockvod.faults.timing import Slow


def fired(rule: When, times: int, *, seed: int = 7, elapsed: float = 0.0) -> list[int]:
    """At which of so many times the rule holds, counted from 1 on."""
    random = Random(seed)
    return [count for count in range(1, times + 1) if rule.applies(count, random, elapsed)]


@given(n=st.integers(1, 30))
def test_counting_rules_fire_at_their_counts(n: int) -> None:
    assert fired(When(), 30) == list(range(1, 31))
    assert fired(When("nth", n), 30) == [n]
    assert fired(When("first", n), 30) == list(range(1, n + 1))
    assert fired(When("every", n), 30) == list(range(n, 31, n))


@given(seed=st.integers(), probability=st.floats(0, 1))
def test_a_probability_fires_at_the_same_counts_for_the_same_seed(seed: int, probability: float) -> None:
    rule = When("probability", probability)
    assert fired(rule, 50, seed=seed) == fired(rule, 50, seed=seed)


def test_a_probability_of_0_never_fires_and_of_1_always() -> None:
    assert fired(When("probability", 0.0), 100) == []
    assert fired(When("probability", 1.0), 100) == list(range(1, 101))


def test_a_probability_fires_about_as_often_as_it_says() -> None:
    assert 200 < len(fired(When("probability", 0.25), 1000)) < 300


@pytest.mark.parametrize(("elapsed", "fires"), [(0.0, True), (9.9, True), (10.0, False), (1e6, False)])
def test_until_ends_when_its_seconds_have_passed(elapsed: float, fires: bool) -> None:
    assert bool(fired(When("until", 10.0), 1, elapsed=elapsed)) is fires


# --- scopes


def event(sub_app_id: int | None = None, event_type: str = "FileDeleted", file_id: str = "f1") -> Event:
    tail = f'"EventType":"{event_type}","FileDeleteEvent":{{"FileId":"{file_id}"}}}}'
    return Event(1, sub_app_id, event_type, tail.encode())


@pytest.mark.parametrize(
    ("scope", "fits"),
    [
        ({}, True),
        ({"sub_app_id": 0}, True),
        ({"sub_app_id": 5}, False),
        ({"event_type": "FileDeleted"}, True),
        ({"event_type": "NewFileUpload"}, False),
        ({"file_id": "f1"}, True),
        ({"file_id": "f"}, False),
        ({"sub_app_id": 0, "event_type": "FileDeleted", "file_id": "f2"}, False),
    ],
)
def test_a_scope_matches_the_events_that_it_names(scope: dict[str, Any], fits: bool) -> None:
    assert Scope(**scope).matches_event(event()) is fits


def test_a_scope_names_an_application_by_its_number() -> None:
    assert Scope(sub_app_id=5).matches_event(event(5))
    assert not Scope(sub_app_id=0).matches_event(event(5))


@pytest.mark.parametrize(
    ("scope", "fits"),
    [
        ({}, True),
        ({"action": "PullEvents"}, True),
        ({"action": "ConfirmEvents"}, False),
        ({"sub_app_id": 5, "action": "PullEvents"}, True),
        ({"sub_app_id": 0}, False),
        ({"file_id": "f1"}, True),
        ({"file_id": "f2"}, False),
    ],
)
def test_a_scope_matches_the_calls_that_it_names(scope: dict[str, Any], fits: bool) -> None:
    assert Scope(**scope).matches_call(5, "PullEvents", "f1") is fits


# --- how long, and in which order


@given(seed=st.integers(), seconds=st.floats(0, 100), at_most=st.floats(0, 100), sigma=st.floats(0, 10))
def test_slowness_stays_within_its_limits(seed: int, seconds: float, at_most: float, sigma: float) -> None:
    random = Random(seed)
    assert Slow(seconds).draw(random) == seconds
    uniform = Slow(seconds, "uniform", at_most).draw(random)
    assert min(seconds, at_most) <= uniform <= max(seconds, at_most)
    assert 0 <= Slow(seconds, "lognormal", at_most, sigma).draw(random) <= at_most


def test_a_lognormal_slowness_has_its_seconds_in_the_middle() -> None:
    random = Random(7)
    drawn = sorted(Slow(2.0, "lognormal", 1000.0, 0.5).draw(random) for _ in range(2001))
    assert 1.9 < drawn[1000] < 2.1
    assert drawn[0] < 1.0
    assert drawn[-1] > 4.0


@given(seed=st.integers(), items=st.lists(st.integers(), min_size=2, unique=True))
def test_what_is_shuffled_has_another_order_and_the_same_things(seed: int, items: list[int]) -> None:
    mixed = shuffled(items, Random(seed))
    assert mixed != items
    assert sorted(mixed) == sorted(items)
