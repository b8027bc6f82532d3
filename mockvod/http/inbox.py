"""The built-in receiver at `/mockvod/inbox`: a callback URL for users without a receiver of their own."""

from contextlib import suppress

from aiohttp import web

from mockvod.engine.lifetime import LifeEnded
from mockvod.http.bodies import Bodies, BodyError, BodyTooLarge
from mockvod.http.control.attempts import claims
from mockvod.service.inbox import BODY_KEPT, Received
from mockvod.service.world import Account, World
from mockvod.wire.events import check_sign

BODY_LIMIT = 10 * 1024 * 1024
HEADERS_KEPT = 16 * 1024  # bytes of one request


class InboxReceiver:
    """Accepts any request, keeps it in the inbox of the account that `secret_id` names, and responds as programmed."""

    def __init__(self, world: World, bodies: Bodies) -> None:
        self._world = world
        self._bodies = bodies

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_route("*", "/mockvod/inbox{rest:(/.*)?}", self.receive)

    async def receive(self, request: web.Request) -> web.StreamResponse:
        secret_id = request.query.get("secret_id")
        account = self._world.default if secret_id is None else self._world.declared(secret_id)
        if account is None:
            return web.Response(status=404, text="The secret_id of this URL names no account.")
        try:
            body = await self._bodies.read(request, BODY_LIMIT)
        except BodyError as error:
            return web.Response(status=413 if isinstance(error, BodyTooLarge) else 400, text=str(error))
        life = account.life
        response = life.inbox.next_response()
        life.inbox.received += 1
        number = life.inbox.received
        life.inbox.add(
            Received(
                number=number,
                at=life.clock.epoch(),
                method=request.method,
                url=str(request.rel_url)[:2048],
                headers=_shown(request),
                body=body[:BODY_KEPT],
                size=len(body),
                sign=_sign(request, body, account),
                response=response,
            )
        )
        life.journal.note("inbox", detail={"number": number, "status": response.status})
        if response.delay:
            with suppress(LifeEnded):  # then it responds at once
                await life.unless_ended(life.clock.sleep(response.delay, "the inbox responds"))
        if response.hang_up:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=204)  # never sent
        return web.Response(status=response.status, text=response.body, content_type="application/json")


def _shown(request: web.Request) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    room = HEADERS_KEPT
    for name, value in request.headers.items():
        room -= len(name) + len(value)
        if room < 0:
            break
        found.append((name, value.encode(errors="backslashreplace").decode()))
    return found


def _sign(request: web.Request, body: bytes, account: Account) -> str:
    """Whether Sign and T are valid for a SignKey of the account's applications, by the account's clock."""
    keys = {one.settings.sign_key for one in account.life.applications() if one.settings.sign_key}
    return check_sign(*claims(str(request.rel_url), body), keys, account.life.clock.epoch())
