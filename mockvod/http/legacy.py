"""API 2.0 at `/v2/index.php`: PullEvent, ConfirmEvent and the call that starts a legacy snapshot job.

The same queue as behind API 3.0, in the older spelling. Sources: IP/服务端 API 手册 (拉取事件通知, 确认事件通知,
指定时间点截图), and the common pages 请求签名 and 错误码 for signatures and codes.
"""

import json
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final
from weakref import WeakKeyDictionary

from aiohttp import web

from mockvod.engine.clock import real_time
from mockvod.engine.consumers import CALLER, CLIENT_CLOSED, UNKNOWN, Caller
from mockvod.engine.events import Event
from mockvod.engine.lifetime import LifeEnded
from mockvod.engine.queue import Outcome
from mockvod.http.bodies import Bodies, BodyError
from mockvod.http.legacy_params import BAD_PARAMETER, LegacyError, Members, Params, number, only, several
from mockvod.http.refusals import difference
from mockvod.http.responses import origin
from mockvod.service.addresses import REACHED
from mockvod.service.application import Application
from mockvod.service.jobs.snapshot_by_time_offset import LEGACY, snapshots
from mockvod.service.life import Life, TooManyApplications
from mockvod.service.media import TITLES
from mockvod.service.world import Account, World
from mockvod.wire.errors import ApiError
from mockvod.wire.events import EventError
from mockvod.wire.legacy_events import legacy
from mockvod.wire.params import parse_query, unflatten
from mockvod.wire.signing import LEGACY_HOSTS, LEGACY_PATH, Request, V1Credential, credential_of, verify

log = logging.getLogger("mockvod.legacy")

NO_EVENT: Final = 4000  # also the code of a bad parameter; the message differs
BAD_SIGNATURE: Final = 4100
NO_SECRET_ID: Final = 4104
REPLAYED: Final = 4500
NO_ACTION: Final = 4000
INTERNAL: Final = 5000
BAD_FILE: Final = 10009  # the file's status is abnormal

# The common parameters, and those that the legacy SDKs add to every call.
COMMON: Final = frozenset(
    "Action Region Timestamp Nonce SecretId Signature SignatureMethod Token "
    "RequestClient RequestSource Version Language".split()
)
NONCES_MOST: Final = 100_000
SNAPSHOTS_MOST: Final = 1000

_verify = partial(verify, path_v1=LEGACY_PATH, hosts=LEGACY_HOSTS)

# --- the actions


async def pull_event(application: Application, params: Params) -> Members:
    only(params)
    leases = await application.pull()
    if not leases:
        raise LegacyError(NO_EVENT, "no event", None)
    return {"eventList": [{"msgHandle": one.handle, "eventContent": _content(one.event)} for one in leases]}


def _content(event: Event) -> Members:
    """The 2.0 form of the event. If its type has none, the 3.0 structure in the 2.0 frame."""
    structure = event.structure()
    try:
        return legacy(event.event_type, structure)
    except EventError:
        return {"version": "4.0", "eventType": event.event_type, "data": structure}


async def confirm_event(application: Application, params: Params) -> Members:
    only(params, "msgHandle")
    handles = several(params, "msgHandle")
    limit = application.life.settings.pull_limit
    if len(handles) > limit:
        raise LegacyError(BAD_PARAMETER, f"{len(handles)} msgHandle: at most {limit} can be confirmed at once")
    try:
        outcomes = application.confirm(handles)
    except ApiError as error:  # injected by a fault, so the call itself is valid
        raise LegacyError(INTERNAL, error.message()) from None
    for handle, outcome in zip(handles, outcomes, strict=True):
        if outcome is Outcome.UNKNOWN:
            raise LegacyError(BAD_PARAMETER, f"msgHandle {handle[:100]!r} is {outcome.value}")
    return {}


async def create_snapshot_by_time_offset(application: Application, params: Params) -> Members:
    only(params, "fileId", "definition", "timeOffset")
    file_id = params.get("fileId")
    if not isinstance(file_id, str) or not file_id:
        raise LegacyError(BAD_PARAMETER, "fileId is missing")
    if "definition" not in params:
        raise LegacyError(BAD_PARAMETER, "definition is missing")
    definition = number("definition", params["definition"])
    offsets = [number("timeOffset", text) for text in several(params, "timeOffset")]
    if len(offsets) > SNAPSHOTS_MOST:
        raise LegacyError(BAD_PARAMETER, f"{len(offsets)} timeOffset: at most {SNAPSHOTS_MOST} at once")
    media = application.find_media(file_id)
    if media is None:
        raise LegacyError(BAD_FILE, f"the file {file_id[:100]!r} does not exist")
    job = snapshots(definition, time_offsets=[float(offset) for offset in offsets])
    task = application.start(LEGACY, media, [job])
    if (hook := application.life.hooks.delivery) is not None:
        await hook.before_response()
    return {"vodTaskId": task.task_id}


ACTIONS: Final[dict[str, Callable[[Application, Params], Coroutine[Any, Any, Members]]]] = {
    "PullEvent": pull_event,
    "ConfirmEvent": confirm_event,
    "CreateSnapshotByTimeOffset": create_snapshot_by_time_offset,
}


LATER: Final = ("GetVideoInfo", "GetTaskInfo", "GetTaskList", "ProcessFile", "ConvertVodFile", "DeleteVodFile")
"""The actions in `legacy_media`, which is imported with the first call of one."""


def _find(name: str) -> Callable[[Application, Params], Coroutine[Any, Any, Members]] | None:
    if name in LATER:
        from mockvod.http import legacy_media  # noqa: PLC0415 - 80 ms, which a client that only pulls events never needs

        return legacy_media.ACTIONS[name]
    return ACTIONS.get(name)


# --- the route


class Legacy:
    """Reads a request of API 2.0, checks its signature, runs its action, responds with `code` and `message`."""

    def __init__(self, world: World, bodies: Bodies) -> None:
        self._world = world
        self._bodies = bodies
        self._nonces: WeakKeyDictionary[Life, dict[str, float]] = WeakKeyDictionary()
        """For each life, when each nonce was used, the oldest first."""

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_route("*", LEGACY_PATH + "{slash:/?}", self.respond)

    async def respond(self, request: web.Request) -> web.Response:
        caller, action = Caller("", request.headers.get("User-Agent", ""), request.remote or "", "2.0"), ""
        reply: Members = {"code": CLIENT_CLOSED}
        try:
            incoming = await _read(request, self._bodies)
            REACHED.set(origin(request))
            secret_id, action = incoming.params.get("SecretId", ""), incoming.params.get("Action", "")
            caller = caller._replace(secret_id=secret_id)
            CALLER.set(caller)
            members = await self._run(incoming)
            reply = {"code": 0, "message": "", **members}
        except LegacyError as error:
            reply = {"code": error.code, "message": str(error)}
            if error.kind is not None:
                self._world.refusals.note(error.kind, caller, action, str(error.code), error.detail)
        except ApiError as error:  # from the code that reads the parameters of both APIs
            reply = {"code": BAD_PARAMETER, "message": error.message()}
        except Exception:
            log.exception("unhandled exception (a bug in mockvod) in a call of API 2.0")
            reply = {"code": INTERNAL, "message": "internal error"}
        finally:
            known = action if action in ACTIONS or action in LATER else UNKNOWN
            self._world.calls.note("2.0", known, str(reply["code"]))
        body = json.dumps(reply, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")
        return web.Response(body=body, headers={"Content-Type": "application/json"})

    async def _run(self, incoming: Request) -> Members:
        account = self._authenticate(incoming)
        name = incoming.params.get("Action", "")
        if name in LATER:
            await self._world.load("mockvod.http.legacy_media", TITLES)
        elif name == "CreateSnapshotByTimeOffset":
            await self._world.load(TITLES)
        action = _find(name)
        if action is None:
            known = ", ".join((*ACTIONS, *LATER))
            raise LegacyError(
                NO_ACTION, f"Action {name[:100]!r} is not simulated; mockvod has {known}", "not_simulated"
            )
        params = {key: value for key, value in unflatten(incoming.params.items()).items() if key not in COMMON}
        sub_app_id = params.pop("SubAppId", None)
        life = account.life
        try:
            application = life.application(None if sub_app_id is None else number("SubAppId", sub_app_id))
        except TooManyApplications as error:
            raise LegacyError(BAD_PARAMETER, f"SubAppId: {error}") from None
        try:
            return await life.unless_ended(action(application, params))
        except LifeEnded as ended:
            if action is pull_event:
                raise LegacyError(NO_EVENT, "no event", None) from None
            raise LegacyError(INTERNAL, f"{ended} while the call was under way") from None

    def _authenticate(self, incoming: Request) -> Account:
        world = self._world
        secret_id = incoming.params.get("SecretId")
        if secret_id in world.deleted:
            raise LegacyError(NO_SECRET_ID, "the account of this SecretId was deleted", "signature")
        account = world.account(secret_id)
        auth = account.life.settings.auth
        if auth == "off":
            return account
        credential = credential_of(incoming)
        if not isinstance(credential, V1Credential):
            if auth == "strict":
                raise LegacyError(BAD_SIGNATURE, "the request is not signed", "signature")
            return account
        if world.declared(credential.secret_id) is None:
            if auth == "strict":
                raise LegacyError(NO_SECRET_ID, "the SecretId is not known", "signature")
            return account
        try:
            _verify(incoming, credential, account.secret_key, now=None)
        except ApiError as error:
            detail = difference(world, incoming, error, _verify)
            raise LegacyError(BAD_SIGNATURE, error.message(), "signature", detail) from None
        self._check_replay(account, credential, incoming.params.get("Nonce", ""))
        return account

    def _check_replay(self, account: Account, credential: V1Credential, nonce: str) -> None:
        """Reject an old timestamp or a used nonce if `legacy-replay-window` is set."""
        window, now = account.life.settings.legacy_replay_window, real_time()
        if not window:
            return
        nonces = self._nonces.setdefault(account.life, {})
        while nonces and (next(iter(nonces.values())) + window <= now or len(nonces) >= NONCES_MOST):
            del nonces[next(iter(nonces))]
        if abs(now - credential.timestamp) > window:
            raise LegacyError(
                REPLAYED, f"the Timestamp {credential.timestamp} is more than {window:g} s from now", "signature"
            )
        if nonce in nonces:
            raise LegacyError(REPLAYED, f"the Nonce {nonce} was used within the last {window:g} s", "signature")
        nonces[nonce] = now


async def _body(request: web.Request, bodies: Bodies) -> bytes:
    try:
        return await bodies.read(request, request.client_max_size)
    except BodyError as error:
        raise LegacyError(BAD_PARAMETER, str(error)) from None


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where = f"byte 0x{body[error.start]:02x} at position {error.start}"
        raise LegacyError(BAD_PARAMETER, f"the body is not UTF-8: {where}") from None


async def _read(request: web.Request, bodies: Bodies) -> Request:
    """The request that was sent. Its parameters are in the query, in the form body of a POST, or in both."""
    if request.method not in {"GET", "POST"}:
        raise LegacyError(BAD_PARAMETER, f"the method {request.method} is not supported: use GET or POST")
    url = request.rel_url  # `url` would be made from the Host header, which may be invalid
    body = await _body(request, bodies) if request.method == "POST" else b""
    pairs = parse_query(url.raw_query_string) + parse_query(_text(body))
    params = dict(pairs)
    if len(params) != len(pairs):
        raise LegacyError(BAD_PARAMETER, "a parameter is given more than once")
    return Request(request.method, LEGACY_PATH, url.raw_query_string, request.headers, body, params)
