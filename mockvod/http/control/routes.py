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
from mockvod.http.control.request import ControlRequest, Routes

_MODULES: Final = (
    events, media, config, clock, waiting, faults, journal, insight, accounts, scenario, attempts, catalogue, server,
    queues, inbox, uploads,
)  # fmt: skip

ROUTES: Final = Routes(route for module in _MODULES for route in module.ROUTES)


@ROUTES.add("GET", "/openapi.json", "This document.", scoped=False)
async def openapi(request: ControlRequest) -> Mapping[str, Any]:
    from mockvod.http.control.openapi import document  # 20 ms, and few clients ask for it

    # In a thread: the first time it builds every model, which takes 300 ms.
    return await request.world.worker.run(lambda _: document(ROUTES))
