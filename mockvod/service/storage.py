"""Uploaded objects of an application: bytes on disk, bounded, until the application ends."""

import asyncio
import hashlib
import secrets
import shutil
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Final, NoReturn

from mockvod.engine.clock import LoopShare, in_turns
from mockvod.wire.cos import StorageError, crc64

MAX_OBJECTS: Final = 10_000
MAX_UPLOADS: Final = 1_000
"""Multipart uploads that are neither completed nor aborted."""
MAX_PARTS: Final = 10_000
MAX_FILES: Final = 100_000
"""Objects and parts of all applications of an account."""
CHUNK: Final = 256 * 1024
PIECE: Final = 16 * 1024
"""Bytes that a checksum takes between two turns of the event loop: it is slow."""
Key = tuple[str, str]
"""Bucket and path, which begins with a slash."""


@dataclass(slots=True)
class Stored:
    """Bytes in a file."""

    file: Path
    size: int
    etag: str
    """Hex; of an object that was put at once, its MD5."""

    async def read(self, first: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from *first* to *end*, in pieces, sharing the event loop. Raises FileNotFoundError if deleted."""
        share, left = LoopShare(), self.size - first if end is None else end - first
        with self.file.open("rb") as source:
            source.seek(first)
            while chunk := source.read(min(CHUNK, left)):
                left -= len(chunk)
                yield chunk
                await share.turn()


@dataclass(slots=True)
class MultipartUpload:
    """The parts of an object that has not been completed."""

    key: Key
    upload_id: str
    initiated_at: float
    """Seconds since 1970."""
    parts: dict[int, Stored] = field(default_factory=dict)
    joining: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while its parts are joined."""

    @property
    def size(self) -> int:
        """Bytes of the parts so far."""
        return sum(part.size for part in self.parts.values())


class Space:
    """Counts files and bytes on disk of all applications of an account. *limit* returns the most bytes."""

    def __init__(self, limit: Callable[[], int]) -> None:
        self._limit = limit
        self._bytes = 0
        self._files = 0

    def add_file(self) -> None:
        """Raises StorageError (EntityTooLarge)."""
        if self._files >= MAX_FILES:
            raise StorageError(400, "EntityTooLarge", f"there are {MAX_FILES} files and parts, which is the limit")
        self._files += 1

    def add(self, size: int) -> None:
        """Raises StorageError (EntityTooLarge)."""
        if self._bytes + size > (limit := self._limit()):
            message = f"uploads take more than {limit} bytes: raise the setting upload-bytes"
            raise StorageError(400, "EntityTooLarge", message)
        self._bytes += size

    def move(self, size: int) -> None:
        """Count *size* bytes more, or fewer, whatever the limit."""
        self._bytes += size

    def remove_file(self, size: int) -> None:
        self._files -= 1
        self._bytes -= size


class Storage:
    """Objects and multipart uploads of one application."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._directory: Path | None = None
        self._closed = False
        self._objects: OrderedDict[Key, Stored] = OrderedDict()
        self._uploads: OrderedDict[str, MultipartUpload] = OrderedDict()
        self._completed: OrderedDict[str, Stored] = OrderedDict()
        self._removing: set[asyncio.Future[None]] = set()

    def find(self, key: Key) -> Stored | None:
        return self._objects.get(key)

    async def put(self, key: Key, content: AsyncIterator[bytes], digest: str = "") -> Stored:
        """Store an object, in place of the one with its key; *digest* is its MD5 as hex. Raises StorageError."""
        stored = await self._write(content, digest)
        self._keep(key, stored)
        return stored

    def delete(self, *keys: Key) -> None:
        self._remove([stored for key in keys if (stored := self._objects.pop(key, None)) is not None])

    def move(self, key: Key, new: Key) -> None:
        """Give an object another key."""
        if (stored := self._objects.pop(key, None)) is not None:
            self._keep(new, stored)

    def below(self, bucket: str, folder: str) -> list[Key]:
        """The objects whose path begins with *folder*, which ends with a slash."""
        return [key for key in self._objects if key[0] == bucket and key[1].startswith(folder)]

    # --- multipart uploads

    def initiate(self, key: Key, now: float) -> MultipartUpload:
        upload = MultipartUpload(key, f"{int(now * 1000):013d}{secrets.token_hex(16)}", now)
        self._uploads[upload.upload_id] = upload
        if len(self._uploads) > MAX_UPLOADS:
            self.abort(next(iter(self._uploads)))
        return upload

    def uploads(self, bucket: str, prefix: str) -> list[MultipartUpload]:
        """The uploads of objects whose path begins with *prefix*, which has no slash in front."""
        return [one for one in self._uploads.values() if one.key[0] == bucket and one.key[1][1:].startswith(prefix)]

    def upload(self, key: Key, upload_id: str) -> MultipartUpload:
        """Raises StorageError (NoSuchUpload)."""
        upload = self._uploads.get(upload_id)
        if upload is None or upload.key != key:
            raise _no_upload(upload_id)
        return upload

    async def put_part(
        self, upload: MultipartUpload, number: int, content: AsyncIterator[bytes], digest: str = ""
    ) -> Stored:
        """Store a part, in place of the one with its number; *digest* as for `put`. Raises StorageError."""
        if not 1 <= number <= MAX_PARTS:
            raise StorageError(400, "InvalidArgument", f"partNumber {number} is not from 1 to {MAX_PARTS}")
        stored = await self._write(content, digest)
        if upload.upload_id not in self._uploads:
            self._drop(stored)
            raise StorageError(404, "NoSuchUpload", "the upload was aborted or completed meanwhile")
        if (before := upload.parts.pop(number, None)) is not None:
            self._drop(before)
        upload.parts[number] = stored
        return stored

    async def complete(self, key: Key, upload_id: str, parts: list[tuple[int, str]]) -> Stored:
        """Join *parts*, numbers and ETags in ascending order, to an object. Raises StorageError.

        A repeated or concurrent call returns the same object.
        """
        if (completed := self._completed_as(key, upload_id)) is not None:
            return completed
        upload = self.upload(key, upload_id)
        async with upload.joining:
            if (completed := self._completed_as(key, upload_id)) is not None:
                return completed
            return await self._join(self.upload(key, upload_id), parts)

    def _completed_as(self, key: Key, upload_id: str) -> Stored | None:
        completed = self._completed.get(upload_id)
        return completed if completed is not None and self._objects.get(key) is completed else None

    async def _join(self, upload: MultipartUpload, listed: list[tuple[int, str]]) -> Stored:
        numbers = [number for number, _ in listed]
        if numbers != sorted(set(numbers)):
            raise StorageError(400, "InvalidPartOrder", "the parts are not in ascending order")
        for number, etag in listed:
            if (part := upload.parts.get(number)) is None or part.etag != etag:
                raise StorageError(400, "InvalidPart", f"part {number} was not uploaded with this ETag")
        parts = [upload.parts[number] for number in numbers]
        size = sum(part.size for part in parts)
        self._space.move(-size)  # the object counts in the place of its parts
        try:
            joined = await self._write(_content(parts))
        finally:
            self._space.move(size)
        if self._uploads.get(upload.upload_id) is not upload:
            self._drop(joined)
            raise _no_upload(upload.upload_id)
        self.abort(upload.upload_id)
        digest = hashlib.md5(b"".join(bytes.fromhex(etag) for _, etag in listed), usedforsecurity=False).hexdigest()
        joined.etag = f"{digest}-{len(listed)}"
        self._keep(upload.key, joined)
        self._completed[upload.upload_id] = joined
        if len(self._completed) > MAX_UPLOADS:
            self._completed.popitem(last=False)
        return joined

    def abort(self, upload_id: str) -> None:
        """Forget an upload with its parts."""
        if (upload := self._uploads.pop(upload_id, None)) is not None:
            self._remove(list(upload.parts.values()))
            upload.parts.clear()

    # --- files

    async def _write(self, content: AsyncIterator[bytes], expected: str = "") -> Stored:
        self._check_open()
        if self._directory is None:
            try:
                self._directory = Path(mkdtemp(prefix="mockvod-uploads-"))
            except OSError as error:
                raise _disk_error(error) from None
        self._space.add_file()
        stored, digest = Stored(self._directory / secrets.token_hex(16), 0, ""), hashlib.md5(usedforsecurity=False)
        try:
            with stored.file.open("wb") as out:
                async for chunk in content:
                    self._space.add(len(chunk))
                    stored.size += len(chunk)
                    out.write(chunk)
                    digest.update(chunk)
            self._check_open()
            stored.etag = digest.hexdigest()
            if expected and stored.etag != expected:
                _refuse_digest()
        except OSError as error:
            self._drop(stored)
            raise _disk_error(error) from None
        except BaseException:
            self._drop(stored)
            raise
        return stored

    def _check_open(self) -> None:
        if self._closed:
            raise StorageError(503, "ServiceUnavailable", "a reset has ended the uploads")

    def _keep(self, key: Key, stored: Stored) -> None:
        self.delete(key)
        self._objects[key] = stored
        if len(self._objects) > MAX_OBJECTS:
            self.delete(next(iter(self._objects)))

    def _drop(self, stored: Stored) -> None:
        self._space.remove_file(stored.size)
        stored.file.unlink(missing_ok=True)

    def _remove(self, removed: list[Stored], directory: Path | None = None) -> None:
        """Forget files at once, and delete them from the disk in turns, then *directory*."""
        for stored in removed:
            self._space.remove_file(stored.size)

        def steps() -> Iterator[None]:
            for stored in removed:
                stored.file.unlink(missing_ok=True)
                yield
            if directory is not None:
                shutil.rmtree(directory, ignore_errors=True)

        removing = in_turns(steps())
        self._removing.add(removing)
        removing.add_done_callback(self._removing.discard)

    def close(self) -> None:
        """Delete everything, and store nothing more; `aclose` awaits that."""
        self._closed = True
        removed = [part for upload in self._uploads.values() for part in upload.parts.values()]
        removed += self._objects.values()
        for forgotten in (self._uploads, self._objects, self._completed):
            forgotten.clear()
        self._remove(removed, self._directory)
        self._directory = None

    async def aclose(self) -> None:
        self.close()
        while self._removing:
            await asyncio.wait(self._removing)


async def _content(parts: Iterable[Stored]) -> AsyncIterator[bytes]:
    for part in parts:
        try:
            async for chunk in part.read():
                yield chunk
        except FileNotFoundError:
            raise StorageError(404, "NoSuchUpload", "the upload was aborted, or a part replaced, meanwhile") from None


async def checksum(stored: Stored) -> int:
    """The CRC-64 of the bytes, sharing the event loop."""
    crc, share = 0, LoopShare()
    with stored.file.open("rb") as source:
        while chunk := source.read(PIECE):
            crc = crc64(chunk, crc)
            await share.turn()
    return crc


def _disk_error(error: OSError) -> StorageError:
    reason = f"uploads cannot be stored ({error}): set TMPDIR to a directory with room that can be written to"
    return StorageError(503, "ServiceUnavailable", reason)


def _no_upload(upload_id: str) -> StorageError:
    return StorageError(404, "NoSuchUpload", f"there is no upload {upload_id[:100]!r} of this object")


def _refuse_digest() -> NoReturn:
    raise StorageError(400, "BadDigest", "the bytes that arrived do not have the MD5 of the header Content-MD5")
