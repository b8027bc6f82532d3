"""Deliveries: how attempts are signed, how many are made at once, and what ends with the life of an account."""

import asyncio
from typing import Any, cast

import pytest

from mockvod.engine.attempt import Attempt
from mockvod.engine.clock import Clock
from mockvod.engine.events import Event, Events
from mockvod.engine.journal import Journal
from mockvod.engine.lifetime import LifeEnded
from mockvod.engine.push import Deliveries, Target, _signed
from mockvod.engine.push_client import PushClient, Response
from mockvod.settings import AccountSettings
from mockvod.wire.events import sign
from tests.limits import journal_limits

BODY = b'{"EventType":"FileDeleted"}'
TARGET = Target("http://receiver/")


class Receivers:
    """In place of a PushClient: requests that wait until the test answers them."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Response, asyncio.Future[None]]] = []

    async def post(self, _: object, response: Response, **__: object) -> None:
        answered = asyncio.get_running_loop().create_future()
        self.waiting.append((response, answered))
        await answered

    async def answer(self, count: int, status: int = 200) -> None:
        """Answer the *count* oldest requests."""
        for response, answered in self.waiting[:count]:
            response.status = status
            answered.set_result(None)
        del self.waiting[:count]
        for _ in range(5):  # turns that a sender takes until its next attempt
            await asyncio.sleep(0)


class Bench:
    """The deliveries of one application and all that they need; the clock is frozen."""

    def __init__(self, **settings: Any) -> None:
        self.settings = AccountSettings(**settings)
        self.clock = Clock(rate=0.0)
        self.events = Events(Journal(self.clock, lambda: journal_limits(1000)), lambda: self.settings)
        self.receivers = Receivers()
        self.deliveries = Deliveries(
            "the application", self.clock, self.events, lambda: self.settings, cast("PushClient", self.receivers)
        )

    async def deliver(self, count: int) -> list[Event]:
        events = [self.events.create(None, "FileDeleted", BODY[1:]) for _ in range(count)]
        for event in events:
            self.deliveries.deliver(event, [(TARGET, event.body)])
        await self.receivers.answer(0)
        return events

    @property
    def under_way(self) -> int:
        return len(self.receivers.waiting)


# What came of an attempt


def attempt(**facts: Any) -> Attempt:
    return Attempt(**{"number": 1, "url": "http://r/", "started_at": 0.0, "duration": 0.0, **facts})


@pytest.mark.parametrize(("status", "succeeded"), [(199, False), (200, True), (299, True), (300, False), (500, False)])
def test_an_attempt_succeeded_if_its_status_is_2xx(status: int, succeeded: bool) -> None:
    one = attempt(status=status)
    assert (one.succeeded, one.outcome) == (succeeded, f"status {status}")


def test_an_attempt_with_a_broken_response_did_not_succeed_whatever_its_status() -> None:
    one = attempt(status=200, error="broken response: cut short")
    assert (one.succeeded, one.outcome) == (False, "broken response: cut short")


# Sign and T


def test_without_a_sign_key_a_body_is_sent_unchanged() -> None:
    url, body = _signed(BODY, Target("http://r/?a=1"), "body", 1000)
    assert (str(url), body) == ("http://r/?a=1", BODY)


def test_sign_and_t_are_the_last_keys_of_the_body() -> None:
    _, body = _signed(BODY, Target("http://r/", "key"), "body", 1000)
    assert body == b'{"EventType":"FileDeleted","Sign":"%b","T":1000}' % sign("key", 1000).encode()


def test_sign_and_t_replace_parameters_of_their_names_in_a_query() -> None:
    url, _ = _signed(BODY, Target("http://r/?T=1&a=1", "key"), "query", 1000)
    assert dict(url.query) == {"a": "1", "T": "1000", "Sign": sign("key", 1000)}


# Concurrency


async def test_at_most_callback_concurrency_attempts_are_under_way() -> None:
    bench = Bench(callback_concurrency=3)
    events = await bench.deliver(5)
    assert bench.under_way == 3
    await bench.receivers.answer(1)
    assert bench.under_way == 3
    await bench.receivers.answer(3)
    assert bench.under_way == 1
    await bench.receivers.answer(1)
    assert {event.state for event in events} == {"delivered"}
    assert bench.deliveries.under_way == 0


@pytest.mark.parametrize("lowered_to", [1, 2])
async def test_a_lower_concurrency_holds_once_attempts_under_way_have_ended(lowered_to: int) -> None:
    bench = Bench(callback_concurrency=4)
    events = await bench.deliver(12)
    bench.settings = bench.settings.changed({"callback_concurrency": lowered_to})
    bench.deliveries.pump()
    assert bench.under_way == 4
    under_way = []
    while bench.under_way:
        await bench.receivers.answer(1)
        under_way.append(bench.under_way)
    assert under_way == [*range(3, lowered_to, -1), *[lowered_to] * (12 - 4 + 1), *range(lowered_to - 1, -1, -1)]
    assert {event.state for event in events} == {"delivered"}


async def test_a_higher_concurrency_holds_at_once() -> None:
    bench = Bench(callback_concurrency=1)
    await bench.deliver(5)
    bench.settings = bench.settings.changed({"callback_concurrency": 3})
    bench.deliveries.pump()
    await bench.receivers.answer(0)
    assert bench.under_way == 3
    await bench.deliveries.aclose()


async def test_a_pause_before_a_retry_does_not_count_as_an_attempt_under_way() -> None:
    bench = Bench(callback_concurrency=1, callback_retry_on_status=True, callback_retries=1, callback_pause=5)
    first, second = await bench.deliver(2)
    await bench.receivers.answer(1, status=500)
    assert (bench.under_way, bench.deliveries.under_way) == (1, 2)
    await bench.receivers.answer(1)
    assert (first.state, second.state) == ("delivering", "delivered")
    await bench.clock.advance(5)
    await bench.receivers.answer(1)
    assert first.state == "delivered"


# The end of their life


async def test_deliveries_whose_life_has_ended_raise() -> None:
    bench = Bench(callback_concurrency=1)
    events = await bench.deliver(3)
    bench.deliveries.close()
    bench.clock.close("the account", "reset")
    with pytest.raises(LifeEnded, match="the account was reset"):
        bench.deliveries.deliver(events[0], [(TARGET, BODY)])
    await bench.deliveries.aclose()
    assert {event.state for event in events} == {"delivering"}
    assert bench.deliveries.under_way == 0


async def test_deliveries_of_a_reset_application_take_no_work_although_its_life_goes_on() -> None:
    bench = Bench()
    [event] = await bench.deliver(1)
    await bench.deliveries.aclose()
    with pytest.raises(LifeEnded, match="was reset"):
        bench.deliveries.deliver(event, [(TARGET, BODY)])
