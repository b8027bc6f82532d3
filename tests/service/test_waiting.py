"""Waiting for a state over the control API, and the reasons for a timeout."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientSession, TCPConnector, web

from mockvod.app import Running
from tests.listeners import listening
from tests.polls import polls_held
from tests.support import Caller, Receiver

Start = Callable[..., Awaitable[Running]]


async def waited(caller: Caller, *states: str, whom: dict[str, Any] | None = None, **options: Any) -> list[str]:
    """The ids of the events that a wait found."""
    answer = await caller.control("POST", "/wait", {"state": list(states), **options}, **(whom or {}))
    assert "error" not in answer, answer
    return [event["id"] for event in answer["events"]]


async def in_vain(caller: Caller, *states: str, whom: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    """The answer to a wait whose time is over at once."""
    body = {"state": list(states), "timeout": 0, **options}
    answer: dict[str, Any] = await caller.control("POST", "/wait", body, **(whom or {}))
    assert answer["error"]["code"] == "timeout", answer
    return answer


async def why(caller: Caller, *states: str, whom: dict[str, Any] | None = None, **options: Any) -> str:
    """The likeliest reason of a timeout."""
    answer = await in_vain(caller, *states, whom=whom, **options)
    assert "; ".join(answer["reasons"]) in answer["error"]["message"]
    return str(answer["reasons"][0])


async def pull(caller: Caller) -> list[str]:
    return [event["EventHandle"] for event in (await caller.call("PullEvents"))["EventSet"]]


async def hang(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


# What is seen


async def test_a_wait_sees_what_happened_before_it(caller: Caller) -> None:
    [event] = await caller.emit()
    await caller.call("ConfirmEvents", EventHandles=await pull(caller))
    for state in ("queued", "leased", "confirmed"):
        assert await waited(caller, state, timeout=0) == [event["id"]]


async def test_a_wait_ends_with_the_entry_that_it_waits_for(caller: Caller) -> None:
    [event] = await caller.emit()
    wait = asyncio.create_task(waited(caller, "confirmed"))
    await listening(caller.account.life.events, 1)
    handles = await pull(caller)
    assert not wait.done()
    await caller.call("ConfirmEvents", EventHandles=handles)
    assert await wait == [event["id"]]
    assert caller.account.life.journal._listeners == []


async def test_a_wait_may_leave_out_what_happened_before(caller: Caller) -> None:
    [first] = await caller.emit()
    answer = await caller.control("POST", "/wait", {"state": "queued"})
    assert (
        await why(caller, "queued", since=answer["seq"]) == f"{first['id']} was already queued before journal entry 1"
    )
    [second] = await caller.emit()
    assert await waited(caller, "queued", since=answer["seq"]) == [second["id"]]


async def test_an_event_whose_lease_ends_is_seen_again(caller: Caller) -> None:
    await caller.clock.freeze()
    [event] = await caller.emit()
    await pull(caller)
    seq = caller.account.life.journal.seq
    await caller.clock.advance(30)
    assert await waited(caller, "queued", since=seq) == [event["id"]]


async def test_a_wait_for_several_ends_with_the_last_of_them(caller: Caller) -> None:
    await caller.emit()
    wait = asyncio.create_task(waited(caller, "queued", count=3))
    await listening(caller.account.life.events, 1)
    await caller.emit()
    assert not wait.done()
    await caller.emit()
    assert await wait == ["evt_000001", "evt_000002", "evt_000003"]


async def test_an_event_that_comes_into_the_state_twice_counts_once(caller: Caller) -> None:
    await caller.clock.freeze()
    await caller.emit()
    wait = asyncio.create_task(in_vain(caller, "leased", "queued", count=2, timeout=0.05))
    await listening(caller.account.life.events, 1)
    await pull(caller)
    assert "1 of 2 events" in (await wait)["error"]["message"]


async def test_any_of_several_states_will_do(caller: Caller, receiver: Receiver) -> None:
    await caller.control("PATCH", "/config", {"mode": "PUSH"}, sub_app_id=1)
    await caller.control("PATCH", "/config", {"callback_url": receiver.url}, sub_app_id=2)
    for sub_app_id in (1, 2):
        await caller.control("POST", "/events", sub_app_id=sub_app_id)
    assert sorted(await waited(caller, "delivered", "failed", count=2)) == ["evt_000001", "evt_000002"]


async def test_a_wait_matches_events_by_their_fields(caller: Caller) -> None:
    await caller.emit(task_id="ü/1", file_id="17")
    await caller.emit(task_id="two", file_id="17")
    await caller.emit(event={"EventType": "FileDeleted", "FileDeleteEvent": {}})
    await caller.control("POST", "/events", {"task_id": "two"}, sub_app_id=5)
    assert await waited(caller, "queued", id="evt_000002") == ["evt_000002"]
    assert await waited(caller, "queued", task_id="ü/1") == ["evt_000001"]
    assert await waited(caller, "queued", task_id="two", count=2) == ["evt_000002", "evt_000004"]
    assert await waited(caller, "queued", task_id="two", whom={"sub_app_id": 5}) == ["evt_000004"]
    assert await waited(caller, "queued", task_id="two", whom={"sub_app_id": 0}) == ["evt_000002"]
    assert await waited(caller, "queued", file_id="17", count=2) == ["evt_000001", "evt_000002"]
    assert await waited(caller, "queued", event_type="FileDeleted") == ["evt_000003"]
    # A TaskId is compared as a whole, and with the TaskId: not with what merely contains it.
    assert await why(caller, "queued", task_id="17") == "no event of the default account matches task_id 17"


async def test_a_hundred_waits_end_at_once(caller: Caller) -> None:
    async with ClientSession(connector=TCPConnector(limit=0)) as many:
        waiter = Caller(caller.running, many)
        waits = [asyncio.create_task(waited(waiter, "queued", task_id=f"t{number % 10}")) for number in range(100)]
        await listening(caller.account.life.events, 100)
        for number in range(10):
            await caller.emit(task_id=f"t{number}")
        found = await asyncio.gather(*waits)
    assert found == [[f"evt_{number % 10 + 1:06d}"] for number in range(100)]
    assert caller.account.life.journal._listeners == []


async def test_a_wait_whose_client_hangs_up_leaves_nothing_behind(caller: Caller) -> None:
    wait = asyncio.create_task(waited(caller, "queued", timeout=60))
    await listening(caller.account.life.events, 1)
    wait.cancel()
    gone = asyncio.Event()

    class Watched(list[Any]):
        def remove(self, listener: Any) -> None:
            super().remove(listener)
            gone.set()

    caller.account.life.journal._listeners = watched = Watched(caller.account.life.journal._listeners)
    async with asyncio.timeout(5):
        while watched:
            await gone.wait()


async def test_a_wait_ends_with_the_server(start: Start, session: ClientSession) -> None:
    caller = Caller(await start(), session)
    wait = asyncio.create_task(caller.control("POST", "/wait", {"state": "queued", "timeout": 60}))
    await listening(caller.account.life.events, 1)
    caller.running.world.begin_shutdown()
    assert (await wait)["error"]["code"] == "stopping"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "give either state or settled"),
        ({"state": "queued", "settled": True}, "give either state or settled"),
        ({"state": []}, "at least 1"),
        ({"state": "done"}, "'done'"),
        ({"state": "queued", "count": 0}, "count: "),
        ({"state": "queued", "timeout": 1e9}, "timeout"),
        ({"state": "queued", "id": "1"}, "'1'"),
    ],
)
async def test_an_invalid_wait_is_refused(caller: Caller, given: dict[str, Any], said: str) -> None:
    error = (await caller.control("POST", "/wait", given))["error"]
    assert error["code"] == "bad_value"
    assert said in error["message"]


# Why not


async def test_a_wait_that_times_out_shows_what_was_seen_instead(caller: Caller) -> None:
    await caller.clock.freeze()
    for _ in range(25):
        await caller.emit()
    await pull(caller)
    answer = await in_vain(caller, "confirmed", count=2)
    assert answer["error"]["message"] == (
        "0 of 2 events (any event) have been confirmed within 0 s: "
        "evt_000001 was pulled but not confirmed; a frozen clock stops its lease"
    )
    assert len(answer["seen"]) == 20
    first = answer["seen"][0]
    assert (first["id"], first["state"]) == ("evt_000001", "leased")
    assert [entry["what"] for entry in first["timeline"]] == ["queued", "leased"]
    assert answer["waiting"][0]["within"] == 30


async def test_a_timeout_names_pull_mode(caller: Caller) -> None:
    await caller.emit()
    assert await why(caller, "delivered") == (
        "the default application is in PULL mode: set callback-url or mode PUSH to have events pushed"
    )


async def test_a_timeout_names_push_mode(caller: Caller, receiver: Receiver) -> None:
    await caller.control("PATCH", "/config", {"callback_url": receiver.url})
    await caller.emit()
    await waited(caller, "delivered")
    assert await why(caller, "leased") == (
        "the default application is in PUSH mode: its events are pushed, and PullEvents finds none"
    )


async def test_a_timeout_names_the_missing_callback_url(caller: Caller) -> None:
    await caller.control("PATCH", "/config", {"mode": "PUSH"})
    await caller.emit()
    assert await why(caller, "delivered") == (
        "evt_000001 failed: the default application is in PUSH mode and has no callback URL"
    )


async def test_a_timeout_says_that_no_client_pulled(caller: Caller) -> None:
    await caller.emit()
    assert await why(caller, "leased") == "evt_000001 is in the queue of the default application; no client pulled it"


async def test_a_timeout_says_that_an_event_was_not_confirmed(caller: Caller) -> None:
    await caller.emit()
    await pull(caller)
    assert await why(caller, "confirmed") == "evt_000001 was pulled but not confirmed"


async def test_a_timeout_counts_pulls_without_a_confirm(caller: Caller) -> None:
    await caller.clock.freeze()
    await caller.emit()
    for times in ("1 time", "2 times"):
        await pull(caller)
        await caller.clock.advance(30)
        assert (await why(caller, "confirmed")).endswith(f"it was pulled {times} and not confirmed")


async def test_a_timeout_names_the_outcome_of_the_last_attempt(caller: Caller, receiver: Receiver) -> None:
    async def refuse(_: web.Request) -> web.StreamResponse:
        return web.Response(status=503)

    receiver.answering = refuse
    await caller.control("PATCH", "/config", {"callback_url": receiver.url})
    await caller.emit()
    await waited(caller, "failed")
    assert await why(caller, "delivered") == "evt_000001 failed: status 503"


async def test_a_timeout_says_that_a_frozen_clock_stops_retries(caller: Caller) -> None:
    await caller.clock.freeze()
    await caller.control("PATCH", "/config", {"callback_url": "http://127.0.0.1:9/"})
    await caller.emit()
    await caller.control("POST", "/wait", {"settled": True})
    reason = await why(caller, "delivered")
    assert reason.startswith("evt_000001 is being delivered, 1 attempt failed so far, the last with cannot connect")
    assert reason.endswith("; a frozen clock stops retries")


async def test_a_timeout_says_that_no_attempt_has_ended(caller: Caller, receiver: Receiver) -> None:
    receiver.answering = hang
    await caller.control("PATCH", "/config", {"callback_url": receiver.url})
    await caller.emit()
    await receiver.wait_for(1)
    assert await why(caller, "delivered") == "evt_000001 is being delivered, no attempt has ended"


async def test_a_timeout_names_a_scheduled_event(caller: Caller) -> None:
    await caller.emit(delay=60)
    assert await why(caller, "queued") == "evt_000001 is scheduled for a later time"
    await caller.clock.freeze()
    assert (await why(caller, "queued")).endswith(", and the clock is frozen")


async def test_a_timeout_names_a_terminal_state(caller: Caller) -> None:
    await caller.emit()
    await caller.call("ConfirmEvents", EventHandles=await pull(caller))
    assert await why(caller, "expired") == "evt_000001 is confirmed"


async def test_a_timeout_says_that_there_was_no_event(caller: Caller) -> None:
    assert (await in_vain(caller, "queued"))["reasons"] == [
        "no event has happened in the default account since it was made or reset"
    ]


async def test_a_timeout_says_that_no_other_event_matches(caller: Caller) -> None:
    await caller.emit()
    assert await why(caller, "queued", count=2) == "no other event matches"


async def test_events_of_another_account_are_not_mentioned(caller: Caller) -> None:
    for name in ("AKIDone", "AKIDtwo"):
        await caller.control("POST", "/accounts", {"secret_id": name})
    await caller.control("POST", "/events", {"task_id": "mine"}, secret_id="AKIDone")
    answer = await in_vain(caller, "queued", task_id="mine", whom={"secret_id": "AKIDtwo"})
    assert answer["reasons"] == ["no event has happened in account AKIDtwo since it was made or reset"]


async def test_a_timeout_names_the_application_that_has_the_event(caller: Caller) -> None:
    await caller.emit()
    answer = await in_vain(caller, "queued", whom={"sub_app_id": 5})
    assert answer["reasons"] == [
        "no event of the default account matches application 5",
        "matching events are in the default application: pass its sub_app_id",
    ]


async def test_a_timeout_counts_evicted_events(start: Start, session: ClientSession) -> None:
    caller = Caller(await start(history_events=0), session)
    await caller.emit()
    await caller.call("ConfirmEvents", EventHandles=await pull(caller))
    assert (await in_vain(caller, "confirmed"))["reasons"] == [
        "no event of the default account matches any event",
        "1 event was evicted after the end (history-events, history-bytes)",
    ]


# Nothing more happens


async def settled(caller: Caller, **options: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await caller.control("POST", "/wait", {"settled": True, **options})
    return answer


async def test_a_frozen_clock_is_settled_at_once_however_long_quiet_would_take(caller: Caller) -> None:
    await caller.clock.freeze()
    await caller.emit(delay=5)
    assert (await settled(caller, quiet=60, timeout=60))["events"] == []


async def test_a_frozen_clock_is_not_settled_before_a_receiver_has_responded(
    caller: Caller, receiver: Receiver
) -> None:
    answering = asyncio.Event()

    async def answer(_: web.Request) -> web.StreamResponse:
        await answering.wait()
        return web.Response()

    receiver.answering = answer
    await caller.clock.freeze()
    await caller.control("PATCH", "/config", {"callback_url": receiver.url, "settle_grace": 60})
    await caller.emit()
    await receiver.wait_for(1)
    answer_to_nobody = await settled(caller, timeout=0.02)
    assert answer_to_nobody["reasons"] == ["deliveries under way: 1"]
    assert [event["state"] for event in answer_to_nobody["seen"]] == ["delivering"]
    wait = asyncio.create_task(settled(caller))
    answering.set()
    assert (await wait)["seq"] == caller.account.life.journal.seq
    assert (await caller.event("evt_000001"))["state"] == "delivered"


async def test_a_blocked_poll_does_not_keep_the_clock_from_settling(caller: Caller) -> None:
    await caller.clock.freeze()
    poll = asyncio.create_task(caller.call("PullEvents"))
    await polls_held(caller.account.life.application().queue, 1)
    assert "error" not in await settled(caller, timeout=1)
    await caller.clock.advance(5)
    await poll


async def test_a_running_clock_is_settled_after_a_quiet_while(caller: Caller, receiver: Receiver) -> None:
    await caller.control("PATCH", "/config", {"callback_url": receiver.url})
    await caller.emit(count=5)
    assert "error" not in await settled(caller, quiet=0.01)
    assert (await caller.control("GET", "/stats"))["counts"]["delivered"] == 5


async def test_a_running_clock_is_not_settled_while_a_receiver_hangs(caller: Caller, receiver: Receiver) -> None:
    receiver.answering = hang
    await caller.control("PATCH", "/config", {"callback_url": receiver.url})
    await caller.emit()
    await receiver.wait_for(1)
    assert (await settled(caller, quiet=0.01, timeout=0.05))["reasons"] == ["deliveries under way: 1"]


async def test_a_running_clock_is_not_settled_while_journal_entries_are_written(caller: Caller) -> None:
    wait = asyncio.create_task(settled(caller, quiet=10, timeout=0.05))
    await listening(caller.account.life.journal, 1)
    caller.account.life.journal.note("configured")
    assert (await wait)["reasons"] == ["new journal entries keep coming"]
