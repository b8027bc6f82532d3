"""The call that shows the attempts of an event with what each of them sent and received."""

import json
from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import Field
from yarl import URL

from mockvod.engine.attempt import Attempt
from mockvod.engine.exchanges import BODY_KEPT, Exchange
from mockvod.http.control.contract import Response
from mockvod.http.control.request import ControlRequest, Routes
from mockvod.wire.events import check_sign

ROUTES: Final = Routes()

Header = tuple[str, str]


class SentRequest(Response):
    url: str
    headers: list[Header]
    body: str = Field(description=f"At most its first {BODY_KEPT} bytes.")


class ReceivedResponse(Response):
    reason: str
    headers: list[Header]


class AttemptView(Response):
    number: int
    url: str = Field(description="The callback URL.")
    started_at: float = Field(description="Seconds since 1970 on the account's clock.")
    duration: float = Field(description="Seconds on the account's clock.")
    status: int | None
    error: str | None = Field(description="Why there was no response, or no complete one.")
    answer: str = Field(description="The first bytes of the response's body.")
    request: SentRequest | None = Field(description="Kept for the latest attempts only; null for older ones.")
    response: ReceivedResponse | None
    sign: Literal["valid", "wrong", "expired", "unsigned"] | None = Field(
        description="Whether Sign and T are those of the application's SignKey of now, at the time of the attempt."
    )


class Attempts(Response):
    attempts: list[AttemptView]


@ROUTES.add(
    "GET",
    "/events/{id}/attempts",
    "The attempts of an event, with the requests and responses of the latest ones.",
    errors=(404,),
)
async def list_attempts(request: ControlRequest) -> Attempts:
    event = request.event()
    application = request.life.application(event.sub_app_id)
    kept = {(one.started_at, one.number): one for one in application.deliveries.exchanges.of(event.number)}
    found = [entry.detail for entry in event.timeline() if isinstance(entry.detail, Attempt)]
    sign_key = application.settings.sign_key
    return Attempts(attempts=[_view(one, kept.get((one.started_at, one.number)), sign_key) for one in found])


def _view(attempt: Attempt, exchange: Exchange | None, sign_key: str) -> AttemptView:
    if exchange is None:
        return AttemptView(**attempt.as_json(), request=None, response=None, sign=None)
    claimed, t = claims(exchange.url, exchange.body)
    response = None
    if exchange.reason is not None:
        response = ReceivedResponse(reason=exchange.reason, headers=list(exchange.response_headers))
    return AttemptView(
        **attempt.as_json(),
        request=SentRequest(
            url=exchange.url, headers=list(exchange.headers), body=exchange.body.decode("utf-8", "replace")
        ),
        response=response,
        sign=check_sign(claimed, t, [sign_key], attempt.started_at),
    )


def claims(url: str, body: bytes) -> tuple[object, object]:
    """``Sign`` and ``T`` of a notification, from the query of *url* or from *body*; None for those it has not."""
    query = URL(url).query
    if "Sign" in query or "T" in query:
        return query.get("Sign"), query.get("T")
    try:
        content: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None, None
    return (content.get("Sign"), content.get("T")) if isinstance(content, Mapping) else (None, None)
