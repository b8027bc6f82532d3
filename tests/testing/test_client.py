"""The clients of the control API: alike in both forms, and telling what the server said."""

import asyncio
import gc
import inspect
import re
import socket
import threading
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from mockvod.app import Running
from mockvod.testing import AsyncClient, Client, Event, Media, MockVodError, Unreachable, WaitTimeout
from mockvod.testing.calls import Call, Calls, ClockCalls, method
from tests.background import Background, in_background


@pytest.fixture(scope="module")
def server() -> Iterator[Background]:
    with in_background() as server:
        yield server


@pytest.fixture
def client(server: Background) -> Iterator[Client]:
    """Of an account of its own."""
    with Client(server.url) as anyone:
        made = anyone.make_account(seed=7)
    with Client(server.url, secret_id=made.secret_id) as client:
        yield client


@pytest.fixture
async def async_client(start: Callable[..., Awaitable[Running]]) -> AsyncIterator[AsyncClient]:
    running = await start()
    async with AsyncClient(running.url) as client:
        yield client


# Two forms of one client


def calls_of(kind: type) -> set[str]:
    return {name for name, member in vars(kind).items() if isinstance(member, method)}


def test_a_call_has_its_own_signature_and_docstring_on_both_clients() -> None:
    for client in (Client(), AsyncClient()):
        assert list(inspect.signature(client.redeliver).parameters) == ["event_id"]
        assert client.redeliver.__doc__ == Calls.__dict__["redeliver"].__doc__


def test_every_call_is_documented() -> None:
    calls = [vars(kind)[name] for kind in (Calls, ClockCalls) for name in calls_of(kind)]
    assert len(calls) > 25
    assert [call for call in calls if not call.__doc__] == []


def test_events_and_their_ends(client: Client) -> None:
    [event] = client.emit(task_id="mine", time_offsets=[1000], count=None)
    assert isinstance(event, Event)
    assert (event.id, event.state, event.task_id) == ("evt_000001", "queued", "mine")
    assert client.events(state=["queued", "leased"], task_id="mine") == [event]
    assert client.events(state="confirmed") == []
    assert client.wait_for("queued", event_id=event.id) == [event]
    reported = client.event(event.id)
    assert [entry["what"] for entry in reported.timeline] == ["queued"]
    assert reported.content["SnapshotByTimeOffsetCompleteEvent"]["TaskId"] == "mine"
    assert str(reported).startswith("evt_000001 CreateSnapshotByTimeOffsetComplete: queued\n")
    assert client.stats()["counts"]["queued"] == 1
    assert client.journal_end() == 1
    assert client.journal(since=0)[0]["event"] == event.id
    assert client.reset()["events"] == 1


async def test_events_and_their_ends_awaited(async_client: AsyncClient) -> None:
    client = async_client
    [event] = await client.emit(task_id="mine", time_offsets=[1000])
    assert await client.events(state=["queued", "leased"], task_id="mine") == [event]
    assert await client.wait_for(["queued"], event_id=event.id) == [event]
    assert (await client.event(event.id)).timeline[0]["what"] == "queued"
    assert (await client.stats())["counts"]["queued"] == 1
    assert (await client.journal_end(), len(await client.journal())) == (1, 1)
    await client.wait_until_settled(quiet=0.01)
    assert (await client.config(poll_hold=1))["poll_hold"] == 1
    assert (await client.clock.freeze()).frozen
    assert (await client.clock.advance(3)).happened == []
    assert (await client.clock.set(5)).now == 5
    assert (await client.clock.scale(2)).rate == 2
    assert not (await client.clock.release()).frozen
    assert (await client.clock()).rate == 1
    made = await client.make_account(seed=7)
    assert [one.secret_id for one in await client.accounts()] == ["", made.secret_id]
    assert (await client.delete_account(made.secret_id)).secret_id == made.secret_id
    assert await client.ready()
    assert (await client.reset())["events"] == 1


def test_media_and_procedures(client: Client) -> None:
    made = client.declare_media(file_id="1", duration=12.5, fails_with="InternalError")
    assert isinstance(made, Media)
    assert (made.file_id, made.duration, made.video, made.fails_with) == ("1", 12.5, None, "InternalError")
    assert client.media() == [made]
    client.declare_procedure(
        "Covers a/b", {"ext_time_offsets": ["10%"]}, {"definition": 20, "ext_time_offsets": ["1s"]}
    )
    with pytest.raises(MockVodError, match="ext_time_offsets"):
        client.declare_procedure("Covers", {})


async def test_media_and_procedures_awaited(async_client: AsyncClient) -> None:
    made = await async_client.declare_media(duration=12.5)
    assert await async_client.media() == [made]
    await async_client.declare_procedure("Covers", {"ext_time_offsets": ["10%"]})


def test_a_test_says_that_a_file_was_uploaded(client: Client) -> None:
    client.config(upload_media_complete_event_switch="ON")
    made = client.upload(name="holiday", media_type="mov", file_id="17", size=5, source_context="order-1")
    assert (made.file_id, made.name, made.media_type, made.size, made.state) == ("17", "holiday", "mov", 5, "finished")
    [event] = client.events(event_type="NewFileUpload")
    assert (event.id, event.file_id) == (made.event, "17")
    assert client.uploads() == [replace(made, event=None)]
    with pytest.raises(MockVodError, match=r"media_type: .*exe"):
        client.upload(media_type="exe")


async def test_a_test_says_that_a_file_was_uploaded_awaited(async_client: AsyncClient) -> None:
    made = await async_client.upload()
    assert made.event is None
    assert await async_client.uploads() == [made]
    assert (await async_client.storage_host()).endswith(".cos.ap-guangzhou.myqcloud.com")


def test_more_events_than_a_page_holds_are_all_there(client: Client) -> None:
    client.emit(count=2500)
    assert [int(event.id[4:]) for event in client.events()] == list(range(1, 2501))
    assert [int(event.id[4:]) for event in client.events(limit=1200)] == list(range(1301, 2501))
    assert [event.id for event in client.events(limit=1, state="queued")] == ["evt_002500"]


def test_the_clock(client: Client) -> None:
    assert client.clock.freeze().frozen
    client.emit(delay=60)
    state = client.clock.advance(61)
    assert [entry["what"] for entry in state.happened] == ["queued"]
    assert client.clock.set(1_000_000_000).now == 1_000_000_000
    assert client.clock.scale(60).rate == 60
    assert client.clock.release().rate == 1
    assert not client.clock().frozen


def test_settings(client: Client) -> None:
    assert client.config()["poll_hold"] == 5
    assert client.config(poll_hold="100ms", mode="PUSH")["poll_hold"] == 0.1


def test_accounts(client: Client) -> None:
    made = client.make_account(secret_id="AKIDmade", frozen=True, config={"mode": "PUSH"})
    assert made.secret_key
    mine = Client(client.url, secret_id="AKIDmade")
    assert mine.clock().frozen
    assert mine.config()["mode"] == "PUSH"
    assert "AKIDmade" in {one.secret_id for one in client.accounts()}
    client.delete_account("AKIDmade")
    with pytest.raises(MockVodError, match="was deleted"):
        mine.events()
    mine.close()


def test_a_client_of_an_application_calls_for_it(server: Background, client: Client) -> None:
    with Client(server.url, secret_id=client.secret_id, sub_app_id=5) as other:
        other.emit()
        client.emit()
        assert [event.sub_app_id for event in other.events()] == [5]
        assert len(client.events()) == 2


def test_an_event_is_redelivered(client: Client) -> None:
    client.config(mode="PUSH")
    [event] = client.emit()
    assert event.state == "failed"
    client.config(mode="PULL")
    assert client.redeliver(event.id).state == "queued"


# What goes wrong


@pytest.mark.parametrize(
    ("ask", "status", "code", "argument"),
    [
        (lambda client: client.emit(count=0), 400, "bad_value", "count"),
        (lambda client: client.emit(err_code=5), 400, "contradiction", "err_code"),
        (lambda client: client.config(mdoe="PUSH"), 400, "unknown_field", "mdoe"),
        (lambda client: client.config(mode="BOTH"), 400, "bad_value", "mode"),
        (lambda client: client.event("evt_9"), 404, "no_such_event", "event_id"),
        (lambda client: client.event("a/b?c"), 404, "no_such_event", "event_id"),
        (lambda client: client.wait_for("queued", event_id="7"), 400, "bad_value", "event_id"),
        (lambda client: client.clock.advance(-1), 400, "bad_value", "seconds"),
        (lambda client: client.fault("dupliacte"), 400, "bad_value", "name"),
        (lambda client: client.recipe("flaky"), 400, "bad_value", "name"),
        (lambda client: client.delete_account("no"), 404, "no_such_account", "secret_id"),
    ],
)
def test_a_rejected_call_raises_an_error_that_names_the_python_argument(
    client: Client, ask: Callable[[Client], Any], status: int, code: str, argument: str
) -> None:
    with pytest.raises(MockVodError) as error:
        ask(client)
    assert (error.value.status, error.value.code, error.value.field) == (status, code, argument)
    assert str(error.value) == error.value.message


def test_the_message_names_the_python_argument_too(client: Client) -> None:
    with pytest.raises(MockVodError, match=r"^seconds: "):
        client.clock.advance(-1)


def test_an_argument_that_json_has_no_form_for_is_named(client: Client) -> None:
    with pytest.raises(TypeError, match=r"^delay: Object of type object is not JSON serializable"):
        client.emit(file_id="1", delay=object())  # type: ignore[arg-type]


async def test_a_rejected_call_raises_when_awaited_too(async_client: AsyncClient) -> None:
    with pytest.raises(MockVodError) as error:
        await async_client.emit(count=0)
    assert (error.value.code, error.value.field) == ("bad_value", "count")
    with pytest.raises(WaitTimeout):
        await async_client.wait_for("queued", timeout=0)


def test_a_timeout_shows_reasons_timelines_and_the_likely_cause(client: Client) -> None:
    client.clock.freeze()
    client.emit(count=2, task_id="mine")
    with pytest.raises(WaitTimeout) as error:
        client.wait_for("confirmed", task_id="mine", timeout=0)
    assert len(error.value.reasons) == 1
    assert [event.id for event in error.value.seen] == ["evt_000001", "evt_000002"]
    assert [one.code for one in error.value.findings] == ["nobody_pulls"]
    first, *lines = str(error.value).splitlines()
    assert error.value.reasons[0] in first
    assert f"; likely cause: nobody_pulls: {error.value.findings[0].message}" in first
    assert lines[0].strip() == "evt_000001 CreateSnapshotByTimeOffsetComplete: queued"
    assert lines[1].endswith("queued")


async def test_a_timeout_shows_the_likely_cause_when_awaited_too(async_client: AsyncClient) -> None:
    await async_client.emit()
    with pytest.raises(WaitTimeout) as error:
        await async_client.wait_for("confirmed", timeout=0)
    assert [one.code for one in error.value.findings] == ["nobody_pulls"]


def test_the_diagnosis_of_a_timeout_is_about_the_account_alone(server: Background, client: Client) -> None:
    with Client(server.url) as anyone, Client(server.url, secret_id=anyone.make_account().secret_id) as other:
        other.config(callback_url="http://127.0.0.1:9/", callback_retries=0)
        other.emit()
        other.wait_for("failed")
        client.emit()
        with pytest.raises(WaitTimeout) as error:
            client.wait_for("confirmed", timeout=0)
    assert [one.code for one in error.value.findings] == ["nobody_pulls"]


@pytest.mark.parametrize("status", [404, 409, 503])
def test_a_diagnosis_that_fails_leaves_the_timeout(status: int) -> None:
    timeout = WaitTimeout("not confirmed", ["why"], [])
    call: Call[None] = Call("GET", "/mockvod/v1/diagnosis", lambda _: None, about=timeout)
    with pytest.raises(WaitTimeout) as error:
        call.result(status, b'{"error": {"code": "account_reset", "message": "", "field": null}}')
    assert error.value is timeout


def test_an_unreachable_server_is_reported_with_what_to_do() -> None:
    with Client("http://127.0.0.1:9") as client, pytest.raises(Unreachable) as error:
        client.events()
    assert re.fullmatch(
        r"no mockvod server at http://127\.0\.0\.1:9 \(.+\); start one with `mockvod serve`", str(error.value)
    )


async def test_an_unreachable_server_is_reported_when_awaited() -> None:
    async with AsyncClient("http://127.0.0.1:9/") as client:
        with pytest.raises(Unreachable):
            await client.events()


def test_a_server_that_is_not_mockvod_is_reported() -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as other:
        thread = threading.Thread(target=other.handle_request)
        thread.start()
        with (
            Client(f"http://127.0.0.1:{other.server_port}") as client,
            pytest.raises(MockVodError) as error,
        ):
            client.events()
        assert (error.value.status, error.value.code) == (404, "no_mockvod")
        thread.join(5)


# Connections


def test_a_client_goes_on_after_the_server_was_started_again() -> None:
    with in_background() as first:
        client = Client(first.url)
        client.emit()
    with pytest.raises(Unreachable):
        client.events()
    with in_background(port=first.running.port):
        assert client.events() == []
        client.close()


def test_a_kept_connection_that_was_closed_is_opened_again() -> None:
    with in_background() as first:
        client = Client(first.url)
        client.emit()
    with in_background(port=first.running.port):
        assert client.events() == []
    client.close()


async def test_an_awaited_client_goes_on_after_the_server_was_started_again(
    start: Callable[..., Awaitable[Running]],
) -> None:
    with in_background() as first:
        client = AsyncClient(first.url)
        await client.emit()
    await start(port=first.running.port)
    assert await client.events() == []
    await client.close()
    await client.close()


def test_a_request_whose_connection_breaks_is_not_sent_again() -> None:
    """The server may have executed it."""
    requests = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as stream:
                for answer in (b'{"events": [], "next": null}', None):
                    requests.append(stream.readline().split()[:2])
                    length = 0
                    while line := stream.readline().strip().lower():
                        if line.startswith(b"content-length:"):
                            length = int(line[15:])
                    stream.read(length)
                    if answer is not None:
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))

        thread = threading.Thread(target=serve)
        thread.start()
        with Client(f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
            assert client.events() == []
            with pytest.raises(Unreachable):
                client.emit()
        thread.join(5)
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert requests == [[b"GET", b"/mockvod/v1/events?limit=1000"], [b"POST", b"/mockvod/v1/events"]]


def test_threads_share_a_client(client: Client) -> None:
    failures: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(5):
                [event] = client.emit()
                assert client.wait_for("queued", event_id=event.id) == [event]
        except Exception as error:  # noqa: BLE001 - told to the thread that asserts
            failures.append(error)
        finally:
            client.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert failures == []
    assert len(client.events()) == 40


async def test_an_awaited_client_sends_many_calls_at_once(async_client: AsyncClient) -> None:
    waits = [async_client.wait_for("queued") for _ in range(110)]  # more than the hundred that aiohttp allows at first
    *answers, [event] = await asyncio.gather(*waits, async_client.emit())
    assert answers == [[event]] * 110


def test_connections_that_threads_opened_are_closed_with_the_client(server: Background) -> None:
    with warnings.catch_warnings(action="ignore"):
        gc.collect()  # what earlier tests left
    with Client(server.url) as client:
        calls = [threading.Thread(target=client.ready) for _ in range(4)]
        for call in calls:
            call.start()
        for call in calls:
            call.join()
        assert client._idle
    assert client._idle == []
    gc.collect()  # one that is still open would warn here


def test_an_awaited_client_without_a_block_belongs_to_no_loop(server: Background) -> None:
    client = AsyncClient(server.url)
    for _ in range(2):
        assert asyncio.run(client.ready())
    gc.collect()


async def test_a_wait_that_blocked_the_event_loop_says_so_in_its_timeout(server: Background) -> None:
    with Client(server.url) as client, pytest.raises(WaitTimeout) as caught:
        client.wait_for("confirmed", timeout=0)
    assert "the fixture mockvod_async" in caught.value.__notes__[0]


def test_an_unknown_state_is_rejected_by_the_name_of_the_argument(client: Client) -> None:
    message = "^state: unknown state 'qeued'; did you mean queued\\?$"
    for state in ("qeued", ["leased", "qeued"]):
        with pytest.raises(MockVodError, match=message):
            client.events(state=state)  # type: ignore[arg-type]
        with pytest.raises(MockVodError, match=message):
            client.wait_for(state)  # type: ignore[arg-type]
