"""Templates of snapshots at time offsets: how the picture of a snapshot is to look."""

from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple

Fill = Literal["stretch", "black", "white", "gauss"]
Format = Literal["jpg", "png", "webp"]

PRESET: Final = 10
FIRST_CUSTOM: Final = 10_001
MOST: Final = 1_000


class Template(NamedTuple):
    """A SnapshotByTimeOffsetTemplate (266/33480). Width and height 0 mean those of the source."""

    definition: int
    created_at: float
    updated_at: float
    name: str = ""
    comment: str = ""
    width: int = 0
    height: int = 0
    resolution_adaptive: Literal["open", "close"] = "open"
    format: Format = "jpg"
    fill_type: Fill = "black"

    @property
    def preset(self) -> bool:
        return self.definition == PRESET


class TooManyTemplates(Exception):
    """An application has as many templates as it may."""


class Templates:
    """The templates of one application: the preset, which cannot be changed, and its own."""

    def __init__(self, now: float) -> None:
        preset = Template(PRESET, now, now, name="SnapshotByTimeOffset", comment="", fill_type="stretch")
        self._all: dict[int, Template] = {PRESET: preset}
        self._next = FIRST_CUSTOM

    def find(self, definition: int) -> Template | None:
        return self._all.get(definition)

    def __iter__(self) -> Iterator[Template]:
        return iter(self._all.values())

    def add(self, now: float, *, definition: int | None = None, **look: Any) -> Template:
        """A template of the application's own. Raises TooManyTemplates."""
        if len(self._all) > MOST:
            raise TooManyTemplates(f"an application may have {MOST} templates")
        if definition is None:
            while self._next in self._all:
                self._next += 1
            definition, self._next = self._next, self._next + 1
        template = self._all[definition] = Template(definition, now, now, **look)
        return template

    def change(self, definition: int, now: float, **look: Any) -> Template:
        template = self._all[definition] = self._all[definition]._replace(updated_at=now, **look)
        return template

    def remove(self, definition: int) -> None:
        del self._all[definition]
