"""Callback faults, as a receiver meets them."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientSession

from mockvod.app import Running
from mockvod.wire.events import sign
from tests.receivers import ended, receiving, saying
from tests.support import Caller, Received, Receiver

Start = Callable[..., Awaitable[Running]]


@pytest.fixture
async def pushing(start: Start, session: ClientSession, receiver: Receiver) -> Caller:
    """A caller of a server that pushes to the receiver, whose clock stands still."""
    caller = Caller(await start(callback_url=receiver.url, sign_key="key", settle_grace=0.05), session)
    await caller.clock.freeze()
    return caller


async def put(caller: Caller, fault: str, **given: Any) -> None:
    assert len((await caller.control("POST", "/faults", {"fault": fault, **given}))["faults"]) == 1


async def push(caller: Caller, receiver: Receiver) -> Received:
    """What a receiver got of an event that has been delivered."""
    [event] = await caller.emit()
    assert await ended(caller.account, event["id"]) == ["delivered"]
    return receiver.received[-1]


async def test_the_sign_is_made_with_another_key(pushing: Caller, receiver: Receiver) -> None:
    await put(pushing, "wrong-sign", when={"first": 1})
    content = (await push(pushing, receiver)).event
    assert content["Sign"] != sign("key", content["T"])
    content = (await push(pushing, receiver)).event
    assert content["Sign"] == sign("key", content["T"])


async def test_the_sign_has_expired(pushing: Caller, receiver: Receiver) -> None:
    await put(pushing, "expired-sign", seconds=60)
    content = (await push(pushing, receiver)).event
    assert content["Sign"] == sign("key", content["T"])
    assert content["T"] == int(pushing.clock.epoch() - 60)


@pytest.mark.parametrize("fault", ["wrong-sign", "expired-sign"])
async def test_without_a_sign_key_there_is_no_sign_to_be_wrong(pushing: Caller, receiver: Receiver, fault: str) -> None:
    await pushing.control("PATCH", "/config", {"sign_key": ""})
    await put(pushing, fault)
    assert "Sign" not in (await push(pushing, receiver)).event
    assert [one["fired"] for one in (await pushing.control("GET", "/faults"))["faults"]] == [0]


async def test_the_body_is_truncated_with_a_matching_content_length(pushing: Caller, receiver: Receiver) -> None:
    whole = (await push(pushing, receiver)).body
    await put(pushing, "truncated-body", share=0.5)
    received = await push(pushing, receiver)
    assert 0.4 < len(received.body) / len(whole) < 0.6
    assert received.headers["Content-Length"] == str(len(received.body))
    with pytest.raises(json.JSONDecodeError):
        json.loads(received.body)


async def test_the_body_is_no_json(pushing: Caller, receiver: Receiver) -> None:
    await put(pushing, "malformed-body")
    with pytest.raises(json.JSONDecodeError):
        json.loads((await push(pushing, receiver)).body)


async def test_the_body_comes_slowly(pushing: Caller, receiver: Receiver) -> None:
    await put(pushing, "slow-sending", seconds=4)
    [event] = await pushing.emit()
    await pushing.clock.advance(3.9)
    assert receiver.received == []
    await pushing.clock.advance(0.1)
    assert await ended(pushing.account, event["id"]) == ["delivered"]
    received = receiver.received[0]
    assert received.event["EventType"] == event["event_type"]
    assert received.headers["Content-Length"] == str(len(received.body))


async def test_a_body_that_is_sent_too_slowly_times_out_and_is_retried(pushing: Caller, receiver: Receiver) -> None:
    await put(pushing, "slow-sending", seconds=6, when={"first": 1})
    [event] = await pushing.emit()
    await pushing.clock.advance(6)
    assert await ended(pushing.account, event["id"]) == ["delivered"]
    attempts = (await pushing.event(event["id"]))["attempts"]
    assert [(one["status"], (one["error"] or "").partition(":")[0]) for one in attempts] == [
        (None, "timeout"),
        (200, ""),
    ]


async def test_the_connection_is_closed_midway_and_the_event_sent_again(start: Start, session: ClientSession) -> None:
    heads: list[int] = []
    whole = asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        expected = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        try:
            await reader.readexactly(expected)
        except asyncio.IncompleteReadError as cut:
            heads.append(len(cut.partial) * 100 // expected)
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            whole.set()
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        caller = Caller(await start(callback_url=url, callback_pause=0), session)
        await put(caller, "close-midway", share=0.5, when={"first": 1})
        [event] = await caller.emit()
        assert await ended(caller.account, event["id"]) == ["delivered"]
    finally:
        server.close()
        await server.wait_closed()
    assert whole.is_set()
    assert len(heads) == 1
    assert 40 <= heads[0] <= 50
    first, second = (await caller.event(event["id"]))["attempts"]
    assert first["error"].startswith("connection reset")
    assert second["status"] == 200


async def test_an_event_is_pushed_again_after_a_success(pushing: Caller, receiver: Receiver) -> None:
    await put(pushing, "repeat", times=2, after=10)
    await push(pushing, receiver)
    for times in (2, 3, 3):
        await pushing.clock.advance(10)
        assert len(receiver.received) == times
    assert len({received.event["SnapshotByTimeOffsetCompleteEvent"]["TaskId"] for received in receiver.received}) == 1
    whats = [entry["what"] for entry in (await pushing.event("evt_000001"))["timeline"]]
    once = ["delivering", "attempt", "delivered"]
    assert whats == [*once, "fault", *once, "fault", *once]


async def test_a_repetition_goes_to_every_target(pushing: Caller, receiver: Receiver) -> None:
    await pushing.control("PATCH", "/config", {"callback_format": "both", "callback_url_v2": receiver.url + "/v2"})
    await put(pushing, "repeat")
    await push(pushing, receiver)
    await pushing.clock.advance(0)
    paths = [received.path for received in receiver.received]
    assert sorted(paths) == ["/callback", "/callback", "/callback/v2", "/callback/v2"]


async def test_an_event_is_not_repeated_where_it_was_not_delivered(start: Start, session: ClientSession) -> None:
    async with receiving(saying(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")) as url:
        caller = Caller(await start(callback_url=url), session)
        await put(caller, "repeat")
        [event] = await caller.emit()
        assert await ended(caller.account, event["id"]) == ["failed"]
    assert [one["seen"] for one in (await caller.control("GET", "/faults"))["faults"]] == [0]


async def test_a_scope_limits_callback_faults(pushing: Caller, receiver: Receiver) -> None:
    await put(pushing, "malformed-body", scope={"event_type": "FileDeleted"})
    (await push(pushing, receiver)).event  # noqa: B018 - it is JSON
    await pushing.emit(event={"EventType": "FileDeleted", "FileDeleteEvent": {"FileId": "2"}})
    await ended(pushing.account, "evt_000002")
    with pytest.raises(json.JSONDecodeError):
        json.loads(receiver.received[-1].body)


async def test_a_reset_ends_a_slow_callback_at_once_on_a_frozen_clock(pushing: Caller, receiver: Receiver) -> None:
    await put(pushing, "slow-sending", seconds=1000)
    await pushing.emit()
    old = pushing.account.life.application().deliveries
    assert old.under_way == 1
    await pushing.control("POST", "/reset")
    assert old.under_way == 0
    assert receiver.received == []
