"""The calls about the built-in receiver: what it received, and how it responds."""

from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from mockvod.http.control.contract import Response
from mockvod.http.control.request import LARGE_BODY, ControlRequest, Routes
from mockvod.redaction import redacted, redacted_headers
from mockvod.service import inbox as service
from mockvod.service.definitions import Part
from mockvod.service.inbox import MOST, Received
from mockvod.settings import WHOLE, Seconds

ROUTES: Final = Routes()


class InboxResponse(Part):
    """How the inbox responds to some requests, or to all that follow."""

    status: Annotated[int, Field(ge=200, le=599), WHOLE] = Field(200, description="HTTP status.")
    body: Annotated[str, Field(max_length=10_000)] = Field('{"code":0}', description="Body, sent as JSON.")
    delay: Seconds = Field(0.0, description="Seconds of the account's clock before it responds.")
    hang_up: bool = Field(default=False, description="Close the connection instead of responding.")
    times: Annotated[int, Field(ge=1, le=1_000_000), WHOLE] | None = Field(
        None, description="For how many requests; null: for all that follow."
    )


class InboxProgram(Part):
    """Responses in the order in which they are given. After those with `times` the inbox responds 200."""

    responses: Annotated[list[InboxResponse], Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _only_the_last_lasts(self) -> "InboxProgram":
        if any(one.times is None for one in self.responses[:-1]):
            raise ValueError("responses: only the last one may be without times; those after it would never be used")
        return self


class ReceivedView(Response):
    number: int
    at: float = Field(description="Seconds since 1970 on the account's clock.")
    method: str
    url: str
    headers: list[tuple[str, str]]
    body: str
    size: int = Field(description="Bytes of the whole body, of which `body` may be the beginning.")
    sign: Literal["valid", "wrong", "expired", "unsigned"]
    response: InboxResponse


class InboxView(Response):
    url: str = Field(description="The path of the inbox: a callback URL begins with the server's address.")
    received: int = Field(description="How many requests there were since the last reset.")
    requests: list[ReceivedView] = Field(description=f"The latest, newest first; at most {MOST}.")
    responses: list[InboxResponse] = Field(description="How it responds to the next requests.")


@ROUTES.add("GET", "/inbox", "What the built-in receiver at /mockvod/inbox received.")
async def get_inbox(request: ControlRequest) -> InboxView:
    account = request.account
    inbox = account.life.inbox
    return InboxView(
        url="/mockvod/inbox" + (f"?secret_id={account.secret_id}" if account.identity.declared else ""),
        received=inbox.received,
        requests=[_view(one) for one in inbox.requests()],
        responses=[_response(one) for one in inbox.responses],
    )


@ROUTES.add("PUT", "/inbox", "Program the responses of the built-in receiver.", body_limit=LARGE_BODY)
async def program_inbox(request: ControlRequest, program: InboxProgram) -> InboxView:
    request.life.inbox.program([service.Response(**one.model_dump()) for one in program.responses])
    return await get_inbox(request)


@ROUTES.add("DELETE", "/inbox", "Forget what the built-in receiver received.")
async def clear_inbox(request: ControlRequest) -> InboxView:
    request.life.inbox.clear()
    return await get_inbox(request)


def _response(response: service.Response) -> InboxResponse:
    return InboxResponse(**response._asdict())


def _view(received: Received) -> ReceivedView:
    facts = received._asdict() | {
        "url": redacted(received.url),
        "headers": redacted_headers(received.headers),
        "body": received.body.decode("utf-8", "replace"),
        "response": _response(received.response),
    }
    return ReceivedView(**facts)
