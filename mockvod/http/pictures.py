"""Pictures: `GET /snapshots/{file_id}/{definition}/{offset}.{ext}`."""

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any, Final, Generic, TypeVar

from aiohttp import web

from mockvod.engine.lifetime import LifeEnded
from mockvod.extras import ExtraMissing
from mockvod.http.guard import NOT_EMBEDDED
from mockvod.pictures.drawing import CONTENT_TYPES, Look, Source, picture
from mockvod.pictures.video import VideoError
from mockvod.pictures.worker import Job, TookTooLong, Worker, WorkerClosed
from mockvod.service.application import Application
from mockvod.service.media import Media
from mockvod.service.templates import PRESET
from mockvod.service.world import World

log = logging.getLogger("mockvod.pictures")

CACHE_BYTES: Final = 16 * 1024 * 1024
OVERHEAD: Final = 1024  # bytes that a cached picture takes beside its body
TEXT_MOST: Final = 200  # characters of a FileId, as everywhere
PATTERN: Final = "/snapshots/<file id>/<definition>/<offset in ms>.<jpg, png or webp>"

Key = TypeVar("Key", bound=Hashable)


def _application(world: World, query: Mapping[str, str]) -> Application:
    """The application that `secret_id` and `sub_app_id` name, as in the control API. Raises PictureNotFound."""
    secret_id, sub_app_id = query.get("secret_id"), query.get("sub_app_id")
    account = world.default if secret_id is None else world.declared(secret_id)
    if account is None:
        raise PictureNotFound(f"there is no account {str(secret_id)[:TEXT_MOST]!r}")
    number = None if sub_app_id is None else _number(sub_app_id)
    if number is None or number == account.identity.sub_app_id:
        return account.life.application()
    application = account.life.existing_application(number)  # a GET makes no application
    if application is None:
        raise PictureNotFound(f"{account.name} has no application {number}")
    return application


def look_of(template: Mapping[str, Any]) -> Look:
    """What a template of pictures makes of a frame."""
    adaptive = template["ResolutionAdaptive"] == "open"
    return Look(template["Width"], template["Height"], template["FillType"], template["Format"], adaptive)


def source_of(media: Media) -> Source:
    """The media file as the source of a picture."""
    video = Path(media.video) if media.video else None
    return Source(media.file_id, media.name, media.width, media.height, media.duration, video)


@dataclass(frozen=True, slots=True)
class PictureKey:
    """One picture; *offset* in milliseconds. *stamp* changes with the video file."""

    source: Source
    look: Look
    definition: int
    offset: int
    stamp: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    body: bytes
    etag: str


class PictureNotFound(Exception):
    """No picture has this address; the message says why and what to do."""


class Pictures:
    """Answers GET and HEAD of the pictures whose addresses snapshots have. A picture is drawn on its first request."""

    def __init__(self, world: World, worker: Worker) -> None:
        self._world = world
        self._worker = worker
        self._renderer = Renderer(worker, draw_picture)

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/snapshots/{file_id}/{definition}/{name}", self._serve)
        router.add_get("/snapshots/{rest:.*}", self._unknown)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        try:
            application = _application(self._world, request.query)
            key, found = await application.life.unless_ended(self._picture(request, application))
        except (PictureNotFound, VideoError) as error:
            return _text(404, _message(error))
        except (TookTooLong, WorkerClosed, LifeEnded) as error:
            return _text(503, str(error))
        except ExtraMissing as error:
            log.error("%s", error)  # noqa: TRY400 - the message is all there is to know
            return _text(500, str(error))
        except Exception:
            log.exception("unhandled exception in the picture %s (a bug in mockvod)", request.path)
            return _text(500, "unhandled exception (a bug in mockvod); its log has the traceback")
        # no-cache: clients revalidate, because a file or a template may be declared again with the same id.
        headers = {"ETag": f'"{found.etag}"', "Cache-Control": "no-cache", **NOT_EMBEDDED}
        if any(known.value in {"*", found.etag} for known in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(body=found.body, content_type=CONTENT_TYPES[key.look.format], headers=headers)

    async def _picture(self, request: web.Request, application: Application) -> tuple[PictureKey, Picture]:
        key = await self._key(request, application)
        return key, await self._renderer.picture(key)

    async def _key(self, request: web.Request, application: Application) -> PictureKey:
        file_id, definition_text = request.match_info["file_id"], request.match_info["definition"]
        offset_text, _, ext = request.match_info["name"].rpartition(".")
        for text in (file_id, definition_text, offset_text, ext):
            if len(text) > TEXT_MOST:
                raise PictureNotFound(f"'{text[:20]}…' is too long: at most {TEXT_MOST} characters")
        definition, offset = _number(definition_text), _number(offset_text)
        media = application.find_media(file_id)
        if media is None:
            raise PictureNotFound(f"there is no file {file_id!r}: declare it, or check its id")
        if definition is None or (template := application.templates.find("SnapshotByTimeOffset", definition)) is None:
            raise PictureNotFound(
                f"there is no snapshot template {definition_text!r}: create it, or use the preset {PRESET}"
            )
        look = look_of(template.content)
        if ext != look.format:
            raise PictureNotFound(
                f"template {definition} makes {look.format} pictures, not {ext!r}: "
                f"/snapshots/{file_id}/{definition}/{offset_text or ext}.{look.format}"
            )
        if offset is None:
            raise PictureNotFound(
                f"{offset_text!r} is not an offset: use whole milliseconds, as in 10000.{look.format}"
            )
        if offset > media.duration * 1000:
            raise PictureNotFound(
                f"{offset} ms is beyond the end of file {file_id}, which lasts {media.duration:.3f} s: "
                f"its offsets are 0 to {int(media.duration * 1000)}"
            )
        source = source_of(media)
        video = source.video
        stamp = None if video is None else await self._worker.run(lambda _: video_stamp(video))
        return PictureKey(source, look, definition, offset, stamp)

    async def _unknown(self, request: web.Request) -> web.StreamResponse:
        return _text(404, f"there is no picture at {request.path[:TEXT_MOST]}: pictures are at {PATTERN}")


class Renderer(Generic[Key]):
    """Draws each picture once for all concurrent requests, in the threads of *worker*, and caches the latest pictures.

    A picture that no request waits for any more is not begun; one that has begun is finished and cached.
    """

    def __init__(self, worker: Worker, draw: Callable[[Key, Event], bytes], *, cache_bytes: int = CACHE_BYTES) -> None:
        self._worker = worker
        self._draw = draw
        self._cache_bytes = cache_bytes
        self._cache: OrderedDict[Key, Picture] = OrderedDict()
        self._bytes = 0
        self._drawings: dict[Key, _Drawing] = {}

    async def picture(self, key: Key) -> Picture:
        """The picture of *key*. Raises what drawing it raises, TookTooLong, WorkerClosed."""
        cached = self._cache.get(key)
        if cached is not None:
            self._cache.move_to_end(key)
            return cached
        drawing = self._drawings.get(key)
        if drawing is None:
            drawing = self._drawings[key] = _Drawing(self._worker.submit(lambda stop: _picture(self._draw(key, stop))))
            drawing.job.future.add_done_callback(lambda future: self._keep(key, future))
        drawing.waiting += 1
        try:
            return await asyncio.shield(drawing.job.future)
        finally:
            drawing.waiting -= 1
            if not drawing.waiting and drawing.job.discard():
                del self._drawings[key]

    def _keep(self, key: Key, future: asyncio.Future[Picture]) -> None:
        if future.cancelled():
            return
        self._drawings.pop(key, None)
        if future.exception() is None:
            picture = self._cache[key] = future.result()
            self._bytes += OVERHEAD + len(picture.body)
            while self._bytes > self._cache_bytes:
                _, evicted = self._cache.popitem(last=False)
                self._bytes -= OVERHEAD + len(evicted.body)


@dataclass(slots=True)
class _Drawing:
    """A picture that is being drawn, and the number of requests that wait for it."""

    job: Job[Picture]
    waiting: int = 0


def draw_picture(key: PictureKey, stop: Event) -> bytes:
    return picture(key.source, key.look, key.definition, key.offset, stop)


def _picture(body: bytes) -> Picture:
    return Picture(body, hashlib.sha256(body).hexdigest()[:32])


def video_stamp(video: Path) -> tuple[int, int] | None:
    try:
        facts = video.stat()
    except (OSError, ValueError):
        return None  # opening it will say why
    return facts.st_mtime_ns, facts.st_size


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


def _message(error: Exception) -> str:
    return f"{error.err_code_ext}: {error}" if isinstance(error, VideoError) else str(error)


def _text(status: int, message: str) -> web.Response:
    return web.Response(status=status, text=message + "\n", headers={"Cache-Control": "no-store", **NOT_EMBEDDED})
