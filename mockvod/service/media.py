"""Media: the films that snapshots are taken of. Any FileId is one, unless told otherwise."""

from collections import OrderedDict
from functools import lru_cache
from math import inf
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

from mockvod.pictures.video import Video, VideoError, VideoExtraMissing, probe
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
    fails_with: str | None = None
    """ErrCodeExt that every job on it ends with, such as SourceFileError.ContentMalformed."""


class Picture(NamedTuple):
    """A snapshot that was taken."""

    time_offset: int
    """Milliseconds."""
    url: str


def video_of(path: str) -> Video:
    """The video file at *path*, looked at again when it has changed. Raises VideoError, VideoExtraMissing."""
    file = Path(path)
    try:
        facts = file.stat()
    except OSError:
        return probe(file)  # which says why
    return _probed(file, facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=64)
def _probed(file: Path, _: int, __: int) -> Video:
    return probe(file)


def _told_by(video: str | None) -> dict[str, Any]:
    """What a video file says of itself; of one that cannot be read nothing: jobs on it will fail, and say why."""
    if video is None:
        return {}
    try:
        found = video_of(video)
        told: dict[str, Any] = {"width": found.width, "height": found.height, "size": Path(video).stat().st_size}
    except (VideoError, VideoExtraMissing, OSError):
        return {}
    return told if found.duration == inf else {**told, "duration": found.duration}


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

        *facts* are fields of Media; those not given are what its video tells, or what they plausibly are.
        """
        if len(self._declared) >= MOST_DECLARED and file_id not in self._declared:
            raise TooManyMedia(f"{MOST_DECLARED} media are declared, and no more may be")
        if file_id is None:
            file_id = file_id_of(self._ids.getrandbits(64))
        media = self._declared[file_id] = self.plausible(file_id)._replace(**{**_told_by(facts.get("video")), **facts})
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
