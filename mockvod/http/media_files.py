"""Media files and what jobs make of them: `GET /<bucket>/<8 hex><FileId>/<name>`, as the vendor's addresses have it.

A transcode is the media's own video file, or a sample clip; a playlist repeats the clip. Pictures are drawn on their
first request.
"""

import hashlib
import logging
import mimetypes
import re
from collections.abc import Callable, Mapping
from math import ceil, inf
from pathlib import Path
from threading import Event
from typing import Any, Final, NamedTuple

from aiohttp import web

from mockvod import pictures
from mockvod.engine.lifetime import LifeEnded
from mockvod.extras import ExtraMissing
from mockvod.http.pictures import PictureKey, Renderer, draw_picture, look_of, source_of, video_stamp
from mockvod.pictures.drawing import CONTENT_TYPES, Look, Source, time_code
from mockvod.pictures.hls import MAX_SEGMENTS, SEGMENT_SECONDS, Playlist, Segment, playlist, segment
from mockvod.pictures.sheets import Animation, Sheet, animation, sheet
from mockvod.pictures.video import VideoError
from mockvod.pictures.worker import TookTooLong, Worker, WorkerClosed
from mockvod.service.application import Application
from mockvod.service.media import Media
from mockvod.service.uploads import PLAYLISTS
from mockvod.service.world import World

log = logging.getLogger("mockvod.media_files")

CLIP: Final = Path(pictures.__file__).with_name("clip.mp4")
CLIP_SEGMENT: Final = Path(pictures.__file__).with_name("clip.ts")
CACHE_BYTES: Final = 16 * 1024 * 1024
PLAYLIST: Final = "application/vnd.apple.mpegurl"
TYPES: Final = {".m3u8": PLAYLIST, ".mpd": "application/dash+xml", ".vtt": "text/vtt", ".ts": "video/mp2t"}
HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Access-Control-Allow-Origin": "*",  # players in a page read it too
    "X-Content-Type-Options": "nosniff",
    # An uploaded page must not run scripts beside the control API.
    "Content-Security-Policy": "sandbox; default-src 'none'; media-src 'self'; img-src 'self'",
}


class NotThere(Exception):
    """No file has this address; the message says why."""


class File(NamedTuple):
    """The address of a request: a media file of an application, and a name in its folder."""

    application: Application
    media: Media
    name: str

    def made(self, kind: str, definition: int) -> Mapping[str, Any]:
        """The output of a job on the media file. Raises NotThere."""
        item = self.application.media.outputs(self.media.file_id, kind).get(definition)
        if item is None:
            raise NotThere(f"no job has made {self.name} of file {self.media.file_id}, or it was deleted")
        return item

    @property
    def video(self) -> Path | None:
        """The file of its video, if that was read as one: a declared path may name anything."""
        media = self.media
        read = media.video and media.inspection is not None and media.inspection.video is not None
        return Path(media.video) if media.video and read else None

    @property
    def source(self) -> Source:
        return source_of(self.media)


Drawn = PictureKey | Sheet | Animation | Playlist | Segment
"""What is drawn, or read from a video file, on its first request."""
Content = Path | str | bytes | Drawn
"""A file on disk, a text, bytes, or what is drawn."""


class Drawing(NamedTuple):
    """What to draw. *stamp* changes with the video file, so nothing cached of an older file is served."""

    drawn: Drawn
    stamp: tuple[int, int] | None


# --- the content of each name


def _original(file: File, _: re.Match[str]) -> Content:
    if file.name != file.media.original:
        raise NotThere(f"file {file.media.file_id} has no {file.name}, or its original was deleted")
    return _playlist(file) if file.name.endswith(".m3u8") else _video(file)


def _video(file: File) -> Path:
    media = file.media
    if (video := file.video) is not None:
        return video
    if media.type in PLAYLISTS:
        return CLIP
    return file.application.uploads.file(media.file_id, media.original) or CLIP


def _stored(file: File, _: re.Match[str]) -> Content:
    content = file.application.media.stored(file.media.file_id, file.name)
    if content is None:
        raise NotThere(f"file {file.media.file_id} has no {file.name}, or it was replaced")
    return content


def _playlist(file: File, begin: float = 0.0, end: float = inf) -> Content:
    """The playlist of the video from *begin* to *end* seconds; without a video, one of the sample clip."""
    sample = _sample_playlist(min(end, file.media.duration) - begin)
    return sample if file.video is None else Playlist(file.video, begin, end, sample)


def _sample_playlist(seconds: float) -> str:
    """A playlist that repeats the sample clip for *seconds*."""
    count = min(MAX_SEGMENTS, max(1, ceil(seconds / SEGMENT_SECONDS)))
    one = f"#EXTINF:{SEGMENT_SECONDS:.3f},\nclip.ts\n"
    segments = "#EXT-X-DISCONTINUITY\n".join([one] * count)
    head = f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-TARGETDURATION:{SEGMENT_SECONDS:.0f}\n"
    return f"{head}{segments}#EXT-X-ENDLIST\n"


def _clipped(file: File, found: re.Match[str]) -> Content:
    return _playlist(file, float(found["begin"]), float(found["end"]))


def _transcode(file: File, found: re.Match[str]) -> Content:
    definition, extension = int(found["definition"]), found["extension"]
    if extension in {"gif", "webp"}:
        return _animation(file, definition)
    if not str(file.made("TranscodeSet", definition)["Url"]).endswith(f".{extension}"):
        raise NotThere(f"template {definition} makes no {extension}")
    return _playlist(file) if extension == "m3u8" else _video(file)


def _adaptive(file: File, found: re.Match[str]) -> Content:
    definition = int(found["definition"])
    item = file.made("AdaptiveDynamicStreamingSet", definition)
    if found["extension"] == "mpd":
        return _manifest(file, item)
    seconds = file.media.duration or 1.0
    lines = ["#EXTM3U", "#EXT-X-VERSION:3"]
    for number, stream in enumerate(item["SubStreamSet"]):
        size = f"{stream['Width']}x{stream['Height']}"
        lines.append(f"#EXT-X-STREAM-INF:BANDWIDTH={int(stream['Size'] * 8 / seconds) or 1},RESOLUTION={size}")
        lines.append(f"video_{definition}_{number}.m3u8")
    return "\n".join(lines) + "\n"


def _manifest(file: File, item: Mapping[str, Any]) -> str:
    seconds = file.media.duration or 1.0
    streams = "".join(
        f'<Representation id="{number}" bandwidth="{int(one["Size"] * 8 / seconds) or 1}" width="{one["Width"]}" '
        f'height="{one["Height"]}"><BaseURL>clip.mp4</BaseURL></Representation>'
        for number, one in enumerate(item["SubStreamSet"])
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        f'profiles="urn:mpeg:dash:profile:isoff-on-demand:2011" mediaPresentationDuration="PT{seconds}S" '
        f'minBufferTime="PT1S"><Period><AdaptationSet mimeType="video/mp4">{streams}</AdaptationSet></Period></MPD>\n'
    )


def _stream(file: File, found: re.Match[str]) -> Content:
    item = file.made("AdaptiveDynamicStreamingSet", int(found["definition"]))
    if int(found["number"]) >= len(item["SubStreamSet"]):
        raise NotThere(f"there are {len(item['SubStreamSet'])} streams")
    return _playlist(file)


def _clip(_: File, found: re.Match[str]) -> Content:
    return CLIP_SEGMENT if found["extension"] == "ts" else CLIP


def _segment(file: File, found: re.Match[str]) -> Content:
    if file.video is None:
        raise NotThere(f"file {file.media.file_id} has no video that mockvod has read")
    return Segment(file.video, int(found["begin"]), int(found["end"]))


def _sprite(file: File, found: re.Match[str]) -> Content:
    definition, number = int(found["definition"]), int(found["number"])
    item, layout = file.made("ImageSpriteSet", definition), file.made("ImageSpriteLayout", definition)
    template = layout["Template"]
    on_a_sheet = template["RowCount"] * template["ColumnCount"]
    offsets = _offsets(layout, item["TotalCount"])[number * on_a_sheet : (number + 1) * on_a_sheet]
    if not offsets or found["extension"] != template["Format"]:
        raise NotThere(f"the sheets are {', '.join(item['ImageUrlSet'][:20])}")
    look = Look(item["Width"], item["Height"], template["FillType"], template["Format"], resolution_adaptive=False)
    return Sheet(file.source, look, definition, tuple(offsets), template["ColumnCount"], template["RowCount"])


def _sprite_text(file: File, found: re.Match[str]) -> Content:
    """The WebVTT file of a sprite: for every picture its time, its sheet and its place on it."""
    definition = int(found["definition"])
    item, layout = file.made("ImageSpriteSet", definition), file.made("ImageSpriteLayout", definition)
    template, width, height = layout["Template"], item["Width"], item["Height"]
    columns, on_a_sheet = template["ColumnCount"], template["RowCount"] * template["ColumnCount"]
    begins = _offsets(layout, item["TotalCount"])
    cues = ["WEBVTT\n"]
    for place, (begin, end) in enumerate(zip(begins, [*begins[1:], round(layout["End"] * 1000)], strict=True)):
        sheet_number, on_it = divmod(place, on_a_sheet)
        row, column = divmod(on_it, columns)
        name = f"imageSprite_{definition}_{sheet_number}.{template['Format']}"
        where = f"#xywh={column * width},{row * height},{width},{height}"
        cues.append(f"{time_code(begin)} --> {time_code(end)}\n{name}{where}\n")
    return "\n".join(cues)


def _offsets(layout: Mapping[str, Any], count: int) -> list[int]:
    return [round(number * layout["Step"]) for number in range(count)]


def _sample(file: File, found: re.Match[str]) -> Content:
    definition, number = int(found["definition"]), int(found["number"])
    item, layout = file.made("SampleSnapshotSet", definition), file.made("SampleSnapshotLayout", definition)
    if number >= len(item["ImageUrlSet"]):
        raise NotThere(f"there are {len(item['ImageUrlSet'])} pictures")
    return _picture(file, found, layout, round(number * layout["Step"]))


def _snapshot(file: File, found: re.Match[str]) -> Content:
    definition, number = int(found["definition"]), int(found["number"])
    layout = file.made("SnapshotLayout", definition)
    name = f"/{file.name}"
    for picture in file.made("SnapshotByTimeOffsetSet", definition)["PicInfoSet"]:
        if picture["Url"].endswith(name):
            return _picture(file, found, layout, round(picture["TimeOffset"]))
    raise NotThere(f"the set of template {definition} has no picture {number}")


def _cover(file: File, found: re.Match[str]) -> Content:
    layout = file.made("CoverLayout", int(found["definition"]))
    return _picture(file, found, layout, layout["TimeOffset"])


def _emitted(file: File, found: re.Match[str]) -> Content:
    """The picture of an event that was emitted by hand: its name ends with its offset."""
    offset = int(found["offset"])
    if offset > file.media.duration * 1000:
        raise NotThere(f"{offset} ms is beyond the end of file {file.media.file_id}")
    return PictureKey(file.source, Look(), 10, offset)


def _picture(file: File, found: re.Match[str], layout: Mapping[str, Any], offset: int) -> PictureKey:
    template = layout["Template"]
    if found["extension"] != template["Format"]:
        raise NotThere(f"the pictures of template {found['definition']} are {template['Format']}")
    return PictureKey(file.source, look_of(template), int(found["definition"]), offset)


def _animation(file: File, definition: int) -> Animation:
    item = file.made("AnimatedGraphicsSet", definition)
    template = file.made("AnimatedGraphicsLayout", definition)["Template"]
    if not file.name.endswith(template["Format"]):
        raise NotThere(f"the animations of template {definition} are {template['Format']}")
    look, begin, end = Look(item["Width"], item["Height"]), item["StartTimeOffset"], item["EndTimeOffset"]
    return Animation(file.source, look, definition, begin, end, template["Fps"], template["Format"])


Find = Callable[[File, re.Match[str]], Content]
_NUMBER: Final = r"[0-9]{1,15}"
_SET: Final = rf"_(?P<definition>{_NUMBER})_(?P<number>{_NUMBER})\.(?P<extension>[a-z]+)"

ORIGINALS: Final[tuple[tuple[re.Pattern[str], Find], ...]] = (
    (re.compile(r"(?:cover\.[a-z]+|subtitle/[^/]+)"), _stored),
    (re.compile(r"clip\.(?P<extension>ts|mp4)"), _clip),
    (re.compile(rf"segment_(?P<begin>{_NUMBER})_(?P<end>{_NUMBER})\.ts"), _segment),
    (re.compile(r"(?P<begin>[0-9]{1,9}(?:\.[0-9]{1,6})?)_(?P<end>[0-9]{1,9}(?:\.[0-9]{1,6})?)\.m3u8"), _clipped),
    (re.compile(r".+"), _original),
)
PRODUCTS: Final[tuple[tuple[re.Pattern[str], Find], ...]] = (
    (re.compile(rf"v\.f(?P<definition>{_NUMBER})\.(?P<extension>[a-z0-9]+)"), _transcode),
    (re.compile(rf"adp\.(?P<definition>{_NUMBER})\.(?P<extension>m3u8|mpd)"), _adaptive),
    (re.compile(rf"video_(?P<definition>{_NUMBER})_(?P<number>{_NUMBER})\.m3u8"), _stream),
    (re.compile(r"clip\.(?P<extension>ts|mp4)"), _clip),
    (re.compile(rf"segment_(?P<begin>{_NUMBER})_(?P<end>{_NUMBER})\.ts"), _segment),
    (re.compile(rf"imageSprite/imageSprite{_SET}"), _sprite),
    (re.compile(rf"imageSprite/imageSprite_(?P<definition>{_NUMBER})\.vtt"), _sprite_text),
    (re.compile(rf"sampleSnapshot/sampleSnapshot{_SET}"), _sample),
    (re.compile(rf"snapshotByTimeOffset/snapshotByTimeOffset{_SET}"), _snapshot),
    (re.compile(rf"coverBySnapshot/coverBySnapshot{_SET}"), _cover),
    (re.compile(rf"snapshot/{_NUMBER}_{_NUMBER}\.100_(?P<offset>{_NUMBER})\.jpg"), _emitted),
)
"""The names in a folder, each with the function that finds its content. The first match counts.

An uploaded file comes before all of them.
"""


# --- the route


class MediaFiles:
    """Answers GET and HEAD of media files and of what jobs made of them."""

    def __init__(self, world: World, worker: Worker) -> None:
        self._world = world
        self._worker = worker
        self._renderer: Renderer[Drawing] = Renderer(worker, _draw, cache_bytes=CACHE_BYTES)

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/{bucket}/watermark/{definition}", self._watermark)
        router.add_get("/{bucket}/{folder}/{name:.+}", self._serve)
        router.add_route("*", "/{rest:.*}", self._unknown)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        try:
            file, names = self._file(request)
            content = _content(file, names)
            responding = self._respond(request, content, Path(file.name).suffix)
            return await file.application.life.unless_ended(responding)
        except (NotThere, VideoError) as error:
            return _text(404, str(error))
        except (TookTooLong, WorkerClosed, LifeEnded) as error:
            return _text(503, str(error))
        except ExtraMissing as error:
            log.error("%s", error)  # noqa: TRY400 - the message is all there is to know
            return _text(500, str(error))

    def _file(self, request: web.Request) -> tuple[File, tuple[tuple[re.Pattern[str], Find], ...]]:
        bucket, folder, name = (request.match_info[part] for part in ("bucket", "folder", "name"))
        application = self._application(bucket)
        file_id = folder[8:]
        media = application.find_media(file_id) if len(folder) <= 300 else None
        if media is None or not application.addresses.folder(file_id).startswith(folder[:8]):
            raise NotThere(f"there is no media file with the folder {folder[:100]!r}, or it was deleted")
        names = ORIGINALS if bucket == application.addresses.originals else PRODUCTS
        return File(application, media, name), names

    def _application(self, bucket: str) -> Application:
        """The application that a bucket belongs to."""
        # The default application is made if needed: with the same seed its addresses work again after a restart.
        for application in (self._world.default.life.application(), *self._world.applications()):
            if bucket in {application.addresses.originals, application.addresses.products}:
                return application
        raise NotThere(f"no application has the bucket {bucket[:100]!r}: addresses change with every reset")

    async def _respond(self, request: web.Request, content: Content, suffix: str) -> web.StreamResponse:
        kind = TYPES.get(suffix) or mimetypes.guess_type(f"f{suffix}")[0] or "application/octet-stream"
        if isinstance(content, Path):
            return web.FileResponse(content, headers={**HEADERS, "Content-Type": kind})
        if isinstance(content, str):
            content = content.encode()
        if isinstance(content, bytes):
            return _ranged(request, content, kind, hashlib.md5(content, usedforsecurity=False).hexdigest())
        video = content.video if isinstance(content, Playlist | Segment) else content.source.video
        stamp = None if video is None else await self._worker.run(lambda _: video_stamp(video))
        picture = await self._renderer.picture(Drawing(content, stamp))
        return _ranged(request, picture.body, CONTENT_TYPES.get(suffix[1:], kind), picture.etag)  # type: ignore[call-overload]  # any text

    async def _watermark(self, request: web.Request) -> web.StreamResponse:
        definition = request.match_info["definition"]
        try:
            application = self._application(request.match_info["bucket"])
        except NotThere as error:
            return _text(404, str(error))
        content = application.templates.watermark(int(definition)) if re.fullmatch(_NUMBER, definition) else None
        if content is None:
            return _text(404, f"there is no watermark template {definition[:100]!r} with a picture")
        etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
        return _ranged(request, content, "application/octet-stream", etag)

    async def _unknown(self, request: web.Request) -> web.StreamResponse:
        return _text(404, f"there is no media file at {request.path[:200]}")


def _content(file: File, names: tuple[tuple[re.Pattern[str], Find], ...]) -> Content:
    if names is ORIGINALS:
        uploaded = file.application.uploads.file(file.media.file_id, file.name)
        if uploaded is not None:
            return uploaded
    for pattern, find in names:
        if (found := pattern.fullmatch(file.name)) is not None:
            return find(file, found)
    raise NotThere(f"file {file.media.file_id} has no {file.name[:100]!r}")


def _draw(drawing: Drawing, stop: Event) -> bytes:
    match drawing.drawn:
        case Playlist() as key:
            return playlist(key, stop)
        case Segment() as key:
            return segment(key, stop)
        case Sheet() as key:
            return sheet(key, stop)
        case Animation() as key:
            return animation(key, stop)
        case key:
            return draw_picture(key, stop)


def _ranged(request: web.Request, body: bytes, kind: str, etag: str) -> web.Response:
    """All of *body*, or the part that its Range header names; 304 if the client has it."""
    if any(known.value in {"*", etag} for known in request.if_none_match or ()):
        return web.Response(status=304, headers={**HEADERS, "ETag": f'"{etag}"'})
    headers = {**HEADERS, "Content-Type": kind, "Accept-Ranges": "bytes", "ETag": f'"{etag}"'}
    try:
        wanted = request.http_range
    except ValueError:
        wanted = None
    if wanted is None:
        return web.Response(status=416, headers={**headers, "Content-Range": f"bytes */{len(body)}"})
    if wanted.start is None and wanted.stop is None:
        return web.Response(body=body, headers=headers)
    first, end, _ = wanted.indices(len(body))
    if first >= len(body) or first >= end:
        return web.Response(status=416, headers={**headers, "Content-Range": f"bytes */{len(body)}"})
    headers["Content-Range"] = f"bytes {first}-{end - 1}/{len(body)}"
    return web.Response(status=206, body=body[first:end], headers=headers)


def _text(status: int, message: str) -> web.Response:
    headers = {"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}
    return web.Response(status=status, text=message + "\n", headers=headers)
