"""The journal as it happens: an event stream (text/event-stream)."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from aiohttp import web

from mockvod.engine.journal import Entry, Journal
from mockvod.engine.lifetime import LifeEnded
from mockvod.http.control.models import entry_view
from mockvod.service.world import Account

HEARTBEAT = 15.0  # real seconds between two signs of life, so that whoever sits between does not hang up
BATCH = 200


async def follow(
    request: web.Request, account: Account, since: int, is_meant: Callable[[Entry], bool]
) -> web.StreamResponse:
    """Every entry after *since* (or after the header Last-Event-ID), until the client goes or the account ends.

    A reset does not end the stream: it goes on with the entries of the next life.

    Each is `id: <seq>`, `event: <what>`, `data: <the entry as JSON>`. A reader too slow for the journal's bounds gets
    an `event: missed` that says how many entries it did not see.
    """
    last = request.headers.get("Last-Event-ID", "")
    if last.isascii() and last.isdigit() and len(last) < 19:
        since = min(int(last), account.journal.seq)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    with suppress(ConnectionResetError):
        while True:
            life = account.life
            try:
                await life.unless_ended(_write_on(response, life.journal, since, is_meant))
            except LifeEnded as ended:
                if ended.reason != "reset":
                    break
                since = max(since, life.journal.seq)  # what the reset discarded is not shown
    return response


async def _write_on(
    response: web.StreamResponse, journal: Journal, since: int, is_meant: Callable[[Entry], bool]
) -> None:
    news = asyncio.Event()
    stop_listening = journal.listen(lambda _: news.set())
    try:
        while True:
            news.clear()
            if (missed := journal.first - since - 1) > 0:
                since += missed
                await response.write(b'event: missed\ndata: {"missed": %d}\n\n' % missed)
            for entry in list(journal.since(since, BATCH)):
                since = entry.seq
                if is_meant(entry):
                    data = entry_view(entry).model_dump_json()
                    await response.write(f"id: {entry.seq}\nevent: {entry.what}\ndata: {data}\n\n".encode())
            if since >= journal.seq:
                await _heard(response, news)
    finally:
        stop_listening()


async def _heard(response: web.StreamResponse, news: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(HEARTBEAT):
            await news.wait()
    except TimeoutError:
        await response.write(b": still here\n\n")
