"""The door where pictures are fetched: `/snapshots/{file_id}/{definition}/{offset}.{ext}`."""

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from aiohttp import web

from mockvod.pictures.drawing import CONTENT_TYPES, PRESETS, Look, Source, picture
from mockvod.pictures.video import VideoError, VideoExtraMissing
from mockvod.service.application import Application
from mockvod.service.world import World

log = logging.getLogger("mockvod.pictures")

CACHE_BYTES: Final = 16 * 1024 * 1024
AT_ONCE: Final = 2  # drawings under way; each holds its picture uncompressed several times
SHAPE: Final = "/snapshots/<file id>/<definition>/<offset in ms>.<jpg, png or webp>"

LookOf = Callable[[str, int], Look | None]
SourceOf = Callable[[str], Source | None]


def preset_look(_: str, definition: int) -> Look | None:
    """The look of a preset template, whatever the file."""
    return PRESETS.get(definition)


def any_source(file_id: str) -> Source | None:
    """Every file exists, as long as one likes."""
    return Source(file_id)


@dataclass(frozen=True, slots=True)
class Shelf:
    """What there are pictures of. None says that there is no such template, or no such file."""

    look_of: LookOf = preset_look
    source_of: SourceOf = any_source


ShelfOf = Callable[[Mapping[str, str]], Shelf]


def shelves(world: World) -> ShelfOf:
    """The templates and media of the application that `secret_id` and `sub_app_id` name, as in the control API."""

    def shelf(query: Mapping[str, str]) -> Shelf:
        secret_id, sub_app_id = query.get("secret_id"), query.get("sub_app_id")
        account = world.default if secret_id is None else world.declared(secret_id)
        if account is None:
            raise NoPicture(f"there is no account {secret_id!r}")
        number = None if sub_app_id is None else _number(sub_app_id)
        if number is None or number == account.sub_app_id:
            application = account.application()
        else:  # a GET makes no application
            found = account.life.existing_application(number)
            if found is None:
                raise NoPicture(f"{account.name} has no application {sub_app_id!r}")
            application = found
        return Shelf(lambda _, definition: _look(application, definition), lambda name: _source(application, name))

    return shelf


def _look(application: Application, definition: int) -> Look | None:
    template = application.templates.find(definition)
    if template is None:
        return None
    adaptive = template.resolution_adaptive == "open"
    return Look(template.width, template.height, template.fill_type, template.format, adaptive)


def _source(application: Application, file_id: str) -> Source | None:
    media = application.find_media(file_id)
    if media is None:
        return None
    video = Path(media.video) if media.video else None
    return Source(file_id, media.name, media.width, media.height, media.duration, video)


@dataclass(frozen=True, slots=True)
class Wish:
    """Which picture is meant; *offset* in milliseconds. *stamp* changes when the video file does."""

    source: Source
    look: Look
    definition: int
    offset: int
    stamp: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    body: bytes
    etag: str


class NoPicture(Exception):
    """There is none at this address; the message says why and what there is."""


class Pictures:
    """Answers GET and HEAD of the pictures that snapshots name, drawn when somebody asks.

    *shelf_of* finds what a request's query names, an application's templates and media; it is asked for every request,
    so what is declared anew is seen at once. A context: at its end no drawing is under way.
    """

    def __init__(self, shelf_of: ShelfOf) -> None:
        self._shelf_of = shelf_of
        self._darkroom = Renderer()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._darkroom.aclose()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/snapshots/{file_id}/{definition}/{name}", self._serve)
        router.add_get("/snapshots/{rest:.*}", self._unknown)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        try:
            wish = await self._wish(request)
            found = await self._darkroom.picture(wish)
        except (NoPicture, VideoError) as error:
            return _text(404, _said(error))
        except VideoExtraMissing as error:
            log.error("%s", error)  # noqa: TRY400 - the message is all there is to know
            return _text(500, str(error))
        except Exception:
            log.exception("a picture failed, which is a mistake of mockvod: %s", request.path)
            return _text(500, "mockvod made a mistake; its log has the traceback")
        # no-cache: keep it, but ask; a file or a template may be declared anew under the same id.
        headers = {"ETag": f'"{found.etag}"', "Cache-Control": "no-cache"}
        if any(known.value in {"*", found.etag} for known in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(body=found.body, content_type=CONTENT_TYPES[wish.look.format], headers=headers)

    async def _wish(self, request: web.Request) -> Wish:
        file_id, definition_text = request.match_info["file_id"], request.match_info["definition"]
        offset_text, _, ext = request.match_info["name"].rpartition(".")
        definition, offset = _number(definition_text), _number(offset_text)
        shelf = self._shelf_of(request.query)
        source = shelf.source_of(file_id)
        if source is None:
            raise NoPicture(f"there is no file {file_id!r}: declare it, or look at its id")
        look = None if definition is None else shelf.look_of(file_id, definition)
        if definition is None or look is None:
            presets = ", ".join(str(preset) for preset in PRESETS)
            raise NoPicture(
                f"there is no snapshot template {definition_text!r}: create it, or take the preset {presets}"
            )
        if ext != look.format:
            raise NoPicture(
                f"template {definition} makes {look.format} pictures, not {ext!r}: "
                f"/snapshots/{file_id}/{definition}/{offset_text or ext}.{look.format}"
            )
        if offset is None:
            raise NoPicture(f"{offset_text!r} is no offset: give whole milliseconds, such as 10000.{look.format}")
        if offset > source.duration * 1000:
            raise NoPicture(
                f"{offset} ms is beyond the end of file {file_id}, which lasts {source.duration:.3f} s: "
                f"its offsets are 0 to {int(source.duration * 1000)}"
            )
        stamp = await asyncio.to_thread(_stamp, source) if source.video is not None else None
        return Wish(source, look, definition, offset, stamp)

    async def _unknown(self, request: web.Request) -> web.StreamResponse:
        return _text(404, f"there is no picture at {request.path}: pictures are at {SHAPE}")


class Renderer:
    """Draws each picture once however many ask for it, a few at a time, and keeps the latest ones it made.

    Drawing happens in threads. A picture that nobody waits for any more is not begun; one begun is finished and kept.
    """

    def __init__(self, draw: Callable[[Wish], bytes] | None = None, *, cache_bytes: int = CACHE_BYTES) -> None:
        self._draw = draw or _drawn
        self._cache_bytes = cache_bytes
        self._kept: OrderedDict[Wish, Picture] = OrderedDict()
        self._bytes = 0
        self._room = asyncio.Semaphore(AT_ONCE)
        self._under_way: dict[Wish, _Drawing] = {}
        self._tasks: set[asyncio.Task[Picture]] = set()

    async def picture(self, wish: Wish) -> Picture:
        """The picture of *wish*. Raises what drawing it raises."""
        kept = self._kept.get(wish)
        if kept is not None:
            self._kept.move_to_end(wish)
            return kept
        drawing = self._under_way.get(wish)
        if drawing is None:
            drawing = self._under_way[wish] = _Drawing()
            drawing.task = asyncio.create_task(self._make(wish, drawing))
            self._tasks.add(drawing.task)
            drawing.task.add_done_callback(self._ended)
        drawing.waiting += 1
        try:
            return await asyncio.shield(drawing.task)
        finally:
            drawing.waiting -= 1
            if not drawing.waiting and not drawing.begun:
                drawing.task.cancel()
                self._forget(wish, drawing)

    async def aclose(self) -> None:
        """Begin nothing more, and wait for what has begun: a thread cannot be stopped."""
        for drawing in self._under_way.values():
            if not drawing.begun:
                drawing.task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _make(self, wish: Wish, drawing: "_Drawing") -> Picture:
        try:
            async with self._room:
                drawing.begun = True
                body = await asyncio.to_thread(self._draw, wish)
        finally:
            self._forget(wish, drawing)
        made = Picture(body, hashlib.sha256(body).hexdigest()[:32])
        self._keep(wish, made)
        return made

    def _ended(self, task: asyncio.Task[Picture]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.debug("drawing failed: %s", error)  # who waits gets it raised; nobody may be waiting

    def _forget(self, wish: Wish, drawing: "_Drawing") -> None:
        if self._under_way.get(wish) is drawing:
            del self._under_way[wish]

    def _keep(self, wish: Wish, made: Picture) -> None:
        self._kept[wish] = made
        self._bytes += len(made.body)
        while self._bytes > self._cache_bytes:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= len(dropped.body)


class _Drawing:
    """A picture in the making: who waits for it, and whether a thread has begun."""

    def __init__(self) -> None:
        self.task: asyncio.Task[Picture]
        self.waiting = 0
        self.begun = False


def _drawn(wish: Wish) -> bytes:
    return picture(wish.source, wish.look, wish.definition, wish.offset)


def _stamp(source: Source) -> tuple[int, int] | None:
    try:
        facts = source.video.stat() if source.video is not None else None
    except OSError:
        return None  # opening it will say why
    return None if facts is None else (facts.st_mtime_ns, facts.st_size)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


def _said(error: Exception) -> str:
    return f"{error.err_code_ext}: {error}" if isinstance(error, VideoError) else str(error)


def _text(status: int, message: str) -> web.Response:
    return web.Response(status=status, text=message + "\n", headers={"Cache-Control": "no-store"})
