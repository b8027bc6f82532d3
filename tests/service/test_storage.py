"""The objects of one application: what they take on disk, and uploads in parts that end while they are joined."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mockvod.engine import clock
from mockvod.service import storage as module
from mockvod.service.storage import MultipartUpload, Space, Storage
from mockvod.wire.cos import StorageError

KEY = ("bucket-1", "/video.mp4")


@pytest.fixture
def space() -> Space:
    return Space(lambda: 100)


@pytest.fixture
async def own(space: Space) -> AsyncIterator[Storage]:
    own = Storage(space)
    yield own
    await own.aclose()


async def content(size: int) -> AsyncIterator[bytes]:
    yield bytes(size)


async def with_part(own: Storage, size: int) -> tuple[MultipartUpload, list[tuple[int, str]]]:
    """An upload with one part, and the list that completes it."""
    upload = own.initiate(KEY, 0)
    part = await own.put_part(upload, 1, content(size))
    return upload, [(1, part.etag)]


async def code(storing: object) -> str:
    with pytest.raises(StorageError) as refused:
        await storing  # type: ignore[misc]  # a coroutine
    return refused.value.code


async def test_an_upload_that_is_aborted_while_it_is_joined_does_not_exist(own: Storage) -> None:
    upload, listed = await with_part(own, 90)
    async with upload.joining:
        completing = asyncio.create_task(own.complete(KEY, upload.upload_id, listed))
        await asyncio.sleep(0)
        own.abort(upload.upload_id)
    assert await code(completing) == "NoSuchUpload"
    await own.put(KEY, content(100))  # nothing of it counts any more


async def test_a_part_that_is_gone_while_it_is_read_ends_the_joining(own: Storage) -> None:
    upload, listed = await with_part(own, 90)
    upload.parts[1].file.unlink()
    assert await code(own.complete(KEY, upload.upload_id, listed)) == "NoSuchUpload"
    own.abort(upload.upload_id)
    await own.put(KEY, content(100))


async def test_a_completion_that_is_cancelled_leaves_the_parts(own: Storage) -> None:
    upload, listed = await with_part(own, 90)
    async with upload.joining:
        completing = asyncio.create_task(own.complete(KEY, upload.upload_id, listed))
        await asyncio.sleep(0)
        completing.cancel()
    assert (await own.complete(KEY, upload.upload_id, listed)).size == 90
    assert own.uploads("bucket-1", "") == []


async def test_a_completed_upload_whose_object_was_replaced_does_not_exist(own: Storage) -> None:
    upload, listed = await with_part(own, 40)
    await own.complete(KEY, upload.upload_id, listed)
    await own.put(KEY, content(1))
    assert await code(own.complete(KEY, upload.upload_id, listed)) == "NoSuchUpload"


async def test_what_a_closed_storage_had_leaves_room_for_others(own: Storage, space: Space) -> None:
    await own.put(KEY, content(60))
    await with_part(own, 40)
    own.close()
    other = Storage(space)
    assert (await other.put(KEY, content(100))).size == 100
    assert await code(other.put(KEY, content(1))) == "EntityTooLarge"
    await other.aclose()


async def test_files_are_limited_in_number(own: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FILES", 2)
    upload = own.initiate(KEY, 0)
    for number in (1, 2):
        await own.put_part(upload, number, content(1))
    assert await code(own.put(KEY, content(1))) == "EntityTooLarge"
    own.abort(upload.upload_id)
    await own.put(KEY, content(1))


async def test_many_files_are_deleted_in_turns(own: Storage, space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = own.initiate(KEY, 0)
    files = [(await own.put_part(upload, number, content(30))).file for number in (1, 2, 3)]
    monkeypatch.setattr(clock, "PASS_SECONDS", 0)
    own.abort(upload.upload_id)
    assert [file.exists() for file in files] == [False, True, True]
    await own.put(KEY, content(100))  # all of them left room at once
    await own.aclose()
    assert not any(file.exists() for file in files)


async def test_nothing_is_left_of_a_closed_storage(own: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = (await own.put(KEY, content(1))).file.parent
    await with_part(own, 1)
    monkeypatch.setattr(clock, "PASS_SECONDS", 0)
    own.close()
    assert own.find(KEY) is None
    assert directory.exists()
    await own.aclose()
    assert not directory.exists()


async def test_a_disk_that_cannot_be_written_to_is_named(
    own: Storage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(StorageError, match=r"missing.*TMPDIR") as refused:
        await own.put(KEY, content(1))
    assert (refused.value.status, refused.value.code) == (503, "ServiceUnavailable")


async def test_a_failed_write_uses_no_room(own: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = (await own.put(KEY, content(60))).file.parent
    directory.rename(directory.with_suffix(".away"))
    other = "bucket-1", "/other.mp4"
    assert await code(own.put(other, content(40))) == "ServiceUnavailable"
    directory.with_suffix(".away").rename(directory)
    await own.put(other, content(40))
