"""Media: the films that snapshots are taken of. Any FileId is one, unless told otherwise."""

from collections import OrderedDict
from functools import partial
from math import inf
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

from mockvod.pictures.video import Inspection, UnsupportedVideo, inspect
from mockvod.pictures.worker import TookTooLong, Worker
from mockvod.service.snapshots import MediaNames, file_id_of

MOST_DECLARED: Final = 100_000
MOST_PICTURED: Final = 10_000  # media whose snapshots are remembered, for DescribeMediaInfos
SHAPES: Final = ((1920, 1080), (1280, 720), (3840, 2160), (1080, 1920), (854, 480))


class Media(NamedTuple):
    """A media file."""

    file_id: str
    name: str
    width: int
    height: int
    duration: float
    """Seconds."""
    size: int
    """Bytes."""
    created_at: float
    """Seconds since 1970 on the account's clock."""
    video: str | None = None
    """Path of a video file whose frames its pictures are."""
    inspection: Inspection | None = None
    """What `video` was when the media was declared; jobs fail with its error."""
    fails_with: str | None = None
    """ErrCodeExt that every job on it ends with, such as SourceFileError.ContentMalformed."""


class Picture(NamedTuple):
    """A snapshot that was taken."""

    time_offset: int
    """Milliseconds."""
    url: str


async def inspect_video(worker: Worker, path: str) -> Inspection:
    """Read the video file at *path* in a thread of *worker*."""
    try:
        return await worker.run(partial(inspect, Path(path)))
    except TookTooLong as error:
        return Inspection(error=UnsupportedVideo(f"{path} cannot be read: {error}"))


def _facts_of(inspection: Inspection | None) -> dict[str, Any]:
    """The facts of a media that its video determines."""
    if inspection is None or inspection.video is None:
        return {}
    video = inspection.video
    facts: dict[str, Any] = {"width": video.width, "height": video.height, "size": inspection.size}
    return facts if video.duration == inf else {**facts, "duration": video.duration}


class TooManyMedia(Exception):
    """No more media can be declared."""


class MediaLibrary:
    """The media of one application.

    Those declared, and, unless *strict*, a plausible one for any other FileId: always the same for the same seed.
    """

    def __init__(self, seed: int | str, now: float) -> None:
        self._seed = seed
        self._ids = Random(f"{seed}/file ids")
        self._began = now
        self._declared: dict[str, Media] = {}
        self._pictures: OrderedDict[str, dict[int, list[Picture]]] = OrderedDict()

    def declare(self, file_id: str | None = None, **facts: Any) -> Media:
        """Add a media, or put it in the place of the one with its FileId. Raises TooManyMedia.

        *facts* are fields of Media; the others come from its inspected video, or are plausible values.
        """
        if len(self._declared) >= MOST_DECLARED and file_id not in self._declared:
            raise TooManyMedia(f"{MOST_DECLARED} media are declared, and no more may be")
        if file_id is None:
            file_id = file_id_of(self._ids.getrandbits(64))
        media = self._declared[file_id] = self.plausible(file_id)._replace(
            **{**_facts_of(facts.get("inspection")), **facts}
        )
        return media

    def declared(self) -> list[Media]:
        return list(self._declared.values())

    def find(self, file_id: str, *, strict: bool = False) -> Media | None:
        """The media of *file_id*; None where it is none."""
        media = self._declared.get(file_id)
        if media is None and not strict and file_id:
            return self.plausible(file_id)
        return media

    def plausible(self, file_id: str) -> Media:
        """What a media with this FileId might be."""
        random = Random(f"{self._seed}/media/{file_id}")
        width, height = random.choice(SHAPES)
        duration = round(random.uniform(60, 600), 2)
        return Media(
            file_id=file_id,
            name=MediaNames(f"{self._seed}/{file_id}").title(),
            width=width,
            height=height,
            duration=duration,
            size=int(duration * random.randrange(200_000, 600_000)),
            created_at=self._began,
        )

    def remember(self, file_id: str, definition: int, pictures: list[Picture]) -> None:
        """*pictures* are the ones of this template now: there is one set of each (266/31773)."""
        self._pictures.setdefault(file_id, {})[definition] = pictures
        self._pictures.move_to_end(file_id)
        while len(self._pictures) > MOST_PICTURED:
            self._pictures.popitem(last=False)

    def pictures(self, file_id: str) -> dict[int, list[Picture]]:
        """The snapshots of a media, by template."""
        return self._pictures.get(file_id, {})
