"""The journal as an event stream."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession

from mockvod.app import Running
from mockvod.http.control import journal as journal_calls
from tests.listeners import listening
from tests.support import Caller


class Reader:
    """The blocks of an event stream."""

    def __init__(self, response: ClientResponse) -> None:
        self.response = response

    async def block(self) -> dict[str, str]:
        """The next block; empty at the end."""
        reported: dict[str, str] = {}
        async with asyncio.timeout(5):
            while line := (await self.response.content.readline()).decode().rstrip("\n"):
                name, _, value = line.partition(": ")
                reported[name] = value
        return reported

    async def blocks(self, count: int) -> list[tuple[str | None, str]]:
        """Number and kind of the next blocks."""
        reported = [await self.block() for _ in range(count)]
        return [(one.get("id"), one["event"]) for one in reported]


@pytest.fixture
def journal(caller: Caller) -> Callable[..., Any]:
    @asynccontextmanager
    async def opened(last: str | None = None, **query: Any) -> AsyncIterator[Reader]:
        headers = {"Accept": "text/event-stream"} | ({} if last is None else {"Last-Event-ID": last})
        url = f"{caller.running.url}/mockvod/v1/journal"
        async with caller.session.get(url, params=query, headers=headers) as response:
            assert response.status == 200
            assert response.content_type == "text/event-stream"
            yield Reader(response)

    return opened


async def test_a_stream_sends_past_entries_and_continues(caller: Caller, journal: Callable[..., Any]) -> None:
    await caller.emit()
    async with journal() as reader:
        first = await reader.block()
        assert (first["id"], first["event"]) == ("1", "queued")
        assert json.loads(first["data"]) == (await caller.control("GET", "/journal"))["entries"][0]
        await caller.call("PullEvents")
        assert await reader.blocks(1) == [("2", "leased")]
        await caller.emit(count=500)
        assert (await reader.blocks(500))[-1] == ("502", "queued")


async def test_a_stream_begins_after_the_entry_that_is_named(caller: Caller, journal: Callable[..., Any]) -> None:
    await caller.emit(count=5)
    async with journal(since=3) as reader:
        assert await reader.blocks(2) == [("4", "queued"), ("5", "queued")]
    async with journal(since=1, last="4") as reader:
        assert await reader.blocks(1) == [("5", "queued")]
    async with journal(since=4, last="not ours") as reader:
        assert await reader.blocks(1) == [("5", "queued")]


@pytest.mark.parametrize("last", ["900", "9" * 18])
async def test_a_reader_with_a_number_from_before_a_restart_gets_new_entries(
    caller: Caller, journal: Callable[..., Any], last: str
) -> None:
    await caller.emit()
    async with journal(last=last) as reader:
        await listening(caller.account.life.journal, 1)
        await caller.emit()
        assert await reader.blocks(1) == [("2", "queued")]


async def test_a_stream_of_one_application_has_no_entries_of_others(
    caller: Caller, journal: Callable[..., Any]
) -> None:
    async with journal(sub_app_id=5) as reader:
        for sub_app_id in (0, 5, 0, 5):
            await caller.control("POST", "/events", sub_app_id=sub_app_id)
        assert await reader.blocks(2) == [("2", "queued"), ("4", "queued")]


async def test_a_stream_counts_evicted_entries(caller: Caller, journal: Callable[..., Any]) -> None:
    await caller.control("PATCH", "/config", {"journal_entries": 100})
    await caller.emit(count=149)
    async with journal() as reader:
        missed = await reader.block()
        assert (missed["event"], json.loads(missed["data"])) == ("missed", {"missed": 50})
        assert (await reader.blocks(100))[0] == ("51", "queued")


async def test_a_slow_reader_misses_entries_and_delays_no_other(caller: Caller, journal: Callable[..., Any]) -> None:
    await caller.control("PATCH", "/config", {"journal_entries": 100})
    async with journal() as reader:
        await listening(caller.account.life.journal, 1)
        for _ in range(30):  # far more than the buffers between here and there hold
            for _ in range(10):
                caller.account.life.journal.note("configured", detail={"public_url": "x" * 100_000})
            await caller.emit()
        kinds = {}
        last = None
        while last != "331":
            block = await reader.block()
            kinds[block["event"]] = block["data"]
            last = block.get("id", last)
        assert json.loads(kinds["missed"])["missed"] > 0


async def test_an_idle_stream_sends_heartbeats(
    caller: Caller, journal: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_calls, "HEARTBEAT", 0.01)
    async with journal() as reader:
        assert await reader.block() == {"": "idle"}


async def test_a_stream_ends_with_its_account(caller: Caller, journal: Callable[..., Any]) -> None:
    await caller.control("POST", "/accounts", {"secret_id": "AKIDmine"})
    async with journal(secret_id="AKIDmine") as reader:
        await listening(caller.running.world.account("AKIDmine").life.journal, 1)
        await caller.control("DELETE", "/accounts/AKIDmine")
        assert await reader.block() == {}
        assert reader.response.content.at_eof()


async def test_a_stream_ends_with_the_server(caller: Caller, journal: Callable[..., Any]) -> None:
    async with journal() as reader:
        await listening(caller.account.life.journal, 1)
        caller.running.world.begin_shutdown()
        assert await reader.block() == {}


async def test_a_reader_that_disconnects_leaves_nothing_behind(caller: Caller, journal: Callable[..., Any]) -> None:
    async with journal() as reader:
        await listening(caller.account.life.journal, 1)
        reader.response.close()
    await caller.emit()
    # Its place is free as soon as the server has seen that it went: at the latest when the account ends.
    await caller.running.world.default.aclose("deleted")


async def test_a_stream_goes_on_after_a_reset(caller: Caller, journal: Callable[..., Any]) -> None:
    await caller.emit()
    async with journal() as reader:
        assert await reader.blocks(1) == [("1", "queued")]
        await caller.control("POST", "/reset")
        assert await reader.blocks(1) == [("2", "reset")]
        await caller.emit()
        assert await reader.blocks(1) == [("3", "queued")]


async def test_many_readers_get_the_same(
    start: Callable[..., Awaitable[Running]], session: ClientSession, caller: Caller, journal: Callable[..., Any]
) -> None:
    async def read() -> list[tuple[str | None, str]]:
        async with journal() as reader:
            found: list[tuple[str | None, str]] = await reader.blocks(20)
            return found

    readers = [asyncio.create_task(read()) for _ in range(20)]
    await caller.emit(count=20)
    assert await asyncio.gather(*readers) == [[(str(n), "queued") for n in range(1, 21)]] * 20
