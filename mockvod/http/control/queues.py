"""The call that shows what applications hold: visible events, leases, polls, deliveries, and the clients that poll."""

from typing import Final, Literal

from pydantic import Field

from mockvod.http.control.contract import Response
from mockvod.http.control.request import ControlRequest, Route
from mockvod.redaction import redacted
from mockvod.service.application import Application

MOST_LEASES: Final = 100
MOST_POLLERS: Final = 20


class Lease(Response):
    event: str
    event_handle: str
    leased_at: float = Field(description="Seconds since 1970 on the account's clock.")
    until: float = Field(description="When the event is visible again unless it is confirmed.")


class Poller(Response):
    """A client of PullEvents, as far as its requests tell."""

    secret_id: str = Field(description="Empty where the requests are unsigned.")
    user_agent: str
    address: str
    last_at: float = Field(description="Seconds since 1970 on the account's clock.")
    pulls: int
    empty: int = Field(description="Pulls that were answered without an event.")
    hung_up: int = Field(description="Pulls that the client gave up before they were answered.")


class ApplicationQueue(Response):
    sub_app_id: int | None = Field(description="The application; null is the default one.")
    mode: Literal["PULL", "PUSH"]
    callback_url: str
    visible: int = Field(description="Events that a pull would get now.")
    leased: int
    leases: list[Lease] = Field(description=f"Those that end first; at most {MOST_LEASES}.")
    polls: int = Field(description="PullEvents that block at this moment.")
    deliveries: int = Field(description="Deliveries that have not ended.")
    tasks: int = Field(description="Jobs that have not ended.")
    pollers: list[Poller] = Field(description=f"The one that polled last comes first; at most {MOST_POLLERS}.")


class Queues(Response):
    applications: list[ApplicationQueue]


async def list_queues(request: ControlRequest) -> Queues:
    return Queues(applications=[_view(one) for one in request.applications])


def _view(application: Application) -> ApplicationQueue:
    queue, clock = application.queue, application.life.clock
    leases = [
        Lease(event=one.event.id, event_handle=one.handle, leased_at=clock.epoch(one.at), until=clock.epoch(one.until))
        for one in queue.leases(MOST_LEASES)
    ]
    pollers = [
        Poller(
            secret_id=one.caller.secret_id,
            user_agent=one.caller.user_agent,
            address=one.caller.address,
            last_at=one.last_at,
            pulls=one.pulls,
            empty=one.empty,
            hung_up=one.hung_up,
        )
        for one in application.pulls.pullers()[:MOST_POLLERS]
    ]
    return ApplicationQueue(
        sub_app_id=application.sub_app_id,
        mode=application.settings.effective_mode,
        callback_url=redacted(application.settings.callback_url),
        visible=queue.visible,
        leased=queue.leased,
        leases=leases,
        polls=queue.waiting,
        deliveries=application.deliveries.under_way,
        tasks=application.tasks.active,
        pollers=pollers,
    )


ROUTES: Final = (
    Route(
        "GET",
        "/queue",
        list_queues,
        "What each application holds: visible events, leases, polls, deliveries, and the clients that poll.",
        response=Queues,
    ),
)
