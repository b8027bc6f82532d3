"""Plausible snapshot events from a seed."""

from collections.abc import Collection, Mapping, Sequence
from random import Random
from typing import Any

from mockvod.service.addresses import VENDOR, Addresses, addresses

# The one number that Tencent shows for a failed snapshot (its 2.0 document of this event, 指定时间点截图完成);
# the 3.0 documents show none.
FAILED = -46204


class SnapshotGenerator:
    """Makes the structures of CreateSnapshotByTimeOffsetComplete: the same ones for the same seed and calls.

    Every task takes the same number of random bits, whatever its arguments: naming a file in one call leaves the
    tasks after it as they were.
    """

    def __init__(self, seed: int | str, own: Addresses | None = None) -> None:
        """*own* are the addresses of the application that the pictures belong to."""
        self._random = Random(str(seed))  # as text: the seed 7 of a file is the seed "7" of the environment
        self._drawn: tuple[int, ...] | None = None  # what a preview took from the random numbers
        self._addresses = own or addresses(seed)

    def task(
        self,
        *,
        base: str = VENDOR,
        file_id: str | None = None,
        task_id: str | None = None,
        definition: int = 10,
        time_offsets: Sequence[int] | None = None,
        failed: Collection[int] = (),
        err_code: int = FAILED,
        snapshots: Sequence[Mapping[str, Any]] | None = None,
        omit_failed_url: bool = False,
        preview: bool = False,
    ) -> dict[str, Any]:
        """A SnapshotByTimeOffsetTask2017 in the order of its document; offsets in milliseconds.

        After a *preview* the same task comes next, until `use_preview`.

        The pictures at the *failed* offsets carry *err_code* and an empty ``Url``, or none with *omit_failed_url*.
        *snapshots* is a whole SnapshotInfoSet, instead of *time_offsets* and *failed*. EventDefinition.conflicts finds
        arguments that contradict each other.
        """
        drawn = self._drawn or tuple(map(self._random.getrandbits, (128, 64, 64, 96)))
        self._drawn = drawn if preview else None
        task_bits, file_bits, offset_bits, picture_bits = drawn
        if task_id is None:
            task_id = f"CreateSnapshotByTimeOffset-{task_bits:032x}"
        if file_id is None:
            file_id = file_id_of(file_bits)
        if snapshots is not None:
            pictures = [dict(snapshot) for snapshot in snapshots]
        else:
            offsets = _plausible_offsets(offset_bits) if time_offsets is None else time_offsets
            failing = frozenset(failed)
            before, after = _around_offset(self._addresses.at(base), file_id, definition, picture_bits)
            pictures = [
                {"ErrCode": 0, "TimeOffset": offset, "Url": f"{before}{offset}{after}"}
                if offset not in failing
                else _failed_picture(offset, err_code, omit_url=omit_failed_url)
                for offset in offsets
            ]
        return {"TaskId": task_id, "FileId": file_id, "Definition": definition, "SnapshotInfoSet": pictures}

    def use_preview(self) -> None:
        """Count the previewed task as made: another one comes next."""
        self._drawn = None


def _around_offset(own: Addresses, file_id: str, definition: int, bits: int) -> tuple[str, str]:
    """What comes before and after the offset in the address of a picture, as in 2017: with the vendor, the offset."""
    if own.base != VENDOR:
        before, after = own.snapshot(file_id, definition, 0, 0, "jpg").rsplit("/0.jpg", 1)
        return f"{before}/", f".jpg{after}"
    started = 1_600_000_000 + (bits >> 32) % 100_000_000  # looks like a UNIX time, so that a seed gives the same
    number = (bits >> 64) & 0xFFFFFFFF
    return own.product(file_id, f"snapshot/{started}_{number}.100_"), ".jpg"


def file_id_of(bits: int) -> str:
    """19 or 20 digits that fit 64 bits, as every FileId seen does."""
    lowest = 10**18
    return str(lowest + bits % (2**64 - lowest))


def _plausible_offsets(bits: int) -> list[int]:
    """2 to 6 rising whole seconds, in milliseconds, at most 16 seconds apart."""
    offsets, second = [], 0
    for place in range(2 + (bits & 0xFF) % 5):
        second += 1 + (bits >> (8 + 4 * place) & 0xF)
        offsets.append(second * 1000)
    return offsets


def _failed_picture(offset: int, err_code: int, *, omit_url: bool) -> dict[str, Any]:
    picture: dict[str, Any] = {"ErrCode": err_code, "TimeOffset": offset}
    return picture if omit_url else picture | {"Url": ""}
