"""Waiting for somebody to listen to a journal, without looking again and again."""

import asyncio

from mockvod.engine.journal import Journal, Listener


class _Watched(list[Listener]):
    """The listeners of a journal, telling whenever one comes."""

    def __init__(self, listeners: list[Listener]) -> None:
        super().__init__(listeners)
        self.changed = asyncio.Event()

    def append(self, listener: Listener) -> None:
        super().append(listener)
        self.changed.set()


async def listening(journal: Journal, count: int) -> None:
    """Return as soon as *count* listen to *journal*: waits, and streams."""
    watched = journal._listeners = _Watched(journal._listeners)
    async with asyncio.timeout(10):
        while len(watched) < count:
            watched.changed.clear()
            await watched.changed.wait()
