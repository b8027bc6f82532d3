"""API 3.0 at `/`: what Tencent's SDKs talk to."""

import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, TypeVar
from uuid import uuid4

from aiohttp import web

from mockvod.vod.application import Application
from mockvod.vod.clock import real_time
from mockvod.vod.reliable import Outcome
from mockvod.vod.world import Account, World
from mockvod.wire import calls
from mockvod.wire.actions import VOD_ACTIONS
from mockvod.wire.errors import (
    ApiError,
    InternalError,
    InvalidAction,
    InvalidParameter,
    InvalidParameterValue,
    InvalidRequest,
    MissingParameter,
    NoEvent,
    NoSuchVersion,
    RequestSizeLimitExceeded,
    SecretIdNotFound,
    SignatureFailureTooLarge,
    UnsupportedOperation,
    UnsupportedProtocol,
)
from mockvod.wire.events import with_handle
from mockvod.wire.params import parse_multipart, parse_query, unflatten
from mockvod.wire.signing import GET_LIMIT, TC3_LIMIT, V1_LIMIT, Request, Unsigned, V1Credential, credential_of, verify

log = logging.getLogger("mockvod.api")

Call = TypeVar("Call", bound=calls.Call)
Run = Callable[[Application, Call], Awaitable[bytes]]

FORM = "application/x-www-form-urlencoded"

# Of a request whose parameters carry its action too (266/31756); none of them is a parameter of the action.
COMMON = frozenset(
    "Action Version Timestamp Nonce SecretId Signature SignatureMethod Region Token Language RequestClient".split()
)


@dataclass(frozen=True, slots=True)
class Action(Generic[Call]):
    """A row of the table: the model of the parameters, and what answers (the inside of `Response`, as JSON)."""

    call: type[Call]
    run: Run[Call]


# --- the actions


async def pull_events(application: Application, call: calls.PullEvents) -> bytes:  # noqa: ARG001 - every action has its call
    account = application.account
    settings = account.settings
    with account.clock.busy():
        batch = await application.queue.pull(settings.pull_limit, hold=settings.poll_hold)
    if batch:
        return b'"EventSet":[' + b",".join([with_handle(one.event.body, one.handle) for one in batch]) + b"]"
    _say_where_events_are(application)
    if settings.empty_reply == "error":
        raise NoEvent
    return b'"EventSet":' + (b"null" if settings.empty_reply == "null" else b"[]")


def _say_where_events_are(application: Application) -> None:
    hint = application.hint()
    if hint and hint != application.hinted:
        log.warning("PullEvents found nothing: %s", hint)
    application.hinted = hint or ""


async def confirm_events(application: Application, call: calls.ConfirmEvents) -> bytes:
    limit = application.account.settings.pull_limit
    handles = call.event_handles
    if not handles:
        raise MissingParameter(name="EventHandles")
    if len(handles) > limit:
        raise InvalidParameterValue(
            name="EventHandles", value=f"{len(handles)} handles", reason=f"at most {limit} can be confirmed at once"
        )
    for place, (handle, outcome) in enumerate(zip(handles, application.queue.confirm(handles), strict=True)):
        if outcome is Outcome.UNKNOWN:
            raise InvalidParameterValue(
                name=f"EventHandles.{place}", value=handle[:100], reason=f"it is {outcome.value}"
            )
    return b""


async def describe_events_state(application: Application, call: calls.DescribeEventsState) -> bytes:  # noqa: ARG001
    return b'"CountOfEventsToPull":%d' % application.queue.visible


async def describe_event_config(application: Application, call: calls.DescribeEventConfig) -> bytes:  # noqa: ARG001
    settings = application.settings
    return _inside(
        {
            "Mode": settings.effective_mode,
            "NotificationUrl": settings.callback_url,
            "UploadMediaCompleteEventSwitch": settings.upload_media_complete_event_switch,
            "DeleteMediaCompleteEventSwitch": settings.delete_media_complete_event_switch,
            "PersistenceCompleteEventSwitch": settings.persistence_complete_event_switch,
        }
    )


async def modify_event_config(application: Application, call: calls.ModifyEventConfig) -> bytes:
    changes = call.model_dump(exclude_none=True, exclude={"sub_app_id", "ext_info"})
    if "notification_url" in changes:
        changes["callback_url"] = changes.pop("notification_url")
        # An address alone leaves the mode as it is, also where the mode was left to follow the address.
        changes.setdefault("mode", application.mode)
    application.configure(changes)
    return b""


ACTIONS: dict[str, Action[Any]] = {
    "PullEvents": Action(calls.PullEvents, pull_events),
    "ConfirmEvents": Action(calls.ConfirmEvents, confirm_events),
    "DescribeEventsState": Action(calls.DescribeEventsState, describe_events_state),
    "DescribeEventConfig": Action(calls.DescribeEventConfig, describe_event_config),
    "ModifyEventConfig": Action(calls.ModifyEventConfig, modify_event_config),
}


# --- the door


class Api:
    """Reads a request in any of its forms, checks its signature, runs its action, answers as Tencent does."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_route("*", "/", self.answer)

    async def answer(self, request: web.Request) -> web.Response:
        """Any request to `/`: always status 200 and the envelope, also for errors (266/31774)."""
        language = request.headers.get("X-TC-Language")
        try:
            incoming, media_type = await _read(request)
            language = language or incoming.params.get("Language")
            inside = await self._run(incoming, media_type)
        except ApiError as error:
            inside = _error(error, language)
        except Exception:
            log.exception("a call of API 3.0 failed, which is a mistake of mockvod")
            inside = _error(InternalError(), language)
        return _envelope(inside)

    async def _run(self, incoming: Request, media_type: str) -> bytes:
        account = self._authenticate(incoming)
        name_in_header = incoming.headers.get("X-TC-Action")
        name = name_in_header or incoming.params.get("Action")
        version = incoming.headers.get("X-TC-Version") or incoming.params.get("Version")
        action = _find_action(name, version)
        params, texts = _parameters(incoming, media_type)
        if not name_in_header:
            params = {key: value for key, value in params.items() if key not in COMMON}
        call = calls.parse(action.call, params, texts=texts)
        return await action.run(account.application(call.sub_app_id), call)

    def _authenticate(self, incoming: Request) -> Account:
        """Whose request it is; raises an AuthFailure where the account's settings ask for more than it shows."""
        world = self._world
        try:
            credential = credential_of(incoming)
        except ApiError:
            if world.default.settings.auth == "off":
                return world.default
            raise
        account = world.account(credential.secret_id)
        auth = account.settings.auth
        if auth == "off":
            return account
        if isinstance(credential, Unsigned):
            if auth == "strict":
                raise MissingParameter(name="Authorization" if credential.secret_id is None else "Signature")
            return account
        if isinstance(credential, V1Credential) and len(incoming.body) > V1_LIMIT:
            raise SignatureFailureTooLarge
        if world.declared(credential.secret_id) is not None:
            strict_service = account.settings.strict_service
            verify(incoming, credential, account.secret_key, now=real_time(), strict_service=strict_service)
        elif auth == "strict":
            raise SecretIdNotFound
        return account


async def _read(request: web.Request) -> tuple[Request, str]:
    """The request as it was sent, and the media type of its body.

    Raises an ApiError for a method or a size that is not supported, and for a body that cannot be read.
    """
    method, headers = request.method, request.headers
    url = request.rel_url  # `url` would be made from the Host header, which may be no host at all
    query = url.raw_query_string
    params: Mapping[str, str] = {}
    body, media_type = b"", ""
    if method == "POST":
        body = await _body(request)
        media_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if media_type == FORM:
            params = _flat(_text(body))
        elif query and not headers.get("X-TC-Action"):
            params = _flat(query)
    elif method == "GET":
        if len(query) > GET_LIMIT:
            raise RequestSizeLimitExceeded(limit=GET_LIMIT)
        params = _flat(query)
    else:
        raise UnsupportedProtocol(method=method)
    incoming = Request(method=method, path=url.raw_path, query=query, headers=headers, body=body, params=params)
    return incoming, media_type


async def _body(request: web.Request) -> bytes:
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise RequestSizeLimitExceeded(limit=TC3_LIMIT) from None
    except web.RequestPayloadError:
        raise InvalidRequest(problem="The request body is not encoded as the request's headers say.") from None


def _flat(raw: str) -> dict[str, str]:
    pairs = parse_query(raw)
    flat = dict(pairs)
    if len(flat) != len(pairs):
        raise _given_twice(pairs)
    return flat


def _given_twice(pairs: list[tuple[str, Any]]) -> InvalidParameter:
    [(twice, _)] = Counter(key for key, _ in pairs).most_common(1)
    return InvalidParameter(problem=f"The parameter `{twice[:100]}` is given more than once.")


def _parameters(incoming: Request, media_type: str) -> tuple[dict[str, Any], bool]:
    """The action's parameters (with the common ones, where they came together), and whether they are all texts."""
    if incoming.method == "GET" or media_type == FORM:
        return unflatten(incoming.params.items()), True
    if media_type == "multipart/form-data":
        if len(incoming.body) > V1_LIMIT:  # no event API needs more, and reading it is slow
            raise RequestSizeLimitExceeded(limit=V1_LIMIT)
        return parse_multipart(incoming.body, incoming.headers["Content-Type"]), True
    text = _text(incoming.body)
    if not text.strip():
        return unflatten(incoming.params.items()), True
    try:
        params = _json.decode(text)
    except (ValueError, RecursionError) as error:
        raise InvalidParameter(problem=f"The request body is not valid JSON: {error}.") from None
    if not isinstance(params, dict):
        raise InvalidParameter(problem=f"The request body should be a JSON object, not `{text[:60]}`.")
    return params, False


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _given_twice(pairs)
    return members


def _no_constant(name: str) -> NoReturn:
    msg = f"{name} is no JSON number"
    raise ValueError(msg)


_json = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise InvalidParameter(
            problem=f"The request body is not UTF-8: byte 0x{body[error.start]:02x} at position {error.start}."
        ) from None


def _find_action(name: str | None, version: str | None) -> Action[Any]:
    if not name:
        raise MissingParameter(name="Action")
    action = ACTIONS.get(name)
    if action is None and name not in VOD_ACTIONS:
        raise InvalidAction(action=name[:100])
    if not version:
        raise MissingParameter(name="Version")
    if version != calls.VERSION:
        raise NoSuchVersion(version=version[:100])
    if action is None:
        raise UnsupportedOperation(action=name, simulated=", ".join(ACTIONS))
    return action


def _error(error: ApiError, language: str | None) -> bytes:
    return _inside({"Error": {"Code": error.code, "Message": error.message(language or "en-US")}})


def _inside(members: Mapping[str, Any]) -> bytes:
    # What a client sent may be no UTF-8; a lone surrogate is then written as the escape that JSON has for it.
    text = json.dumps(members, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="backslashreplace")[1:-1]


def _envelope(inside: bytes) -> web.Response:
    # The Content-Type must be these 16 bytes: Tencent's Python SDK looks for errors under no other.
    return web.Response(
        body=b'{"Response":{%b"RequestId":"%b"}}' % (inside + b"," if inside else b"", str(uuid4()).encode()),
        headers={"Content-Type": "application/json"},
    )
