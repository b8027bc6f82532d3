"""The table of all calls of the control API."""

from collections.abc import Mapping
from typing import Any, Final

from mockvod.http.control import (
    accounts,
    attempts,
    catalogue,
    clock,
    config,
    events,
    faults,
    inbox,
    insight,
    journal,
    media,
    queues,
    scenario,
    server,
    uploads,
    waiting,
)
from mockvod.http.control.request import ControlRequest, Route


async def openapi(request: ControlRequest) -> Mapping[str, Any]:
    from mockvod.http.control.openapi import document  # 20 ms, and few clients ask for it

    # In a thread: the first time it builds every model, which takes 300 ms.
    return await request.world.worker.run(lambda _: document(ROUTES))


ROUTES: Final = (
    *events.ROUTES,
    *media.ROUTES,
    *config.ROUTES,
    *clock.ROUTES,
    *waiting.ROUTES,
    *faults.ROUTES,
    *journal.ROUTES,
    *insight.ROUTES,
    *accounts.ROUTES,
    *scenario.ROUTES,
    *attempts.ROUTES,
    *catalogue.ROUTES,
    *server.ROUTES,
    *queues.ROUTES,
    *inbox.ROUTES,
    *uploads.ROUTES,
    Route("GET", "/openapi.json", openapi, "This document.", scoped=False),
)
