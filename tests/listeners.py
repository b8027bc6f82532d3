"""Waiting for listeners of a journal or of events, without polling."""

import asyncio
from typing import Any

from mockvod.engine.events import Events
from mockvod.engine.journal import Journal


class _Watched(list[Any]):
    """Listeners that tell whenever one is added."""

    def __init__(self, listeners: list[Any]) -> None:
        super().__init__(listeners)
        self.changed = asyncio.Event()

    def append(self, listener: Any) -> None:
        super().append(listener)
        self.changed.set()


async def listening(source: Journal | Events, count: int) -> None:
    """Return as soon as *source* has *count* listeners: streams those of a journal, waits those of events."""
    watched = source._listeners = _Watched(source._listeners)
    async with asyncio.timeout(10):
        while len(watched) < count:
            watched.changed.clear()
            await watched.changed.wait()
