"""The tester's door: reads a call of the control API, runs its row of the table, says what to mend when it cannot."""

import difflib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, ValidationError

from mockvod.http import models
from mockvod.http.asked import ROOT, Asked, ControlError, Route
from mockvod.http.routes import ROUTES
from mockvod.vod.world import World

log = logging.getLogger("mockvod.control")

BODY_LIMIT: Final = 4 * 1024 * 1024


class Control:
    """Reads a call, runs its row of the table, turns every failure into an answer that says what to mend."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/mockvod/livez", self._livez)
        router.add_get("/mockvod/readyz", self._readyz)
        for route in ROUTES:
            router.add_route(route.method, ROOT + route.path, self._handler(route), expect_handler=None)
        router.add_route("*", "/mockvod", self._unknown)
        router.add_route("*", "/mockvod/{rest:.*}", self._unknown)

    async def _livez(self, _: web.Request) -> web.StreamResponse:
        return _answer(models.Health(status="alive"))

    async def _readyz(self, _: web.Request) -> web.StreamResponse:
        if self._world.ready:
            return _answer(models.Health(status="ready"))
        return _answer(models.Health(status="starting"), 503)

    def _handler(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                return _answer(await route.run(await self._asked(request, route)), route.status)
            except ControlError as error:
                return _refusal(error)
            except web.HTTPRequestEntityTooLarge:
                return _refusal(ControlError(413, "too_large", f"a body may have at most {BODY_LIMIT} bytes"))
            except Exception:
                log.exception("a call of the control API failed, which is a mistake of mockvod")
                return _refusal(ControlError(500, "internal", "mockvod made a mistake; its log has the traceback"))

        return handle

    async def _asked(self, request: web.Request, route: Route) -> Asked:
        query = _plain_query(request)
        secret_id, application = (
            (query.pop(name, None) for name in ("secret_id", "sub_app_id")) if route.whom else (None, None)
        )
        account = self._world.default
        if secret_id is not None:
            found = self._world.declared(secret_id)
            if found is None:
                raise ControlError(404, "no_such_account", f"no account {secret_id!r} was declared", "secret_id")
            account = found
        sub_app_id = None if application is None else _number(application)
        return Asked(
            world=self._world,
            account=account,
            sub_app_id=sub_app_id or None,
            body=await _body(request, route),
            query=_query(query, route),
            request=request,
            names_account=secret_id is not None,
            names_application=application is not None,
        )

    async def _unknown(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix(ROOT)
        allowed = sorted({route.method for route in ROUTES if _fits(route.path, path)})
        if allowed and request.path.startswith(ROOT):
            message = f"{request.method} is not for {request.path}: use {' or '.join(allowed)}"
            response = _refusal(ControlError(405, "wrong_method", message))
            response.headers["Allow"] = ", ".join(allowed)
            return response
        known = ["/mockvod/livez", "/mockvod/readyz", *dict.fromkeys(ROOT + route.path for route in ROUTES)]
        close = difflib.get_close_matches(request.path, known, n=1)
        advice = f"did you mean {close[0]}?" if close else f"{ROOT}/openapi.json has them all"
        return _refusal(ControlError(404, "no_such_path", f"there is nothing at {request.path}; {advice}"))


def _fits(pattern: str, path: str) -> bool:
    wanted, given = pattern.split("/"), path.rstrip("/").split("/")
    return len(wanted) == len(given) and all(w == g or w.startswith("{") for w, g in zip(wanted, given, strict=True))


def _plain_query(request: web.Request) -> dict[str, str]:
    plain: dict[str, str] = {}
    for name, value in request.query.items():
        if name in plain:
            raise ControlError(400, "bad_query", f"{name} is given more than once", name)
        plain[name] = value
    return plain


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text[:20]) >= 2**63:
        raise ControlError(400, "bad_query", f"sub_app_id should be a number, not {text[:60]!r}", "sub_app_id")
    return int(text)


def _query(query: Mapping[str, str], route: Route) -> BaseModel | None:
    if route.query is not None:
        return _checked(route.query, query, "the query")
    for name in query:
        raise ControlError(400, "bad_query", f"{route.method} {ROOT}{route.path} takes no {name!r}", name)
    return None


async def _body(request: web.Request, route: Route) -> Any:
    if route.body is None:
        return None
    if request.content_length is not None and request.content_length > BODY_LIMIT:
        raise ControlError(413, "too_large", f"a body may have at most {BODY_LIMIT} bytes")
    raw = await request.read()
    if not raw.strip():
        return route.body()
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ControlError(400, "bad_json", f"the body is not JSON: {error}") from None
    if not isinstance(data, dict):
        raise ControlError(400, "bad_json", f"the body should be a JSON object, not {type(data).__name__}")
    return _checked(route.body, data, "the body")


def _checked(model: type[BaseModel], data: Mapping[str, Any], place: str) -> BaseModel:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            close = difflib.get_close_matches(field, model.model_fields, n=1)
            hint = f"; did you mean {close[0]}?" if close else f"; it knows {', '.join(model.model_fields)}"
            raise ControlError(400, "unknown_field", f"{place} knows no {field!r}{hint}", field) from None
        value = "" if field == "sign_key" else f" {str(problem['input'])[:100]!r}"
        words = problem["msg"].removeprefix("Value error, ").replace("Input should", "should")
        raise ControlError(400, "bad_value", f"{field}:{value} {words[:1].lower()}{words[1:]}", field) from None


def _answer(answer: BaseModel | Mapping[str, Any] | web.StreamResponse, status: int = 200) -> web.StreamResponse:
    if isinstance(answer, web.StreamResponse):
        return answer
    body = answer.model_dump_json() if isinstance(answer, BaseModel) else json.dumps(answer)
    return web.Response(body=body.encode(), status=status, content_type="application/json")


def _refusal(error: ControlError) -> web.StreamResponse:
    if error.answer is not None:
        return _answer(error.answer, error.status)
    body = models.ErrorBody(code=error.code, message=error.message, field=error.field)
    return _answer(models.ErrorAnswer(error=body), error.status)
