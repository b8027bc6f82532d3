"""The tester's door: the control API under `/mockvod/v1`, and health."""

import difflib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, ValidationError

from mockvod.http import models
from mockvod.settings import AccountSettings, ApplicationSettings
from mockvod.vod.application import Application, StillUnderWay
from mockvod.vod.events import Event, event_number
from mockvod.vod.world import Account, TooMuchOwed, World
from mockvod.wire.events import SNAPSHOT_COMPLETE, EventError, parse

log = logging.getLogger("mockvod.control")

ROOT: Final = "/mockvod/v1"
BODY_LIMIT: Final = 4 * 1024 * 1024


class ControlError(Exception):
    """An answer that is no success: a status, and what to mend."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field


@dataclass(frozen=True, slots=True)
class Asked:
    """A call of the control API: whom it concerns, and what it says."""

    world: World
    account: Account
    sub_app_id: int | None
    body: Any
    query: Any
    path: Mapping[str, str]
    names_account: bool
    names_application: bool

    @property
    def application(self) -> Application:
        return self.account.application(self.sub_app_id)

    def event(self) -> Event:
        """The event that the path names."""
        number = event_number(self.path["id"])
        event = None if number is None else self.account.events.find(number)
        if event is None:
            known = "it was never there, is over and forgotten, or belongs to another account (?secret_id=)"
            raise ControlError(
                404, "no_such_event", f"no event {self.path['id']!r} in {self.account.name}: {known}", "id"
            )
        return event


# --- what the calls do


async def emit(asked: Asked) -> models.Emitted:
    wish: models.Emit = asked.body
    application = asked.application
    try:
        if wish.event is not None:
            extra = sorted(wish.model_fields_set - {"event", "count", "delay"})
            if extra:
                raise ControlError(400, "contradiction", f"{extra[0]} cannot be given beside a whole event", extra[0])
            event_type, structure = parse(wish.event)
            events = [application.emit(event_type, structure, delay=wish.delay) for _ in range(wish.count)]
        else:
            given = wish.model_dump(exclude={"count", "event", "delay"}, exclude_none=True)
            events = [_emit_one(application, given, wish.delay) for _ in range(wish.count)]
    except EventError as error:
        raise ControlError(400, "bad_event", str(error), "event" if wish.event is not None else "snapshots") from None
    except TooMuchOwed as error:
        raise ControlError(429, "too_much_owed", str(error)) from None
    return models.Emitted(events=[models.view(event) for event in events])


def _emit_one(application: Application, given: Mapping[str, Any], delay: float) -> Event:
    try:
        structure = application.snapshot_task(**given)
    except ValueError as error:
        field = next((name for name in ("failed", "err_code", "snapshots") if name in str(error)), None)
        raise ControlError(400, "contradiction", str(error), field) from None
    if "snapshots" in given:
        parse({"EventType": SNAPSHOT_COMPLETE, "SnapshotByTimeOffsetCompleteEvent": structure})
    return application.emit(SNAPSHOT_COMPLETE, structure, delay=delay)


async def list_events(asked: Asked) -> models.EventsPage:
    query: models.EventsQuery = asked.query
    start = event_number(query.cursor) if query.cursor else 0
    found: list[Event] = []
    for event in asked.account.events.after(start or 0):
        if asked.names_application and event.sub_app_id != asked.sub_app_id:
            continue
        if _matches(event, query):
            if len(found) == query.limit:
                return models.EventsPage(events=[models.view(one) for one in found], next=found[-1].id)
            found.append(event)
    return models.EventsPage(events=[models.view(one) for one in found], next=None)


def _matches(event: Event, query: models.EventsQuery) -> bool:
    if query.state is not None and event.state not in query.state:
        return False
    if query.event_type is not None and event.event_type != query.event_type:
        return False
    if query.task_id is None and query.file_id is None:
        return True
    structure = event.structure()
    return (query.task_id is None or structure.get("TaskId") == query.task_id) and (
        query.file_id is None or structure.get("FileId") == query.file_id
    )


async def one_event(asked: Asked) -> models.EventDetail:
    return models.detail(asked.event())


async def redeliver(asked: Asked) -> models.EventDetail:
    event = asked.event()
    try:
        asked.account.application(event.sub_app_id).redeliver(event)
    except StillUnderWay as error:
        raise ControlError(409, "still_under_way", str(error), "id") from None
    return models.detail(event)


async def get_config(asked: Asked) -> models.ConfigView:
    settings = {**asked.application.settings.model_dump(), **asked.account.settings.model_dump()}
    if settings["sign_key"]:
        settings["sign_key"] = "(set)"
    return models.ConfigView(**settings, mode_in_force=asked.application.settings.effective_mode)


async def change_config(asked: Asked) -> models.ConfigView:
    wish: models.Config = asked.body
    changes = {name: getattr(wish, name) for name in wish.model_fields_set}
    of_application = {name: value for name, value in changes.items() if name in ApplicationSettings.model_fields}
    of_account = {name: value for name, value in changes.items() if name in AccountSettings.model_fields}
    if of_account:
        asked.account.configure(of_account)
    if of_application:
        asked.application.configure(of_application)
    return await get_config(asked)


async def stats(asked: Asked) -> models.Stats:
    account = asked.account
    return models.Stats(
        counts=dict(account.events.counts),
        evicted=account.events.evicted,
        owed_bytes=account.events.owed_bytes,
        applications=[
            models.ApplicationStats(
                sub_app_id=application.sub_app_id,
                mode=application.settings.effective_mode,
                visible=application.queue.visible,
                leased=application.queue.leased,
                polls=application.queue.waiting,
                deliveries=application.deliveries.under_way,
            )
            for application in account.applications()
        ],
    )


async def reset(asked: Asked) -> models.ResetAnswer:
    whose = asked.account if asked.names_account else asked.world
    return models.ResetAnswer(**await whose.reset())


async def openapi(_: Asked) -> Mapping[str, Any]:
    from mockvod.http.openapi import document

    return document(ROUTES)


# --- the table


@dataclass(frozen=True, slots=True)
class Route:
    """A row of the table, from which both the router and the OpenAPI document are made."""

    method: str
    path: str
    run: Callable[[Asked], Awaitable[BaseModel | Mapping[str, Any]]]
    words: str
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    status: int = 200
    errors: tuple[int, ...] = ()
    whom: bool = True
    """Whether `secret_id` and `sub_app_id` choose an account and an application."""


ROUTES: Final = (
    Route(
        "POST",
        "/events",
        emit,
        "Let events happen.",
        body=models.Emit,
        answer=models.Emitted,
        status=201,
        errors=(429,),
    ),
    Route(
        "GET",
        "/events",
        list_events,
        "Events, oldest first: of one application, or of all.",
        query=models.EventsQuery,
        answer=models.EventsPage,
    ),
    Route("GET", "/events/{id}", one_event, "One event with its timeline.", answer=models.EventDetail, errors=(404,)),
    Route(
        "POST",
        "/events/{id}/redeliver",
        redeliver,
        "Send an event that is over once more.",
        answer=models.EventDetail,
        errors=(404, 409),
    ),
    Route("GET", "/config", get_config, "The settings of an application and its account.", answer=models.ConfigView),
    Route("PATCH", "/config", change_config, "Change some of them.", body=models.Config, answer=models.ConfigView),
    Route("GET", "/stats", stats, "Events by state, applications by what they hold.", answer=models.Stats),
    Route(
        "POST",
        "/reset",
        reset,
        "Begin anew, the account that secret_id names or all: polls and deliveries end, settings are as at the start.",
        answer=models.ResetAnswer,
    ),
    Route("GET", "/openapi.json", openapi, "This document.", whom=False),
)


# --- the door


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

    async def _livez(self, _: web.Request) -> web.Response:
        return _answer(models.Health(status="alive"))

    async def _readyz(self, _: web.Request) -> web.Response:
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
            path=request.match_info,
            names_account=secret_id is not None,
            names_application=application is not None,
        )

    async def _unknown(self, request: web.Request) -> web.Response:
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
    return len(wanted) == len(given) and all(w in {g, "{id}"} for w, g in zip(wanted, given, strict=True))


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


def _answer(answer: BaseModel | Mapping[str, Any], status: int = 200) -> web.Response:
    body = answer.model_dump_json() if isinstance(answer, BaseModel) else json.dumps(answer)
    return web.Response(body=body.encode(), status=status, content_type="application/json")


def _refusal(error: ControlError) -> web.Response:
    body = models.ErrorBody(code=error.code, message=error.message, field=error.field)
    return _answer(models.ErrorAnswer(error=body), error.status)
