"""The object storage that uploads go to: hosts `<bucket>.cos.<region>.myqcloud.com`, as upload SDKs speak to it.

PUT of an object, multipart uploads (initiate, list, parts in any order, complete, abort), CORS, errors as XML.
"""

import asyncio
import base64
import logging
import re
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final, NamedTuple

from aiohttp import web

from mockvod.engine.clock import LoopShare, real_time
from mockvod.engine.lifetime import LifeEnded
from mockvod.http.bodies import BODY_SECONDS
from mockvod.service.application import Application
from mockvod.service.storage import Key, Stored, checksum
from mockvod.service.world import World
from mockvod.wire.cos import StorageError, Tree, check, completed_parts, read_authorization, xml_pieces

log = logging.getLogger("mockvod.storage")

HOST: Final = re.compile(r"(?P<bucket>[a-z0-9]+-[0-9]+)\.cos\.(?P<region>[a-z0-9-]+)\.myqcloud\.com(?::[0-9]+)?")
DOCUMENT_LIMIT: Final = 2 * 1024 * 1024
CHECKS_CRC64: Final = ("cos-go-sdk", "cos-java-sdk")
"""User-Agents of SDKs that compare the checksum; it is slow to compute, so others do not get it."""
CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Content-Length, x-cos-request-id, x-cos-hash-crc64ecma",
}


class Call(NamedTuple):
    """A request for the storage of one application."""

    request: web.BaseRequest
    application: Application
    bucket: str
    path: str
    query: Mapping[str, str]

    @property
    def key(self) -> Key:
        return self.bucket, self.path

    def required(self, name: str) -> str:
        value = self.query.get(name, "")
        if not value:
            raise StorageError(400, "InvalidArgument", f"{name} is missing")
        return value


class StorageApi:
    """Answers every request to a host of the storage."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            response = await self._run(request)
        except StorageError as error:
            response = _error(request, error)
        except LifeEnded as ended:
            response = _error(
                request, StorageError(503, "ServiceUnavailable", f"{ended} while the request was under way")
            )
        except Exception:
            log.exception("unhandled exception (a bug in mockvod) in the storage")
            response = _error(request, StorageError(500, "InternalError", "unhandled exception; see mockvod's log"))
        if not response.prepared:
            response.headers["x-cos-request-id"] = secrets.token_hex(16)
            response.headers.update(CORS)
        return response

    async def _run(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "OPTIONS":
            return _preflight(request)
        found = HOST.fullmatch(request.headers["Host"].lower())
        bucket = found["bucket"] if found else ""
        application = self._application(bucket)
        call = Call(request, application, bucket, request.path, request.query)
        self._authenticate(call)
        operation = OPERATIONS.get((request.method, _names(call)))
        if operation is None:
            raise StorageError(
                405, "MethodNotAllowed", f"{request.method} {request.path_qs[:200]} is not simulated by the storage"
            )
        return await application.life.unless_ended(operation(call))

    def _application(self, bucket: str) -> Application:
        for application in self._world.applications():
            if application.addresses.bucket == bucket:
                return application
        raise StorageError(404, "NoSuchBucket", f"there is no bucket {bucket[:100]!r}: apply for an upload first")

    def _authenticate(self, call: Call) -> None:
        """Raise StorageError unless the request is signed as the account's setting `auth` requires."""
        request, auth = call.request, call.application.life.settings.auth
        if auth == "off":
            return
        header = request.headers.get("Authorization", "")
        if not header:
            if auth == "strict":
                raise StorageError(403, "AccessDenied", "the request is not signed")
            return
        authorization = read_authorization(header)
        temporary = call.application.uploads.temporary_key(authorization.secret_id)
        account = self._world.declared(authorization.secret_id)
        if temporary is not None:
            secret_key = temporary.secret_key
        elif account is not None and account.life is call.application.life:
            secret_key = account.secret_key
        elif auth == "strict":
            raise StorageError(403, "InvalidAccessKeyId", "the key of the signature was not given out by an upload")
        else:
            return
        now, query = real_time(), request.rel_url.raw_query_string
        check(authorization, secret_key, request.method, request.path, query, request.headers, now)
        if temporary is None:
            return
        if now > temporary.expires_at:
            raise StorageError(403, "AccessDenied", f"the temporary key has expired at {temporary.expires_at}")
        token = request.headers.get("x-cos-security-token") or ("" if auth == "strict" else temporary.token)
        if token != temporary.token:
            raise StorageError(403, "AccessDenied", "x-cos-security-token is not the token of the temporary key")


def _names(call: Call) -> str:
    """What the request is about, as in OPERATIONS: a parameter of the query, else the bucket or an object."""
    for name in ("uploads", "partNumber", "uploadId"):
        if name in call.query:
            return name
    return "bucket" if call.path == "/" else "object"


# --- operations


async def put_object(call: Call) -> web.StreamResponse:
    _refuse_copy(call)
    stored = await call.application.uploads.storage.put(call.key, _content(call.request), _digest(call))
    return await _stored(call, stored)


async def put_part(call: Call) -> web.StreamResponse:
    _refuse_copy(call)
    storage = call.application.uploads.storage
    number = call.required("partNumber")
    if not number.isdecimal() or len(number) > 6:
        raise StorageError(400, "InvalidArgument", f"partNumber {number[:30]!r} is not a number")
    upload = storage.upload(call.key, call.required("uploadId"))
    return await _stored(call, await storage.put_part(upload, int(number), _content(call.request), _digest(call)))


async def _stored(call: Call, stored: Stored) -> web.Response:
    return web.Response(headers={"ETag": f'"{stored.etag}"', **await _checksum(call, stored)})


def _refuse_copy(call: Call) -> None:
    if "x-cos-copy-source" in call.request.headers:
        raise StorageError(501, "NotImplemented", "copying objects (x-cos-copy-source) is not simulated by the storage")


def _digest(call: Call) -> str:
    """The header Content-MD5 as hex; empty without it."""
    header = call.request.headers.get("Content-MD5", "")
    try:
        return base64.b64decode(header, validate=True).hex()
    except ValueError:
        raise StorageError(400, "InvalidDigest", "the header Content-MD5 is not Base64 of an MD5") from None


async def _checksum(call: Call, stored: Stored) -> dict[str, str]:
    if not call.request.headers.get("User-Agent", "").startswith(CHECKS_CRC64):
        return {}
    return {"x-cos-hash-crc64ecma": str(await checksum(stored))}


async def initiate(call: Call) -> web.StreamResponse:
    upload = call.application.uploads.storage.initiate(call.key, real_time())
    return await _document(
        "InitiateMultipartUploadResult",
        [("Bucket", call.bucket), ("Key", call.path[1:]), ("UploadId", upload.upload_id)],
    )


async def list_uploads(call: Call) -> web.StreamResponse:
    prefix = call.query.get("prefix", "")
    owner: Tree = [("ID", call.bucket), ("DisplayName", call.bucket)]
    uploads: Iterable[tuple[str, Tree]] = (
        (
            "Upload",
            [
                ("Key", one.key[1][1:]),
                ("UploadId", one.upload_id),
                ("Initiator", owner),
                ("Owner", owner),
                ("StorageClass", "Standard"),
                ("Initiated", _date(one.initiated_at)),
            ],
        )
        for one in call.application.uploads.storage.uploads(call.bucket, prefix)
    )
    head: list[tuple[str, Tree]] = [
        ("Bucket", call.bucket),
        ("Encoding-Type", ""),
        ("KeyMarker", ""),
        ("UploadIdMarker", ""),
        ("MaxUploads", "1000"),
        ("Prefix", prefix),
        ("Delimiter", ""),
        ("IsTruncated", "false"),
    ]
    return await _document("ListMultipartUploadsResult", chain(head, uploads))


async def list_parts(call: Call) -> web.StreamResponse:
    upload = call.application.uploads.storage.upload(call.key, call.required("uploadId"))
    owner: Tree = [("ID", call.bucket), ("DisplayName", call.bucket)]
    parts: Iterable[tuple[str, Tree]] = (
        (
            "Part",
            [
                ("PartNumber", str(number)),
                ("LastModified", _date(upload.initiated_at)),
                ("ETag", f'"{part.etag}"'),
                ("Size", str(part.size)),
            ],
        )
        for number, part in sorted(upload.parts.items())
    )
    head: list[tuple[str, Tree]] = [
        ("Bucket", call.bucket),
        ("Encoding-type", ""),
        ("Key", call.path[1:]),
        ("UploadId", upload.upload_id),
        ("Owner", owner),
        ("PartNumberMarker", "0"),
        ("Initiator", owner),
    ]
    tail: list[tuple[str, Tree]] = [("StorageClass", "Standard"), ("MaxParts", "10000"), ("IsTruncated", "false")]
    return await _document("ListPartsResult", chain(head, parts, tail))


async def complete(call: Call) -> web.StreamResponse:
    upload_id, document = call.required("uploadId"), b""
    async for chunk in _content(call.request):
        document += chunk
        if len(document) > DOCUMENT_LIMIT:
            raise StorageError(400, "EntityTooLarge", f"the list of parts has more than {DOCUMENT_LIMIT} bytes")
    stored = await call.application.uploads.storage.complete(call.key, upload_id, completed_parts(document))
    response = await _document(
        "CompleteMultipartUploadResult",
        [
            ("Location", f"{call.request.headers['Host']}{call.path}"),
            ("Bucket", call.bucket),
            ("Key", call.path[1:]),
            ("ETag", f'"{stored.etag}"'),
        ],
    )
    response.headers.update(await _checksum(call, stored))
    return response


async def abort(call: Call) -> web.StreamResponse:
    storage = call.application.uploads.storage
    storage.abort(storage.upload(call.key, call.required("uploadId")).upload_id)
    return web.Response(status=204)


async def get_object(call: Call) -> web.StreamResponse:
    stored = call.application.uploads.storage.find(call.key)
    if stored is None:
        raise StorageError(404, "NoSuchKey", f"there is no object {call.path[:200]!r}")
    request, headers = call.request, {"ETag": f'"{stored.etag}"', "Accept-Ranges": "bytes"}
    if any(one.value in {"*", stored.etag} for one in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    if request.if_match and not any(one.value in {"*", stored.etag} for one in request.if_match):
        raise StorageError(412, "PreconditionFailed", f"the ETag of the object is {stored.etag}")
    try:
        wanted = request.http_range
        first, end, _ = wanted.indices(stored.size)
    except ValueError:
        first = end = -1
    part = "Range" in request.headers
    if part and first >= end:
        raise StorageError(416, "InvalidRange", f"the object has {stored.size} bytes")
    if part:
        headers["Content-Range"] = f"bytes {first}-{end - 1}/{stored.size}"
    headers |= {"Content-Length": str(end - first), "Content-Type": "application/octet-stream"}
    # aiohttp's FileResponse would send an ETag of its own, and compare that with If-Match.
    response = web.Response(status=206 if part else 200, body=stored.read(first, end), headers=headers)
    response.last_modified = stored.file.stat().st_mtime
    return response


async def delete_object(call: Call) -> web.StreamResponse:
    call.application.uploads.storage.delete(call.key)
    return web.Response(status=204)


async def head_bucket(_: Call) -> web.StreamResponse:
    return web.Response()


OPERATIONS: Final[Mapping[tuple[str, str], Callable[[Call], Coroutine[Any, Any, web.StreamResponse]]]] = {
    ("PUT", "object"): put_object,
    ("PUT", "partNumber"): put_part,
    ("POST", "uploads"): initiate,
    ("GET", "uploads"): list_uploads,
    ("GET", "uploadId"): list_parts,
    ("POST", "uploadId"): complete,
    ("DELETE", "uploadId"): abort,
    ("GET", "object"): get_object,
    ("HEAD", "object"): get_object,
    ("DELETE", "object"): delete_object,
    ("HEAD", "bucket"): head_bucket,
}
"""The operations, by method and by what `_names` returns."""


# --- bytes


async def _content(request: web.BaseRequest) -> AsyncIterator[bytes]:
    """The body in pieces. Raises StorageError if no byte arrives in time or the body is cut short."""
    try:
        while True:
            async with asyncio.timeout(BODY_SECONDS):
                chunk = await request.content.readany()
            if not chunk:
                return
            yield chunk
    except TimeoutError:
        raise StorageError(400, "RequestTimeout", f"no byte of the body arrived for {BODY_SECONDS:g} s") from None
    except web.RequestPayloadError:
        raise StorageError(400, "IncompleteBody", "the body is shorter than its Content-Length") from None


async def _document(name: str, elements: Iterable[tuple[str, Tree]]) -> web.Response:
    """An XML document; the event loop is shared between its *elements*."""
    share, pieces = LoopShare(), []
    for piece in xml_pieces(name, elements):
        pieces.append(piece)
        await share.turn()
    return web.Response(body=b"".join(pieces), content_type="application/xml")


def _error(request: web.BaseRequest, error: StorageError) -> web.Response:
    # SDKs need every one of these elements.
    pieces = xml_pieces(
        "Error",
        [
            ("Code", error.code),
            ("Message", str(error)),
            ("Resource", f"{request.headers.get('Host', '')}{request.path}"[:500]),
            ("RequestId", secrets.token_hex(16)),
            ("TraceId", secrets.token_hex(16)),
        ],
    )
    return web.Response(status=error.status, body=b"".join(pieces), content_type="application/xml")


def _preflight(request: web.BaseRequest) -> web.Response:
    headers = {
        "Access-Control-Allow-Methods": "GET, HEAD, PUT, POST, DELETE",
        "Access-Control-Allow-Headers": request.headers.get("Access-Control-Request-Headers", "*"),
        "Access-Control-Max-Age": "600",
    }
    return web.Response(headers=headers)


def _date(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
