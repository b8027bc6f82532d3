"""The media files of one application. By default every FileId exists, and every job can use it."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from functools import partial
from math import inf
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

from mockvod.pictures.video import Inspection, UnsupportedVideo, inspect
from mockvod.pictures.worker import TookTooLong, Worker
from mockvod.service.snapshots import file_id_of

MAX_DECLARED: Final = 100_000
MAX_DELETED: Final = 100_000
MAX_WITH_OUTPUTS: Final = 10_000
"""Media files whose outputs are remembered."""
MAX_OUTPUTS: Final = 500_000
"""Addresses in all outputs that are remembered."""
MAX_STORED_BYTES: Final = 64 * 1024 * 1024
"""Bytes of covers and subtitles."""
STORED_OVERHEAD: Final = 200
"""Bytes that each of them counts for besides its own."""
SHAPES: Final = ((1920, 1080), (1280, 720), (3840, 2160), (1080, 1920), (854, 480))
TITLES: Final = "mockvod.service.video_names"
"""The module that a plausible name needs. Faker takes 0.1 s to import: `World.load` does it in a thread."""
FOREVER: Final = "9999-12-31T23:59:59Z"


class Media(NamedTuple):
    """A media file."""

    file_id: str
    name: str
    width: int
    height: int
    """0 for a file without pictures."""
    duration: float
    """Seconds."""
    size: int
    """Bytes."""
    created_at: float
    """Seconds since 1970 on the account's clock."""
    video: str | None = None
    """Path of a video file. Its frames are the pictures of the media file."""
    inspection: Inspection | None = None
    """Result of reading `video` when the media file was declared; jobs fail with its error."""
    fails_with: str | None = None
    """ErrCodeExt that every job on it ends with, such as SourceFileError.ContentMalformed."""
    type: str = "mp4"
    """Extension of the file."""
    updated_at: float | None = None
    description: str = ""
    class_id: int = 0
    expire_time: str = FOREVER
    cover_url: str = ""
    tags: tuple[str, ...] = ()
    key_frames: tuple[tuple[float, str], ...] = ()
    """Seconds and text of each key frame description."""
    subtitles: tuple[Mapping[str, Any], ...] = ()
    source_type: str = "Upload"
    source_context: str = ""
    original: str = "f0.mp4"
    """Name of its own file in its folder; empty once that was deleted."""
    reviews: Mapping[str, str] = {}
    """Suggestion (pass, review, block) of a content review by its Type, such as Porn; pass when not given."""


async def inspect_video(worker: Worker, path: str) -> Inspection:
    """Read the video file at *path* in a thread of *worker*."""
    try:
        return await worker.run(partial(inspect, Path(path)))
    except TookTooLong as error:
        return Inspection(error=UnsupportedVideo(f"{path} cannot be read: {error}"))


def _facts_of(inspection: Inspection | None) -> dict[str, Any]:
    """The facts of a media file that its video determines."""
    if inspection is None or inspection.video is None:
        return {}
    video = inspection.video
    facts: dict[str, Any] = {"width": video.width, "height": video.height, "size": inspection.size}
    return facts if video.duration == inf else {**facts, "duration": video.duration}


class TooManyMedia(Exception):
    """No more media files can be declared."""


class MediaLibrary:
    """The media files of one application, and what jobs made of them.

    It has those that were declared and, unless *strict*, a plausible one for any other FileId: always the same for
    the same seed. A deleted file does not exist, until it is declared again.
    """

    def __init__(self, seed: int | str, now: float) -> None:
        self._seed = seed
        self._ids = Random(f"{seed}/file ids")
        self._began = now
        self._declared: dict[str, Media] = {}
        self._deleted: OrderedDict[str, None] = OrderedDict()
        self._outputs: OrderedDict[str, dict[str, dict[int, Mapping[str, Any]]]] = OrderedDict()
        self._weight = 0
        self._stored: OrderedDict[str, dict[str, bytes]] = OrderedDict()
        self._stored_bytes = 0

    def declare(self, file_id: str | None = None, **facts: Any) -> Media:
        """Add a media file, or replace the one with its FileId. Raises TooManyMedia.

        *facts* are fields of Media; the others come from its inspected video, or are plausible values.
        """
        if file_id is None:
            file_id = self.new_id()
        return self._put(self.plausible(file_id)._replace(**{**_facts_of(facts.get("inspection")), **facts}))

    def change(self, media: Media, **facts: Any) -> Media:
        """Change fields of a media file. Raises TooManyMedia when it was not declared before and cannot be."""
        return self._put(media._replace(**facts))

    def _put(self, media: Media) -> Media:
        if len(self._declared) >= MAX_DECLARED and media.file_id not in self._declared:
            raise TooManyMedia(f"{MAX_DECLARED} media files are declared, and no more may be")
        self._deleted.pop(media.file_id, None)
        self._declared[media.file_id] = media
        return media

    def new_id(self) -> str:
        return file_id_of(self._ids.getrandbits(64))

    def declared(self) -> list[Media]:
        return list(self._declared.values())

    def find(self, file_id: str, *, strict: bool = False) -> Media | None:
        """The media file of *file_id*; None when there is none."""
        media = self._declared.get(file_id)
        if media is None and not strict and file_id and file_id not in self._deleted:
            return self.plausible(file_id)
        return media

    def plausible(self, file_id: str) -> Media:
        """A plausible media file with this FileId, the same for the same seed."""
        from mockvod.service.video_names import video_title  # noqa: PLC0415 - see TITLES

        random = Random(f"{self._seed}/media/{file_id}")
        width, height = random.choice(SHAPES)
        duration = round(random.uniform(60, 600), 2)
        return Media(
            file_id=file_id,
            name=video_title(f"{self._seed}/{file_id}"),
            width=width,
            height=height,
            duration=duration,
            size=int(duration * random.randrange(200_000, 600_000)),
            created_at=self._began,
        )

    # --- deleting

    def delete(self, file_id: str) -> None:
        """Delete a media file with all that was made of it."""
        self._declared.pop(file_id, None)
        self._forget(file_id)
        self.delete_stored(file_id)
        self._deleted[file_id] = None
        if len(self._deleted) > MAX_DELETED:
            self._deleted.popitem(last=False)

    def is_deleted(self, file_id: str) -> bool:
        return file_id in self._deleted

    def delete_outputs(self, file_id: str, kind: str, definition: int = 0) -> None:
        """Delete what jobs of one *kind* made: all of it, or that of one template."""
        kept = self._outputs.get(file_id, {})
        for one in [definition] if definition else list(kept.get(kind, ())):
            self._weight -= _weight(kept.get(kind, {}).pop(one, {}))

    # --- small files that were uploaded

    def store(self, file_id: str, name: str, content: bytes) -> None:
        """Keep a cover or a subtitle of a media file. Those of the oldest are evicted if all take too many bytes."""
        self.delete_stored(file_id, name)
        self._stored.setdefault(file_id, {})[name] = content
        self._stored_bytes += len(content) + STORED_OVERHEAD
        self._stored.move_to_end(file_id)
        while self._stored_bytes > MAX_STORED_BYTES and len(self._stored) > 1:
            self.delete_stored(next(iter(self._stored)))

    def stored(self, file_id: str, name: str) -> bytes | None:
        return self._stored.get(file_id, {}).get(name)

    def delete_stored(self, file_id: str, prefix: str = "") -> None:
        """Delete the covers and subtitles of a media file whose names begin with *prefix*."""
        files = self._stored.get(file_id, {})
        for name in [name for name in files if name.startswith(prefix)]:
            self._stored_bytes -= len(files.pop(name)) + STORED_OVERHEAD
        if not files:
            self._stored.pop(file_id, None)

    # --- what jobs made

    def keep(self, file_id: str, kind: str, definition: int, item: Mapping[str, Any]) -> None:
        """Store *item* as the output of the template *definition*, in place of an earlier one (266/31773)."""
        items = self._outputs.setdefault(file_id, {}).setdefault(kind, {})
        self._weight += _weight(item) - _weight(items.get(definition, {}))
        items[definition] = item
        self._outputs.move_to_end(file_id)
        while len(self._outputs) > MAX_WITH_OUTPUTS or (self._weight > MAX_OUTPUTS and len(self._outputs) > 1):
            self._forget(next(iter(self._outputs)))

    def outputs(self, file_id: str, kind: str) -> Mapping[int, Mapping[str, Any]]:
        """What jobs of one kind made of a media file, by template. The kind is called as in DescribeMediaInfos."""
        return self._outputs.get(file_id, {}).get(kind, {})

    def with_outputs(self) -> Iterable[str]:
        """The FileIds of media files that jobs have made something of."""
        return self._outputs.keys()

    def _forget(self, file_id: str) -> None:
        for items in self._outputs.pop(file_id, {}).values():
            self._weight -= sum(map(_weight, items.values()))


def _weight(item: Mapping[str, Any]) -> int:
    return sum(len(value) if isinstance(value, list) else 1 for value in item.values() if isinstance(value, list | str))
