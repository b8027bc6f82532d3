"""Dispatches calls of the control API: validates the request, runs its route, turns errors into responses."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel

from mockvod.engine.lifetime import EndReason, LifeEnded
from mockvod.faults.registry import TooManyFaults
from mockvod.http.bodies import Bodies, BodyError, BodyTooLarge, TooManyBodies
from mockvod.http.control.contract import ErrorBody, ErrorResponse
from mockvod.http.control.request import ROOT, SMALL_BODY, ControlError, ControlRequest, Route, checking
from mockvod.http.control.routes import ROUTES
from mockvod.http.health import LIVEZ, METRICS, READYZ
from mockvod.http.responses import origin
from mockvod.pictures.worker import TookTooLong, WorkerClosed
from mockvod.problems import MOST_FIELDS, did_you_mean
from mockvod.service.addresses import REACHED
from mockvod.service.life import TooManyApplications
from mockvod.service.media import TooManyMedia
from mockvod.service.tasks import TooManyTasks
from mockvod.service.templates import TooManyTemplates
from mockvod.service.world import Account, World

log = logging.getLogger("mockvod.control")

_PLAIN: Final = (LIVEZ, READYZ, METRICS)
"""Paths that are not part of the control API, and are only read."""
_ENDED: Final[dict[EndReason, tuple[int, str]]] = {
    "reset": (409, "account_reset"),
    "deleted": (409, "account_deleted"),
    "stopping": (503, "stopping"),
}
_LIMITS: Final[dict[type[Exception], str]] = {
    TooManyApplications: "sub_app_id",
    TooManyFaults: "fault",
    TooManyMedia: "file_id",
    TooManyTasks: "procedure",
    TooManyTemplates: "name",
}
"""The limits that a call may exceed, each with the field at fault."""


class Control:
    """The control API of a world."""

    def __init__(self, world: World, bodies: Bodies) -> None:
        self._world = world
        self._bodies = bodies

    def add_routes(self, router: web.UrlDispatcher) -> None:
        for route in ROUTES:
            router.add_route(route.method, ROOT + route.path, self._handler(route), expect_handler=None)
        router.add_route("*", "/mockvod", self._unknown)
        router.add_route("*", "/mockvod/{rest:.*}", self._unknown)

    def _handler(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                return _response(await route.run(*await self._validated(request, route)), route.status)
            except ControlError as error:
                return _rejection(error)
            except tuple(_LIMITS) as error:
                return _rejection(ControlError(409, "too_many", str(error), _LIMITS[type(error)]))
            except LifeEnded as ended:
                status, code = _ENDED[ended.reason]
                field = "secret_id" if "secret_id" in request.query else None
                return _rejection(ControlError(status, code, f"{ended} during the call", field))
            except WorkerClosed as error:
                return _rejection(ControlError(503, "stopping", str(error)))
            except TookTooLong as error:
                return _rejection(ControlError(503, "too_busy", str(error)))
            except Exception:
                log.exception("unhandled exception in the control API (a bug in mockvod)")
                message = "unhandled exception (a bug in mockvod); the log has the traceback"
                return _rejection(ControlError(500, "internal", message))

        return handle

    async def _validated(self, request: web.Request, route: Route) -> tuple[ControlRequest, *tuple[BaseModel, ...]]:
        """The arguments of the route's handler. Raises ControlError."""
        REACHED.set(origin(request))
        query = _plain_query(request)
        secret_id = query.pop("secret_id", None) if route.scoped else None
        application = query.pop("sub_app_id", None) if route.scoped else None
        body = await _body(request, route, self._bodies)
        account = self._world.default if secret_id is None else self._account(secret_id)
        number = None if application is None else _number(application)
        call = ControlRequest(
            world=self._world,
            account=account,
            life=account.life,
            # 0 and the account's own SubAppId are the default application, which is None internally.
            sub_app_id=None if number in {0, account.identity.sub_app_id} else number,
            http=request,
            names_account=secret_id is not None,
            names_application=application is not None,
        )
        return (call, *filter(None, (body, _query(query, route))))

    def _account(self, secret_id: str) -> Account:
        account = self._world.declared(secret_id) if secret_id else self._world.default
        if account is None:
            reason = "was deleted" if secret_id in self._world.deleted else "does not exist"
            message = f"account {secret_id[:128]!r} {reason}: make one with POST {ROOT}/accounts"
            raise ControlError(404, "no_such_account", message, "secret_id")
        return account

    async def _unknown(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        allowed = _methods(path)
        if allowed:
            message = f"{request.method} is not allowed for {path[:200]}: use {' or '.join(allowed)}"
            response = _rejection(ControlError(405, "wrong_method", message))
            response.headers["Allow"] = ", ".join(allowed)
            return response
        known = [*_PLAIN, *dict.fromkeys(ROOT + route.path for route in ROUTES)]
        advice = did_you_mean(path, known, f"{ROOT}/openapi.json lists all")
        return _rejection(ControlError(404, "no_such_path", f"unknown path {path[:200]}{advice}"))


def _methods(path: str) -> list[str]:
    """The methods that are allowed for *path*."""
    if path in _PLAIN:
        return ["GET", "HEAD"]
    return sorted({route.method for route in ROUTES if _matches(ROOT + route.path, path)})


def _matches(pattern: str, path: str) -> bool:
    wanted, given = pattern.split("/"), path.split("/")
    return len(wanted) == len(given) and all(
        w == g or (g and w.startswith("{")) for w, g in zip(wanted, given, strict=True)
    )


def _plain_query(request: web.Request) -> dict[str, str]:
    plain: dict[str, str] = {}
    for name, value in request.query.items():
        if name in plain:
            raise ControlError(400, "bad_query", f"{name}: given more than once", name)
        plain[name] = value
    return plain


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 19 or int(text) >= 2**63:
        message = f"sub_app_id: must be a number below 2^63, got {text[:60]!r}"
        raise ControlError(400, "bad_query", message, "sub_app_id")
    return int(text)


def _query(query: Mapping[str, str], route: Route) -> BaseModel | None:
    if route.query is not None:
        with checking(route.query, "the query"):
            return route.query.model_validate(query)
    for name in query:
        message = f"{name[:60]}: unknown parameter of {route.method} {ROOT}{route.path}"
        raise ControlError(400, "bad_query", message, name)
    return None


async def _body(request: web.Request, route: Route, bodies: Bodies) -> BaseModel | None:
    if route.body is None:
        return None
    text = await _text(request, bodies, route.body_limit)
    if len(text) > SMALL_BODY:
        _check_number_of_fields(text)
    with checking(route.body, "the body"):
        # Strict: a number is not a text, as the OpenAPI document says.
        return route.body.model_validate_json(text or "{}", strict=True)


def _check_number_of_fields(text: str) -> None:
    with suppress(ValueError, RecursionError):  # which the validation reports
        body = json.loads(text)
        if isinstance(body, dict) and len(body) > MOST_FIELDS:
            raise ControlError(413, "too_large", f"the body has {len(body)} fields; at most {MOST_FIELDS} are allowed")


async def _text(request: web.Request, bodies: Bodies, limit: int) -> str:
    try:
        return (await bodies.read(request, limit)).decode().strip()
    except BodyTooLarge as error:
        raise ControlError(413, "too_large", str(error)) from None
    except TooManyBodies as error:
        raise ControlError(503, "too_many_bodies", str(error)) from None
    except BodyError as error:
        raise ControlError(400, "bad_json", str(error)) from None
    except UnicodeDecodeError as error:
        byte = f"byte 0x{error.object[error.start]:02x} at position {error.start}"
        raise ControlError(400, "bad_json", f"the body is not UTF-8: {byte}") from None


def _response(result: BaseModel | Mapping[str, Any] | web.StreamResponse, status: int = 200) -> web.StreamResponse:
    if isinstance(result, web.StreamResponse):
        return result
    body = result.model_dump_json() if isinstance(result, BaseModel) else json.dumps(result)
    return web.Response(body=body.encode(), status=status, content_type="application/json")


def _rejection(error: ControlError) -> web.StreamResponse:
    body = ErrorBody(code=error.code, message=error.message, field=error.field)
    return _response(error.body or ErrorResponse(error=body), error.status)
