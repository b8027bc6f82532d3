"""The call that shows what applications hold: visible events, leases, polls, deliveries, and the clients that poll."""

from typing import Final

from pydantic import Field

from mockvod.http.control.contract import ApplicationStats, Response, application_counts
from mockvod.http.control.request import ControlRequest, Routes
from mockvod.redaction import redacted
from mockvod.service.application import Application

ROUTES: Final = Routes()

MOST_LEASES: Final = 100
MOST_POLLERS: Final = 20


class Lease(Response):
    event: str
    event_handle: str
    leased_at: float = Field(description="Seconds since 1970 on the account's clock.")
    until: float = Field(description="When the event is visible again unless it is confirmed.")


class Poller(Response):
    """A client of PullEvents, as far as its requests tell."""

    secret_id: str = Field(description="Empty if the requests are unsigned.")
    user_agent: str
    address: str
    last_at: float = Field(description="Seconds since 1970 on the account's clock.")
    pulls: int
    empty: int = Field(description="Pulls that returned no event.")
    hung_up: int = Field(description="Pulls whose client closed the connection before the response.")


class ApplicationQueue(ApplicationStats):
    callback_url: str
    leases: list[Lease] = Field(description=f"Those that end first; at most {MOST_LEASES}.")
    pollers: list[Poller] = Field(description=f"The one that polled last comes first; at most {MOST_POLLERS}.")


class Queues(Response):
    applications: list[ApplicationQueue]


@ROUTES.add(
    "GET",
    "/queue",
    "What each application holds: visible events, leases, polls, deliveries, and the clients that poll.",
)
async def list_queues(request: ControlRequest) -> Queues:
    return Queues(applications=[_view(one) for one in request.applications])


def _view(application: Application) -> ApplicationQueue:
    queue, clock = application.queue, application.life.clock
    leases = [
        Lease(event=one.event.id, event_handle=one.handle, leased_at=clock.epoch(one.at), until=clock.epoch(one.until))
        for one in queue.leases(MOST_LEASES)
    ]
    pollers = [
        Poller(**one.caller._asdict(), last_at=one.last_at, pulls=one.pulls, empty=one.empty, hung_up=one.hung_up)
        for one in application.pulls.pullers()[:MOST_POLLERS]
    ]
    return ApplicationQueue(
        **application_counts(application),
        callback_url=redacted(application.settings.callback_url),
        leases=leases,
        pollers=pollers,
    )
