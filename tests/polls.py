"""Waiting for polls to be held and to be given up, without looking again and again."""

import asyncio
from collections import OrderedDict
from typing import Any

from mockvod.engine.clock import Waiter
from mockvod.engine.queue import EventQueue


class _Watched(OrderedDict[Waiter, None]):
    """The pollers of a queue, telling whenever one comes or goes."""

    def __init__(self, pollers: OrderedDict[Waiter, None]) -> None:
        self.changed = asyncio.Event()
        super().__init__(pollers)

    def __setitem__(self, key: Waiter, value: None) -> None:
        super().__setitem__(key, value)
        self.changed.set()

    def pop(self, *args: Any) -> Any:
        popped = super().pop(*args)
        self.changed.set()
        return popped


async def polls_held(queue: EventQueue, count: int) -> None:
    """Return as soon as *count* polls of *queue* are held."""
    queue._pollers = watched = _Watched(queue._pollers)
    async with asyncio.timeout(10):
        while queue.waiting != count:
            watched.changed.clear()
            await watched.changed.wait()
