"""The journal as it happens: an event stream (text/event-stream)."""

import asyncio

from aiohttp import web

from mockvod.http.models import entry_view
from mockvod.vod.journal import Entry
from mockvod.vod.world import Account

HEARTBEAT = 15.0  # real seconds between two signs of life, so that whoever sits between does not hang up
BATCH = 200


async def follow(request: web.Request, account: Account, since: int) -> web.StreamResponse:
    """Every entry after *since* (or after the header Last-Event-ID), until the client goes or the account ends.

    Each is `id: <seq>`, `event: <what>`, `data: <the entry as JSON>`. A reader too slow for the journal's bounds gets
    an `event: missed` that says how many entries it did not see; nobody else waits for it.
    """
    last = request.headers.get("Last-Event-ID", "")
    if last.isascii() and last.isdigit():
        since = int(last[:18])
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    news = asyncio.Event()

    def listen(_: Entry) -> None:
        news.set()

    stop_listening = account.journal.listen(listen)
    closed = asyncio.create_task(account.closed.wait())
    try:
        while not closed.done():
            news.clear()
            if missed := account.journal.first - since - 1:
                if missed > 0:
                    await response.write(b'event: missed\ndata: {"missed": %d}\n\n' % missed)
                since = max(since, account.journal.first - 1)
            batch = list(account.journal.since(since, BATCH))
            for entry in batch:
                data = entry_view(entry).model_dump_json()
                await response.write(f"id: {entry.seq}\nevent: {entry.what}\ndata: {data}\n\n".encode())
                since = entry.seq
            if not batch:
                arrived = asyncio.create_task(news.wait())
                done, _ = await asyncio.wait({arrived, closed}, timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED)
                arrived.cancel()
                if not done:
                    await response.write(b": still here\n\n")
    except ConnectionResetError:
        pass  # the reader has gone, which is how a stream ends
    finally:
        stop_listening()
        closed.cancel()
    return response
