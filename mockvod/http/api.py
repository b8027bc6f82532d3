"""API 3.0 at `/`: what Tencent's SDKs talk to."""

import json
import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any, NoReturn

from aiohttp import web

from mockvod.engine.clock import real_time
from mockvod.engine.consumers import CALLER, CLIENT_CLOSED, UNKNOWN, Caller
from mockvod.engine.lifetime import EndReason, LifeEnded
from mockvod.http.action import Action
from mockvod.http.actions import LATER, SIMULATED, find
from mockvod.http.bodies import Bodies, BodyError, BodyTooLarge
from mockvod.http.event_actions import ACTIONS, no_events
from mockvod.http.injected import InjectedResponse, carry_out
from mockvod.http.refusals import action_of, record, secret_id_of
from mockvod.http.responses import json_response, origin, request_id
from mockvod.service.addresses import REACHED
from mockvod.service.life import TooManyApplications
from mockvod.service.media import TITLES
from mockvod.service.world import Account, World
from mockvod.wire import calls
from mockvod.wire.actions import VOD_ACTIONS
from mockvod.wire.errors import (
    ApiError,
    CallEnded,
    InternalError,
    InvalidAction,
    InvalidParameter,
    InvalidRequest,
    MissingParameter,
    NoSuchVersion,
    RequestSizeLimitExceeded,
    SecretIdNotFound,
    SignatureFailureTooLarge,
    Text,
    UnsupportedOperation,
    UnsupportedProtocol,
)
from mockvod.wire.params import parse_multipart, parse_query, unflatten
from mockvod.wire.signing import GET_LIMIT, TC3_LIMIT, V1_LIMIT, Request, Unsigned, V1Credential, credential_of, verify

log = logging.getLogger("mockvod.api")

JSON = "application/json"
NOT_JSON_ZH = "对于指定content-type=application/json协议下，请求内容不是合法的Json格式。"  # attested
FORM = "application/x-www-form-urlencoded"

# Common parameters of a request without X-TC-* headers (266/31756): none of them is a parameter of the action.
COMMON = frozenset(
    "Action Version Timestamp Nonce SecretId Signature SignatureMethod Region Token Language RequestClient".split()
)


_ENDED_ZH: dict[EndReason, str] = {"reset": "账号已重置", "deleted": "账号已删除", "stopping": "服务正在停止"}


class Api:
    """Reads a request in any of its forms, checks its signature, runs its action, responds as Tencent does."""

    def __init__(self, world: World, bodies: Bodies) -> None:
        self._world = world
        self._bodies = bodies
        self._console = world.settings.console

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """Respond to any request to `/`: with status 200 and the envelope, also for errors (266/31774)."""
        if request.method == "GET" and self._console and _wants_page(request):
            return web.Response(status=302, headers={"Location": "/mockvod/"})
        incoming: Request | None = None
        code = CLIENT_CLOSED
        try:
            incoming, media_type = await _read(request, self._bodies)
            account, secret_id = self._authenticate(incoming)
            CALLER.set(_caller(request, secret_id))
            if request.headers.get("X-TC-Action") not in ACTIONS:  # their responses contain no addresses
                REACHED.set(origin(request))
            inside = await self._run(account, incoming, media_type)
            code = "OK"
        except ApiError as error:
            code = error.code
            record(self._world, _caller(request, secret_id_of(incoming)), incoming, error)
            inside = _error(error, _language(request, incoming))
        except InjectedResponse as injected:
            code = "injected"
            normal = _envelope(_inside_of(injected.result, _language(request, incoming)))
            return await injected.respond(request, b"".join(normal))
        except Exception:
            log.exception("unhandled exception (a bug in mockvod) in a call of API 3.0")
            code = InternalError.code
            inside = _error(InternalError(), _language(request, incoming))
        finally:
            name = action_of(incoming)
            self._world.calls.note("3.0", name if name in VOD_ACTIONS else UNKNOWN, code)
        return json_response(request, _envelope(inside))

    async def _run(self, account: Account, incoming: Request, media_type: str) -> bytes:
        headers, params = incoming.headers, incoming.params
        name_in_header = headers.get("X-TC-Action")
        name = name_in_header or params.get("Action")
        if name not in ACTIONS and name in LATER:
            await self._world.load("mockvod.http.more_actions", TITLES)
        action = _find_action(name, headers.get("X-TC-Version") or params.get("Version"))
        call = calls.parse_json(action.call, incoming.body) if name_in_header and media_type == JSON else None
        if call is None:
            accept_empty = not name_in_header or account.life.settings.empty_body == "accept"
            members, texts = _parameters(incoming, media_type, accept_empty=accept_empty)
            if not name_in_header:
                members = {key: value for key, value in members.items() if key not in COMMON}
            call = calls.parse(action.call, members, texts=texts, action=name or "")
        life = account.life
        if call.sub_app_id and (delay := life.settings.new_application_delay):
            life.sub_apps.check_ready(call.sub_app_id, life.clock.now(), delay)
        try:
            application = life.application(call.application_id)
        except TooManyApplications as error:
            raise calls.value_error(name or "", "SubAppId", call.application_id, str(error)) from None
        if (hook := life.hooks.api) is not None:
            work = carry_out(hook, application, name or "", call, action.run)
        else:
            work = action.run(application, call)
        try:
            result = await life.unless_ended(work)
        except LifeEnded as ended:
            result = _ended(ended, action, life.settings.empty_reply)
        return result if isinstance(result, bytes) else _inside(result)

    def _authenticate(self, incoming: Request) -> tuple[Account, str | None]:
        """The account of a request, and its SecretId.

        Raises an AuthFailure if the account's settings require more.
        """
        world = self._world
        try:
            credential = credential_of(incoming)
        except ApiError:
            if world.default.life.settings.auth == "off":
                return world.default, None
            raise
        secret_id = credential.secret_id
        if secret_id in world.deleted:
            raise SecretIdNotFound
        account = world.account(secret_id)
        auth = account.life.settings.auth
        if auth == "off":
            return account, secret_id
        if isinstance(credential, Unsigned):
            if auth == "strict":
                raise MissingParameter(name="Authorization" if credential.secret_id is None else "Signature")
            return account, secret_id
        if isinstance(credential, V1Credential) and len(incoming.body) > V1_LIMIT:
            raise SignatureFailureTooLarge
        if world.declared(credential.secret_id) is not None:
            strict_service = account.life.settings.strict_service
            verify(incoming, credential, account.secret_key, now=real_time(), strict_service=strict_service)
        elif auth == "strict":
            raise SecretIdNotFound
        return account, secret_id


def _caller(request: web.Request, secret_id: str | None) -> Caller:
    return Caller(secret_id or "", request.headers.get("User-Agent", ""), request.remote or "")


def _wants_page(request: web.Request) -> bool:
    """Whether a browser opened the address of the server: it accepts HTML and names no action."""
    headers = request.headers
    return "text/html" in headers.get("Accept", "") and "X-TC-Action" not in headers and "Action" not in request.query


async def _read(request: web.Request, bodies: Bodies) -> tuple[Request, str]:
    """The request that was sent, and the media type of its body.

    Raises an ApiError for a method or a size that is not supported, and for a body that cannot be read.
    """
    method, headers = request.method, request.headers
    url = request.rel_url  # `url` would be made from the Host header, which may be invalid
    query = url.raw_query_string
    params: Mapping[str, str] = {}
    body, media_type = b"", ""
    if method == "POST":
        body = await _body(request, bodies)
        media_type = headers.get("Content-Type", "")
        if media_type != JSON:
            media_type = media_type.partition(";")[0].strip().lower()
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
    incoming = Request(method, "/", query, headers, body, params)
    return incoming, media_type


async def _body(request: web.Request, bodies: Bodies) -> bytes:
    try:
        return await bodies.read(request, TC3_LIMIT)
    except BodyTooLarge:
        raise RequestSizeLimitExceeded(limit=TC3_LIMIT) from None
    except BodyError as error:
        raise InvalidRequest(
            f"The request body cannot be read: {error}.", "请求内容无法读取：与请求头声明的编码不一致或超时。"
        ) from None


def _flat(raw: str) -> dict[str, str]:
    pairs = parse_query(raw)
    flat = dict(pairs)
    if len(flat) != len(pairs):
        raise _given_twice(pairs)
    return flat


def _given_twice(pairs: list[tuple[str, Any]]) -> InvalidParameter:
    [(twice, _)] = Counter(key for key, _ in pairs).most_common(1)
    name = twice[:100]
    return InvalidParameter(f"The parameter `{name}` is given more than once.", f"参数 `{name}` 重复。")


def _parameters(incoming: Request, media_type: str, *, accept_empty: bool) -> tuple[dict[str, Any], bool]:
    """The action's parameters (with the common ones, where they came together), and whether they are all texts.

    *accept_empty*: an empty body of `application/json` has no parameters, rather than being an error.
    """
    if incoming.method == "GET" or media_type == FORM:
        return unflatten(incoming.params.items()), True
    if media_type == "multipart/form-data":
        if len(incoming.body) > V1_LIMIT:  # no event API needs more, and reading it is slow
            raise RequestSizeLimitExceeded(limit=V1_LIMIT)
        return parse_multipart(incoming.body, incoming.headers["Content-Type"]), True
    text = _text(incoming.body)
    if not text.strip() and (media_type != JSON or accept_empty):
        return unflatten(incoming.params.items()), True
    try:
        params = _json.decode(text)
    except (ValueError, RecursionError) as error:
        raise InvalidParameter(f"The request body is not valid JSON: {error}.", NOT_JSON_ZH) from None
    if params is None or params == []:  # sent by the SDKs for Ruby and PHP in a call without parameters
        return {}, False
    if not isinstance(params, dict):
        sent = text[:60]
        raise InvalidParameter(
            f"The request body should be a JSON object, not `{sent}`.", f"请求内容应为 JSON 对象，实际为 `{sent}`。"
        )
    return params, False


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _given_twice(pairs)
    return members


def _no_constant(name: str) -> NoReturn:
    msg = f"{name} is not a JSON number"
    raise ValueError(msg)


_json = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte, position = f"0x{body[error.start]:02x}", error.start
        raise InvalidParameter(
            f"The request body is not UTF-8: byte {byte} at position {position}.",
            f"请求内容不是 UTF-8：位置 {position} 的字节为 {byte}。",
        ) from None


def _ended(ended: LifeEnded, action: Action[Any], empty_reply: str) -> bytes:
    """The response to a call whose life ended meanwhile: a pull finds nothing, any other call fails."""
    if action.call is calls.PullEvents:
        return no_events(empty_reply)
    raise CallEnded(reason=Text(str(ended), _ENDED_ZH[ended.reason]))


def _find_action(name: str | None, version: str | None) -> Action[Any]:
    if not name:
        raise MissingParameter(name="Action")
    action = find(name)
    if action is None and name not in VOD_ACTIONS:
        raise InvalidAction(action=name[:100])
    if not version:
        raise MissingParameter(name="Version")
    if version != calls.VERSION:
        raise NoSuchVersion(version=version[:100])
    if action is None:
        raise UnsupportedOperation(action=name, simulated=", ".join(SIMULATED))
    return action


def _language(request: web.Request, incoming: Request | None) -> str | None:
    """The language of error messages for this caller; *incoming* is None if the request could not be read."""
    return request.headers.get("X-TC-Language") or (incoming.params.get("Language") if incoming else None)


def _inside_of(result: bytes | Mapping[str, Any] | ApiError, language: str | None = None) -> bytes:
    if isinstance(result, ApiError):
        return _error(result, language)
    return result if isinstance(result, bytes) else _inside(result)


def _error(error: ApiError, language: str | None) -> bytes:
    return _inside({"Error": {"Code": error.code, "Message": error.message(language or "en-US")}})


def _inside(members: Mapping[str, Any]) -> bytes:
    # Invalid UTF-8 from a client arrives as lone surrogates, which are written as JSON escapes.
    text = json.dumps(members, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="backslashreplace")[1:-1]


def _envelope(inside: bytes) -> tuple[bytes, ...]:
    """The pieces of the whole response. They are not joined here: *inside* may be large."""
    return b'{"Response":{', inside, b',"RequestId":"' if inside else b'"RequestId":"', request_id(), b'"}}'
