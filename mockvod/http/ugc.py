"""Uploads from browsers and apps: `/v3/index.php` of vod2.qcloud.com, allowed by an upload signature (266/9221).

PrepareUploadUGC, ApplyUploadUGC and CommitUploadUGC. Application, procedure and contexts come from the signature. Pages
of any site may call it, as at the vendor: what protects it is the signature.
"""

import json
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, get_args

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from mockvod.engine.clock import real_time
from mockvod.engine.lifetime import LifeEnded
from mockvod.http.bodies import Bodies, BodyError
from mockvod.http.uploads import commit, upload_request
from mockvod.service.application import Application
from mockvod.service.media import FOREVER
from mockvod.service.media_info import media_url
from mockvod.service.tasks import Notify
from mockvod.service.uploads import Request, Session
from mockvod.service.world import World
from mockvod.wire.errors import ApiError
from mockvod.wire.processing import Date
from mockvod.wire.uploads import SignatureError, UploadSignature, read_signature

log = logging.getLogger("mockvod.ugc")

PATH: Final = "/v3/index.php"
REPORT_PATH: Final = "/ugcupload_new"
"""Where vodreport.qcloud.com takes statistics; its response is ignored."""
BODY_LIMIT: Final = 64 * 1024
INVALID_REQUEST: Final = 10001
INVALID_SIGNATURE: Final = 10004
INTERNAL: Final = 10099
DOMAIN: Final = "vod2.qcloud.com"
NOTIFY_MODES: Final = get_args(Notify)
DATE: Final = TypeAdapter[str](Date)
CORS: Final = {"Access-Control-Allow-Origin": "*"}

Members = Mapping[str, Any]


class UgcError(Exception):
    """A response with a code other than 0."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Ugc:
    """Reads a request, checks its upload signature, runs its action."""

    def __init__(self, world: World, bodies: Bodies) -> None:
        self._world = world
        self._bodies = bodies

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Both paths are those that `mockvod.app` mounts."""
        router.add_route("*", PATH, self._respond)
        router.add_route("*", REPORT_PATH, self._report)

    async def _report(self, request: web.Request) -> web.Response:
        return _preflight(request) if request.method == "OPTIONS" else _json({})

    async def _respond(self, request: web.Request) -> web.Response:
        if request.method == "OPTIONS":
            return _preflight(request)
        try:
            data = await self._run(request)
        except UgcError as error:
            return _json({"code": error.code, "message": f"ugc upload | {error}"})
        except SignatureError as error:
            return _json({"code": INVALID_SIGNATURE, "message": f"ugc upload | invalid signature: {error}"})
        except (ApiError, BodyError) as error:
            return _json({"code": INVALID_REQUEST, "message": f"ugc upload | invalid request: {error}"})
        except LifeEnded as error:
            return _json({"code": INTERNAL, "message": f"ugc upload | {error} while the call was under way"})
        except Exception:
            log.exception("unhandled exception (a bug in mockvod) in an upload")
            return _json({"code": INTERNAL, "message": "ugc upload | internal error"})
        return _json({"code": 0, "message": "", "data": data})

    async def _run(self, request: web.Request) -> Members:
        action = ACTIONS.get(request.query.get("Action", ""))
        if request.method != "POST" or action is None:
            known = ", ".join(ACTIONS)
            raise UgcError(INVALID_REQUEST, f"invalid request: POST with Action one of {known}")
        try:
            body = json.loads(await self._bodies.read(request, BODY_LIMIT))
        except (ValueError, RecursionError):
            raise UgcError(INVALID_REQUEST, "invalid request: the body is not JSON") from None
        if not isinstance(body, dict):
            raise UgcError(INVALID_REQUEST, "invalid request: the body is not an object")
        signature = read_signature(body.get("signature"))
        application = self._authenticate(signature)
        return await application.life.unless_ended(action(application, signature, body))

    def _authenticate(self, signature: UploadSignature) -> Application:
        """The application that an upload is for. Raises SignatureError."""
        world, secret_id = self._world, signature.secret_id
        if secret_id in world.deleted:
            raise SignatureError("the account of its SecretId was deleted")
        account = world.account(secret_id)
        auth = account.life.settings.auth
        if world.declared(secret_id) is not None and auth != "off":
            signature.check(account.secret_key, real_time())
        elif auth == "strict":
            raise SignatureError("its SecretId is unknown")
        sub_app_id = signature.number("vodSubAppId") or None
        application = account.life.existing_application(sub_app_id)
        if application is None and sub_app_id is not None and world.declared(secret_id) is None:
            # Any page can send this: it must not use up the applications.
            raise SignatureError(f"vodSubAppId {sub_app_id} is unknown, and so is its SecretId: declare the account")
        return application or account.life.application(sub_app_id)


async def prepare(application: Application, _: UploadSignature, __: Members) -> Members:
    return {"appId": application.addresses.app_id, "cosRegionList": []}


async def apply(application: Application, signature: UploadSignature, body: Members) -> Members:
    if key := _text(body, "vodSessionKey"):
        session = application.uploads.find(key)
        if session is None:
            raise UgcError(INVALID_REQUEST, "invalid request: the vodSessionKey is unknown, or was committed")
    elif file_id := _text(body, "fileId"):
        media = application.find_media(file_id)
        if media is None:
            raise UgcError(INVALID_REQUEST, f"invalid request: there is no file {file_id[:100]}")
        cover = upload_request("ApplyUpload", media.type, _text(body, "coverType"), name=media.name)
        session = application.uploads.apply(cover, real_time(), cover_of=file_id)
    else:
        session = application.uploads.apply(_request(signature, body), real_time())
    return _applied(application, session)


def _request(signature: UploadSignature, body: Members) -> Request:
    """The parameters of an upload: those of the file from the *body*, those of the application from its signature."""
    members = signature.members
    notify = members.get("taskNotifyMode") or "Finish"
    if notify not in NOTIFY_MODES:
        raise SignatureError(f"taskNotifyMode {notify[:30]!r} is not one of {', '.join(NOTIFY_MODES)}")
    return upload_request(
        "ApplyUpload",
        _text(body, "videoType"),
        _text(body, "coverType"),
        region=_text(body, "storageRegion") or members.get("storageRegion", ""),
        name=_text(body, "videoName")[:300],
        procedure=members.get("procedure", "")[:1000],
        expire_time=_expire_time(body),
        class_id=signature.number("classId"),
        source_context=members.get("sourceContext", "")[:250],
        session_context=members.get("sessionContext", "")[:1000],
        notify=notify,
        priority=signature.number("taskPriority", -10, 10),
    )


def _expire_time(body: Members) -> str:
    if not (text := _text(body, "ExpireTime")):
        return FOREVER
    try:
        return DATE.validate_python(text)
    except ValidationError:
        raise UgcError(INVALID_REQUEST, f"invalid request: ExpireTime {text[:40]!r} is not a time") from None


def _applied(application: Application, session: Session) -> Members:
    name, _, app_id = session.bucket.rpartition("-")
    key = session.temporary
    data: dict[str, Any] = {}
    if session.media_path:
        data["video"] = {"storageSignature": "", "storagePath": session.media_path}
    if session.cover_path:
        data["cover"] = {"storageSignature": "", "storagePath": session.cover_path}
    region = session.request.region
    return {
        **data,
        "storageAppId": int(app_id),
        "storageBucket": name,
        "storageRegion": region,
        "storageRegionV5": region,
        "StorageRegionV5": region,
        "domain": DOMAIN,
        "vodSessionKey": session.key,
        "tempCertificate": {
            "secretId": key.secret_id,
            "secretKey": key.secret_key,
            "token": key.token,
            "expiredTime": key.expires_at,
        },
        "appId": application.addresses.app_id,
        "timestamp": int(real_time()),
    }


async def commit_upload(application: Application, _: UploadSignature, body: Members) -> Members:
    session = application.uploads.find(_text(body, "vodSessionKey"))
    if session is None:
        raise UgcError(INVALID_REQUEST, "invalid request: the vodSessionKey is unknown, or was committed")
    media = await commit(application, session)
    if media is None:
        path = session.media_path or session.cover_path
        raise UgcError(INVALID_REQUEST, f"invalid request: nothing was uploaded to {path}")
    data: dict[str, Any] = {"fileId": media.file_id}
    if session.media_path:
        data["video"] = {"url": media_url(media, application.reachable_addresses()), "verify_content": ""}
    if media.cover_url:
        data["cover"] = {"url": media.cover_url, "verify_content": ""}
    return data


def _text(body: Members, name: str) -> str:
    value = body.get(name, "")
    if value is not None and not isinstance(value, str):
        raise UgcError(INVALID_REQUEST, f"invalid request: {name} must be a string")
    return value or ""


ACTIONS: Final[Mapping[str, Callable[[Application, UploadSignature, Members], Coroutine[Any, Any, Members]]]] = {
    "PrepareUploadUGC": prepare,
    "ApplyUploadUGC": apply,
    "CommitUploadUGC": commit_upload,
}


def _json(members: Members) -> web.Response:
    body = json.dumps(members, ensure_ascii=False).encode(errors="backslashreplace")
    return web.Response(body=body, headers={"Content-Type": "application/json", **CORS})


def _preflight(request: web.Request) -> web.Response:
    headers = {
        **CORS,
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": request.headers.get("Access-Control-Request-Headers", "*"),
        "Access-Control-Max-Age": "600",
    }
    return web.Response(status=204, headers=headers)
