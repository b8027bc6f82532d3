"""The call that reads the journal, or follows it as an event stream (text/event-stream)."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Final

from aiohttp import web
from pydantic import Field

from mockvod.engine.clock import LoopShare
from mockvod.engine.journal import Entry, Journal
from mockvod.engine.lifetime import LifeEnded
from mockvod.http.control.contract import Response, TimelineEntry, entry_view
from mockvod.http.control.request import ControlRequest, Routes
from mockvod.service.definitions import Part
from mockvod.service.world import Account
from mockvod.settings import WHOLE

ROUTES: Final = Routes()

HEARTBEAT: Final = 15.0
"""Real seconds between two comments in an idle stream, so that proxies keep the connection."""
BATCH: Final = 1000
"""Entries that are looked up at once."""


class JournalQuery(Part):
    since: Annotated[int, Field(ge=0, lt=2**63), WHOLE] = Field(0, description="Entries after this one.")
    limit: Annotated[int, Field(ge=1, le=10_000), WHOLE] = 1000


class JournalPage(Response):
    entries: list[TimelineEntry]
    next: int = Field(description="The `since` of the next page.")
    missed: int = Field(description="Entries after `since` that have been evicted.")


@ROUTES.add("GET", "/journal", "Read the journal; with `Accept: text/event-stream`, follow it.", stream=True)
async def read_journal(request: ControlRequest, query: JournalQuery) -> JournalPage | web.StreamResponse:
    journal = request.life.journal
    since = min(query.since, journal.seq)  # a client may know a later number from before a restart

    def matches(entry: Entry) -> bool:
        return not request.names_application or entry.sub_app_id == request.sub_app_id

    if "text/event-stream" in request.http.headers.get("Accept", ""):
        return await _follow(request.http, request.account, since, matches)
    missed, end = max(0, journal.first - since - 1), journal.seq
    share = LoopShare()
    entries: list[TimelineEntry] = []
    while len(entries) < query.limit and (batch := list(journal.since(since, max(0, min(BATCH, end - since))))):
        for entry in batch:
            since = entry.seq
            if matches(entry):
                entries.append(entry_view(entry))
                if len(entries) == query.limit:
                    break
            await share.turn()
    return JournalPage(entries=entries, next=since, missed=missed)


async def _follow(
    request: web.Request, account: Account, since: int, matches: Callable[[Entry], bool]
) -> web.StreamResponse:
    """Stream every entry after *since*, or after the header Last-Event-ID, until the client or the account is gone.

    Each is `id: <seq>`, `event: <what>`, `data: <the entry as JSON>`. A reader that is too slow for the journal's
    bounds gets an `event: missed` with the number of entries it did not see. After a reset the stream continues with
    the entries of the next life.
    """
    last = request.headers.get("Last-Event-ID", "")
    if last.isascii() and last.isdigit() and len(last) < 19:
        since = min(int(last), account.life.journal.seq)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    with suppress(ConnectionResetError):  # the client may be gone before the first byte, too
        await response.prepare(request)
        while True:
            life = account.life
            try:
                await life.unless_ended(_write(response, life.journal, since, matches))
            except LifeEnded as ended:
                if ended.reason != "reset":
                    break
                since = max(since, life.journal.seq)  # what the reset discarded is not shown
    return response


async def _write(response: web.StreamResponse, journal: Journal, since: int, matches: Callable[[Entry], bool]) -> None:
    news = asyncio.Event()
    share = LoopShare()
    stop_listening = journal.listen(lambda _: news.set())
    try:
        while True:
            news.clear()
            if (missed := journal.first - since - 1) > 0:
                since += missed
                await response.write(b'event: missed\ndata: {"missed": %d}\n\n' % missed)
            for entry in list(journal.since(since, BATCH)):
                since = entry.seq
                if matches(entry):
                    data = entry_view(entry).model_dump_json()
                    await response.write(f"id: {entry.seq}\nevent: {entry.what}\ndata: {data}\n\n".encode())
                await share.turn()
            if since >= journal.seq:
                await _wait(response, news)
    finally:
        stop_listening()


async def _wait(response: web.StreamResponse, news: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(HEARTBEAT):
            await news.wait()
    except TimeoutError:
        await response.write(b": idle\n\n")
