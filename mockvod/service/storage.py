"""Uploaded objects of one life: bytes on disk, bounded, until the life ends."""

import hashlib
import secrets
import shutil
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Final, NoReturn

from mockvod.engine.clock import LoopShare
from mockvod.wire.cos import StorageError, crc64

MAX_OBJECTS: Final = 10_000
MAX_UPLOADS: Final = 1_000
"""Multipart uploads that are neither completed nor aborted."""
MAX_PARTS: Final = 10_000
Key = tuple[str, str]
"""Bucket and path, which begins with a slash."""


@dataclass(slots=True)
class Stored:
    """Bytes in a file."""

    file: Path
    size: int
    etag: str
    """Hex; of an object that was put at once, its MD5."""


@dataclass(slots=True)
class MultipartUpload:
    """The parts of an object that has not been completed."""

    key: Key
    upload_id: str
    initiated_at: float
    """Seconds since 1970."""
    parts: dict[int, Stored] = field(default_factory=dict)


class Storage:
    """Objects and multipart uploads. *limit* returns the most bytes that all of them may have."""

    def __init__(self, limit: Callable[[], int]) -> None:
        self._limit = limit
        self._bytes = 0
        self._directory: Path | None = None
        self._closed = False
        self._objects: OrderedDict[Key, Stored] = OrderedDict()
        self._uploads: OrderedDict[str, MultipartUpload] = OrderedDict()

    def find(self, key: Key) -> Stored | None:
        return self._objects.get(key)

    async def put(self, key: Key, content: AsyncIterator[bytes], digest: str = "") -> Stored:
        """Store an object, in place of the one with its key; *digest* is its MD5 as hex. Raises StorageError."""
        stored = await self._write(content, digest)
        self._keep(key, stored)
        return stored

    def delete(self, key: Key) -> None:
        if (stored := self._objects.pop(key, None)) is not None:
            self._drop(stored)

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
            raise StorageError(404, "NoSuchUpload", f"there is no upload {upload_id[:100]!r} of this object")
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

    async def complete(self, upload: MultipartUpload, parts: list[tuple[int, str]]) -> Stored:
        """Join *parts*, numbers and ETags in ascending order, to an object. Raises StorageError."""
        numbers = [number for number, _ in parts]
        if numbers != sorted(set(numbers)):
            raise StorageError(400, "InvalidPartOrder", "the parts are not in ascending order")
        for number, etag in parts:
            if (part := upload.parts.get(number)) is None or part.etag != etag:
                raise StorageError(400, "InvalidPart", f"part {number} was not uploaded with this ETag")
        del self._uploads[upload.upload_id]  # nothing else may complete, abort or change it now
        wanted = [upload.parts[number] for number in numbers]
        for number, part in upload.parts.items():
            if number not in set(numbers):
                self._drop(part)
        for part in wanted:  # the joined copy counts in their place
            self._bytes -= part.size
        try:
            joined = await self._write(_content(wanted))
        finally:
            for part in wanted:
                part.file.unlink(missing_ok=True)
        digest = hashlib.md5(b"".join(bytes.fromhex(etag) for _, etag in parts), usedforsecurity=False).hexdigest()
        joined.etag = f"{digest}-{len(parts)}"
        self._keep(upload.key, joined)
        return joined

    def abort(self, upload_id: str) -> None:
        """Forget an upload with its parts."""
        if (upload := self._uploads.pop(upload_id, None)) is not None:
            for part in upload.parts.values():
                self._drop(part)

    # --- files

    async def _write(self, content: AsyncIterator[bytes], expected: str = "") -> Stored:
        self._check_open()
        if self._directory is None:
            self._directory = Path(mkdtemp(prefix="mockvod-uploads-"))
        file = self._directory / secrets.token_hex(16)
        digest, size = hashlib.md5(usedforsecurity=False), 0
        try:
            with file.open("wb") as out:
                async for chunk in content:
                    size += len(chunk)
                    self._take(len(chunk))
                    out.write(chunk)
                    digest.update(chunk)
            self._check_open()
            if expected and digest.hexdigest() != expected:
                _refuse_digest()
        except BaseException:
            self._bytes -= size
            file.unlink(missing_ok=True)
            raise
        return Stored(file, size, digest.hexdigest())

    def _check_open(self) -> None:
        if self._closed:
            raise StorageError(503, "ServiceUnavailable", "a reset has ended the uploads")

    def _take(self, size: int) -> None:
        self._bytes += size
        if self._bytes > (limit := self._limit()):
            message = f"uploads take more than {limit} bytes: raise the setting upload-bytes"
            raise StorageError(400, "EntityTooLarge", message)

    def _keep(self, key: Key, stored: Stored) -> None:
        self.delete(key)
        self._objects[key] = stored
        if len(self._objects) > MAX_OBJECTS:
            self.delete(next(iter(self._objects)))

    def _drop(self, stored: Stored) -> None:
        self._bytes -= stored.size
        stored.file.unlink(missing_ok=True)

    def close(self) -> None:
        """Delete everything, and store nothing more."""
        self._closed = True
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None
        self._objects.clear()
        self._uploads.clear()
        self._bytes = 0


CHUNK: Final = 256 * 1024
PIECE: Final = 16 * 1024


async def _content(parts: Iterable[Stored]) -> AsyncIterator[bytes]:
    share = LoopShare()
    for part in parts:
        with part.file.open("rb") as source:
            while chunk := source.read(CHUNK):
                yield chunk
                await share.turn()


async def checksum(stored: Stored) -> int:
    """The CRC-64 of the bytes, sharing the event loop."""
    crc, share = 0, LoopShare()
    with stored.file.open("rb") as source:
        while chunk := source.read(PIECE):
            crc = crc64(chunk, crc)
            await share.turn()
    return crc


def _refuse_digest() -> NoReturn:
    raise StorageError(400, "BadDigest", "the bytes that arrived do not have the MD5 of the header Content-MD5")
