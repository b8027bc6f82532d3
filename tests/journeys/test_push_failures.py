"""Receivers that are absent, broken, slow or not to be trusted: every event still ends, and says why."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from struct import pack
from typing import Any

import pytest
import trustme
from aiohttp import ClientSession, web

from mockvod.app import Running
from tests.journeys.test_push import push_to
from tests.receivers import Answer, ended, free_port, hanging, receiving, saying
from tests.support import Caller, Receiver

Start = Callable[..., Awaitable[Running]]


@pytest.fixture
async def hasty(start: Start, session: ClientSession) -> Caller:
    """A caller of a server whose clock stands still and waits for no receiver longer than it must."""
    running = await start(settle_grace=0.05)
    await running.world.default.life.clock.freeze()
    return Caller(running, session)


async def failed(caller: Caller, **options: Any) -> dict[str, Any]:
    """An event pushed without further attempts, once it has failed."""
    await caller.control("PATCH", "/config", {"callback_retries": 0})
    [event] = await caller.emit(**options)
    assert await ended(caller.account, event["id"]) == ["failed"]
    return await caller.event(event["id"])


async def resetting(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))
    writer.transport.abort()


async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(65536 * b"x")
        await writer.drain()


async def dribbling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Begins to answer, and does not end."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    await reader.read()


# --- no connection


async def test_an_unreachable_receiver_fails_the_event_with_a_reason(caller: Caller) -> None:
    port = free_port()
    await push_to(caller, f"http://127.0.0.1:{port}")
    event = await failed(caller)
    [attempt] = event["attempts"]
    assert attempt["status"] is None
    assert attempt["error"] == f"cannot connect: 127.0.0.1 port {port}: Connection refused"
    assert event["timeline"][-1]["reason"] == attempt["error"]


async def test_a_name_that_is_not_found_fails_the_event(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    await push_to(caller, "http://receiver.invalid/callback")
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    event = await failed(caller)
    assert event["attempts"][0]["error"] == "name not found: receiver.invalid port 80: Name or service not known"


@pytest.mark.parametrize("url", ["http://receiver..invalid/", "http://%20/", f"http://{70 * 'x'}.invalid/"])
async def test_a_name_that_is_none_fails_the_event(caller: Caller, url: str) -> None:
    answer = await caller.control("PATCH", "/config", {"callback_url": url})
    if "error" not in answer:
        assert (await failed(caller))["attempts"][0]["error"]


# --- broken answers


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (resetting, "connection reset: "),
        (saying(b""), "connection closed: "),
        (saying(b"220 mail.example ESMTP\r\n"), "invalid HTTP response: "),
        (saying(b"HTTP/1.1 200 OK\r\nX-Large: " + 100_000 * b"x" + b"\r\n\r\n"), "invalid HTTP response: "),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}"), "broken response: "),
        (saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n"), "invalid HTTP response: "),
        (endless, "broken response: the body is longer than 1048576 bytes"),
    ],
    ids=["reset", "closed", "no-http", "huge-header", "cut-short", "bad-chunk", "endless"],
)
async def test_a_broken_response_fails_the_event_with_a_reason(caller: Caller, answer: Answer, error: str) -> None:
    async with receiving(answer) as url:
        await push_to(caller, url)
        event = await failed(caller)
    [attempt] = event["attempts"]
    assert attempt["error"].startswith(error)
    assert event["timeline"][-1]["reason"] == attempt["error"]


async def test_a_status_outside_2xx_fails_the_event_at_once(caller: Caller, receiver: Receiver) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=500, text="out of order")

    receiver.answering = answer
    await push_to(caller, receiver.url)
    [event] = await caller.emit()
    assert await ended(caller.account, event["id"]) == ["failed"]
    event = await caller.event(event["id"])
    [attempt] = event["attempts"]
    assert (attempt["status"], attempt["error"], attempt["answer"]) == (500, None, "out of order")
    assert event["timeline"][-1]["reason"] == "status 500"


async def test_a_status_outside_2xx_is_retried_with_callback_retry_on_status(
    caller: Caller, receiver: Receiver
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=200 if len(receiver.received) == 3 else 500)

    receiver.answering = answer
    await caller.clock.freeze()
    await push_to(caller, receiver.url, callback_retry_on_status=True)
    [event] = await caller.emit()
    await caller.clock.advance(2)
    event = await caller.event(event["id"])
    assert event["state"] == "delivered"
    assert [attempt["status"] for attempt in event["attempts"]] == [500, 500, 200]


async def test_a_redirect_is_not_followed(caller: Caller, receiver: Receiver) -> None:
    async def answer(_: web.Request) -> web.Response:
        raise web.HTTPFound("/elsewhere")

    receiver.answering = answer
    await push_to(caller, receiver.url)
    event = await failed(caller)
    assert event["attempts"][0]["status"] == 302
    assert [one.path for one in receiver.received] == ["/callback"]


async def test_a_compressed_response_is_not_decompressed(caller: Caller) -> None:
    bomb = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"
    async with receiving(saying(bomb)) as url:
        await push_to(caller, url)
        [event] = await caller.emit()
        assert await ended(caller.account, event["id"]) == ["delivered"]


# --- timeouts and retries


def times(event: dict[str, Any], start: float) -> list[tuple[float, float]]:
    """When its attempts began, counted from *start*, and how long they took."""
    return [(round(one["started_at"] - start, 3), one["duration"]) for one in event["attempts"]]


@pytest.mark.parametrize("answer", [hanging, dribbling], ids=["hanging", "dribbling"])
async def test_three_attempts_are_made_of_five_seconds_each_with_a_second_between(
    hasty: Caller, answer: Answer
) -> None:
    async with receiving(answer) as url:
        await push_to(hasty, url)
        start = hasty.clock.epoch()
        [event] = await hasty.emit()
        await hasty.clock.advance(16.9)
        assert (await hasty.event(event["id"]))["state"] == "delivering"
        await hasty.clock.advance(1000)
    event = await hasty.event(event["id"])
    assert event["state"] == "failed"
    assert times(event, start) == [(0, 5), (6, 5), (12, 5)]
    assert {one["error"] for one in event["attempts"]} == {"timeout: no complete response within 5 s"}
    assert event["timeline"][-1]["at"] == pytest.approx(start + 17)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"callback_retries": 0}, [(0, 5)]),
        ({"callback_retries": 5, "callback_pause": 0, "callback_timeout": 2}, [(2 * n, 2) for n in range(6)]),
        ({"callback_retries": 1, "callback_pause": "1m", "callback_timeout": "500ms"}, [(0, 0.5), (60.5, 0.5)]),
    ],
)
async def test_retries_pause_and_timeout_follow_the_settings(
    hasty: Caller, settings: dict[str, Any], expected: list[tuple[float, float]]
) -> None:
    async with receiving(hanging) as url:
        await push_to(hasty, url, **settings)
        start = hasty.clock.epoch()
        [event] = await hasty.emit()
        await hasty.clock.advance(100)
    event = await hasty.event(event["id"])
    assert (event["state"], times(event, start)) == ("failed", expected)


async def test_a_receiver_that_starts_meanwhile_gets_the_second_attempt(caller: Caller) -> None:
    port = free_port()
    await caller.clock.freeze()
    start = caller.clock.epoch()
    await push_to(caller, f"http://127.0.0.1:{port}/callback")
    [event] = await caller.emit()
    await caller.clock.advance(0)
    assert [one.what for one in caller.clock.waiting()] == [f"attempt 2 of {event['id']} is made"]
    async with receiving(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), port=port):
        await caller.clock.advance(1)
    event = await caller.event(event["id"])
    assert event["state"] == "delivered"
    assert times(event, start) == [(0, 0), (1, 0)]
    assert [one["status"] for one in event["attempts"]] == [None, 200]


async def test_the_clock_lists_deadlines_and_retries(hasty: Caller) -> None:
    async with receiving(hanging) as url:
        await push_to(hasty, url)
        await hasty.emit()
        await hasty.clock.advance(1)
        [due] = hasty.clock.waiting()
        assert due.what == f"a response of {url}"
        assert due.when == pytest.approx(hasty.clock.now() + 4)


# --- one receiver's trouble is not another's


async def test_a_hanging_receiver_does_not_hold_up_another_application(hasty: Caller, receiver: Receiver) -> None:
    async with receiving(hanging) as url:
        await push_to(hasty, url, callback_concurrency=2)
        slow = [event["id"] for event in await hasty.emit(count=5)]
        await push_to(hasty, receiver.url, app=2)
        answer = await hasty.control("POST", "/events", {"count": 20}, sub_app_id=2)
        quick = [event["id"] for event in answer["events"]]
        assert await ended(hasty.account, *quick) == 20 * ["delivered"]
        stats = await hasty.control("GET", "/stats")
        assert [one["deliveries"] for one in stats["applications"]] == [5, 0]
        await hasty.clock.advance(100)
        assert await ended(hasty.account, *slow) == 5 * ["failed"]


async def test_callback_concurrency_limits_concurrent_attempts(caller: Caller, receiver: Receiver) -> None:
    at_once = most = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1
        return web.Response()

    receiver.answering = answer
    await push_to(caller, receiver.url, callback_concurrency=3)
    events = await caller.emit(count=30)
    assert set(await ended(caller.account, *(event["id"] for event in events))) == {"delivered"}
    assert 1 <= most <= 3


async def test_a_larger_concurrency_applies_to_waiting_deliveries(hasty: Caller) -> None:
    async with receiving(hanging) as url:
        await push_to(hasty, url, callback_concurrency=1)
        await hasty.emit(count=4)
        assert len(hasty.clock.waiting()) <= 1
        await hasty.control("PATCH", "/config", {"callback_concurrency": 4})
        await hasty.clock.advance(0)
        assert len(hasty.clock.waiting()) == 4


# --- ends


async def test_a_reset_ends_deliveries_and_nothing_of_them_is_written_afterwards(
    hasty: Caller, receiver: Receiver
) -> None:
    account = hasty.account
    async with receiving(hanging) as url:
        await push_to(hasty, url, callback_concurrency=3)
        await push_to(hasty, f"http://127.0.0.1:{free_port()}", app=2)
        await hasty.emit(count=5)
        await hasty.emit(delay=60)
        await hasty.control("POST", "/events", {}, sub_app_id=2)
        await hasty.clock.advance(0)
        old = account.life.applications()
        answer = await hasty.control("POST", "/reset")
        assert (answer["events"], answer["deliveries"]) == (7, 6)
        assert all(not application.deliveries._senders for application in old)
        assert [one.deliveries.under_way for one in old] == [0, 0]
        await hasty.clock.advance(1000)
    assert [entry.what for entry in account.life.journal.since(0)] == ["reset"]
    assert len(account.life.events) == 0

    await push_to(hasty, receiver.url)
    [event] = await hasty.emit()
    assert await ended(account, event["id"]) == ["delivered"]


# --- https


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def server_tls(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names).configure_cert(context)
    return context


OK = saying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


async def test_a_certificate_of_an_unknown_authority_is_refused(caller: Caller, authority: trustme.CA) -> None:
    async with receiving(OK, tls=server_tls(authority, "127.0.0.1")) as url:
        await push_to(caller, url)
        event = await failed(caller)
    error = event["attempts"][0]["error"]
    assert error.startswith("TLS: ")
    assert "certificate verify failed" in error
    assert error.endswith("; set callback-ca to the authority that 127.0.0.1 is checked against")


async def test_a_self_signed_certificate_is_refused_and_named(caller: Caller, authority: trustme.CA) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with authority.cert_pem.tempfile() as certificate, authority.private_key_pem.tempfile() as key:
        context.load_cert_chain(certificate, key)
    async with receiving(OK, tls=context) as url:
        await push_to(caller, url)
        assert "self-signed certificate" in (await failed(caller))["attempts"][0]["error"]


async def test_a_certificate_of_the_authority_in_callback_ca_is_accepted(
    caller: Caller, authority: trustme.CA, tmp_path: Path
) -> None:
    pem = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(pem))
    async with receiving(OK, tls=server_tls(authority, "127.0.0.1")) as url:
        await push_to(caller, url, callback_ca=str(pem))
        [event] = await caller.emit()
        assert await ended(caller.account, event["id"]) == ["delivered"]


async def test_a_certificate_of_another_host_is_refused(caller: Caller, authority: trustme.CA, tmp_path: Path) -> None:
    pem = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(pem))
    async with receiving(OK, tls=server_tls(authority, "other.example")) as url:
        await push_to(caller, url, callback_ca=str(pem))
        error = (await failed(caller))["attempts"][0]["error"]
    assert error.startswith("TLS: ")
    assert "127.0.0.1" in error


async def test_a_renewed_authority_file_counts_from_the_next_attempt(
    caller: Caller, authority: trustme.CA, tmp_path: Path
) -> None:
    pem = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(pem))
    async with receiving(OK, tls=server_tls(authority, "127.0.0.1")) as url:
        await push_to(caller, url, callback_ca=str(pem))
        event = await failed(caller)
        authority.cert_pem.write_to_path(str(pem))
        await caller.control("POST", f"/events/{event['id']}/redeliver")
        assert await ended(caller.account, event["id"]) == ["delivered"]
        pem.unlink()
        assert (await failed(caller))["attempts"][0]["error"].startswith("FileNotFoundError: ")


async def test_https_towards_a_receiver_without_it_fails_with_a_reason(caller: Caller, receiver: Receiver) -> None:
    await push_to(caller, receiver.url.replace("http:", "https:"))
    assert (await failed(caller))["attempts"][0]["error"].startswith("TLS: ")
