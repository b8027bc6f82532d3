import asyncio
import logging
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from aiohttp import ClientSession
from PIL import Image

from fixtures.media.make_sample import make, number_of
from mockvod.app import Running
from mockvod.http.pictures import PictureKey, Renderer
from mockvod.pictures.drawing import Look, Source
from mockvod.pictures.worker import THREADS, Worker, WorkerClosed
from mockvod.service.jobs.snapshot_by_time_offset import LEGACY, snapshots
from mockvod.service.snapshots import SnapshotGenerator
from tests.support import Caller

Start = Callable[..., Awaitable[Running]]


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.close()


@pytest.fixture
def raw_client(caller: Caller) -> str:
    """The address of a server with a file `1` of a minute, and templates of two formats beside the preset."""
    application = caller.account.life.application()
    application.declare_media("1", width=1280, height=720, duration=60)
    for key, form in ((20, "png"), (30, "webp")):
        application.templates.add("SnapshotByTimeOffset", 0.0, {"Width": 160, "Height": 90, "Format": form}, key=key)
    return caller.running.url


async def refusal(session: ClientSession, url: str) -> str:
    async with session.get(url) as response:
        assert (response.status, response.content_type) == (404, "text/plain")
        assert "ETag" not in response.headers
        return await response.text()


# --- what is answered


async def test_every_url_of_a_successful_snapshot_serves_a_picture(caller: Caller, session: ClientSession) -> None:
    generator, application = SnapshotGenerator(7), caller.account.life.application()
    for file_id in (None, "a/b c?d%", "文件.mp4"):
        task = generator.task(base=caller.running.url, file_id=file_id, time_offsets=[3_600_000])
        application.declare_media(task["FileId"], width=1280, height=720, duration=3600)
        async with session.get(task["SnapshotInfoSet"][0]["Url"]) as response:
            assert (response.status, response.content_type) == (200, "image/jpeg")
            assert Image.open(BytesIO(await response.read())).size == (1280, 720)


@pytest.mark.parametrize(("name", "kind"), [("20/1000.png", "image/png"), ("30/1000.webp", "image/webp")])
async def test_the_format_is_the_templates(raw_client: str, session: ClientSession, name: str, kind: str) -> None:
    async with session.get(f"{raw_client}/snapshots/1/{name}") as response:
        assert (response.status, response.content_type) == (200, kind)
        image = Image.open(BytesIO(await response.read()))
        assert (image.size, Image.MIME[image.format or ""]) == ((160, 90), kind)


async def test_head_has_the_headers_of_get(raw_client: str, session: ClientSession) -> None:
    url = f"{raw_client}/snapshots/1/20/1000.png"
    async with session.get(url) as got, session.head(url) as reported:
        assert await reported.read() == b""
        for name in ("Content-Type", "Content-Length", "ETag", "Cache-Control"):
            assert reported.headers[name] == got.headers[name]
        assert int(reported.headers["Content-Length"]) == len(await got.read())
        assert reported.headers["Cache-Control"] == "no-cache"


async def test_a_client_that_has_the_picture_gets_304(raw_client: str, session: ClientSession) -> None:
    url = f"{raw_client}/snapshots/1/20/1000.png"
    async with session.get(url) as response:
        etag = response.headers["ETag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        async with session.get(url, headers={"If-None-Match": known}) as response:
            assert (response.status, response.headers["ETag"], await response.read()) == (304, etag, b"")
    async with session.get(f"{raw_client}/snapshots/1/20/2000.png", headers={"If-None-Match": etag}) as response:
        assert response.status == 200


async def test_two_servers_give_a_picture_the_same_etag(session: ClientSession, start: Start) -> None:
    etags = set()
    for _ in range(2):
        running = await start(seed=1)
        async with session.head(f"{running.url}/snapshots/1/10/0.jpg") as response:
            etags.add(response.headers["ETag"])
    assert len(etags) == 1


# --- what is refused


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("1/11/0.jpg", "there is no snapshot template '11': create it, or use the preset 10"),
        ("1/ten/0.jpg", "there is no snapshot template 'ten'"),
        ("1/10/0.png", "template 10 makes jpg pictures, not 'png': /snapshots/1/10/0.jpg"),
        ("1/10/5", "template 10 makes jpg pictures, not '5': /snapshots/1/10/5.jpg"),
        ("1/20/1s.png", "'1s' is not an offset: use whole milliseconds, as in 10000.png"),
        ("1/20/-1.png", "'-1' is not an offset"),
        ("1/20/٣.png", "'٣' is not an offset"),
        ("1/20/60001.png", "60001 ms is beyond the end of file 1, which lasts 60.000 s: its offsets are 0 to 60000"),
        ("1/20", "there is no picture at /snapshots/1/20: pictures are at /snapshots/<file id>/"),
        ("A" * 8000 + "/10/0.jpg", "is too long: at most 200 characters"),
        ("1/" + "1" * 8000 + "/0.jpg", "is too long: at most 200 characters"),
    ],
)
async def test_an_unknown_picture_is_refused_with_what_to_do(
    raw_client: str, session: ClientSession, path: str, said: str
) -> None:
    assert said in await refusal(session, f"{raw_client}/snapshots/{path}")


async def test_the_last_millisecond_has_a_picture(raw_client: str, session: ClientSession) -> None:
    async with session.get(f"{raw_client}/snapshots/1/20/60000.png") as response:
        assert response.status == 200


async def test_an_undeclared_file_may_be_unknown(raw_client: str, caller: Caller, session: ClientSession) -> None:
    caller.account.life.configure({"strict_media": True})
    assert "there is no file 'x'" in await refusal(session, f"{raw_client}/snapshots/x/10/0.jpg")


async def test_only_get_and_head_are_for_pictures(raw_client: str, session: ClientSession) -> None:
    async with session.post(f"{raw_client}/snapshots/1/10/0.jpg") as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET,HEAD")


async def test_an_unhandled_exception_is_a_500_with_its_traceback_in_the_log(
    raw_client: str,
    caller: Caller,
    session: ClientSession,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def find(family: str, key: int) -> None:
        raise ZeroDivisionError(family)

    monkeypatch.setattr(caller.account.life.application().templates, "find", find)
    async with session.get(f"{raw_client}/snapshots/1/10/0.jpg") as response:
        assert (response.status, response.content_type) == (500, "text/plain")
    [record] = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


# --- of a video


async def test_a_video_gives_its_frames_until_it_is_another(
    raw_client: str, caller: Caller, session: ClientSession, tmp_path: Path
) -> None:
    path = tmp_path / "clip.mp4"
    make(path, frames=12)
    caller.account.life.application().declare_media("1", duration=60, video=str(path))
    async with session.get(f"{raw_client}/snapshots/1/10/1100.jpg") as response:
        assert number_of(Image.open(BytesIO(await response.read()))) == 11
    assert "InvalidInput.InvalidTimeOffset: 1201 ms" in await refusal(session, f"{raw_client}/snapshots/1/10/1201.jpg")
    path.write_bytes(b"broken")
    assert "SourceFileError.ContentMalformed" in await refusal(session, f"{raw_client}/snapshots/1/10/1100.jpg")
    path.unlink()
    assert "SourceFileError.DownloadNotAccessible" in await refusal(session, f"{raw_client}/snapshots/1/10/1100.jpg")


async def test_without_pyav_a_video_is_a_500_that_says_what_to_install(
    raw_client: str, caller: Caller, session: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    caller.account.life.application().declare_media("1", video="clip.mp4")
    async with session.get(f"{raw_client}/snapshots/1/10/0.jpg") as response:
        assert response.status == 500
        assert "pip install 'mockvod[video]'" in await response.text()


# --- drawing once, and caching


class Drawer:
    """Draws when the gate is open, and counts."""

    def __init__(self, size: int = 2000) -> None:
        self.gate = threading.Event()
        self.begun: list[int] = []
        self.running = self.most = 0
        self._size = size
        self._lock = threading.Lock()
        self._started = threading.Semaphore(0)

    async def has_begun(self, count: int) -> None:
        """Wait until *count* more drawings have begun."""
        for _ in range(count):
            assert await asyncio.to_thread(self._started.acquire, timeout=5)

    def __call__(self, key: PictureKey, _: threading.Event) -> bytes:
        with self._lock:
            self.begun.append(key.offset)
            self.running += 1
            self.most = max(self.most, self.running)
        self._started.release()
        assert self.gate.wait(5)
        with self._lock:
            self.running -= 1
        return bytes([key.offset % 256]) * self._size


def key(offset: int) -> PictureKey:
    return PictureKey(Source("1"), Look(), 10, offset)


async def turns() -> None:
    """Let every task that can continue do so."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def drawer() -> Drawer:
    return Drawer()


@pytest.fixture
def renderer(worker: Worker, drawer: Drawer) -> Iterator[Renderer[PictureKey]]:
    yield Renderer(worker, drawer)
    drawer.gate.set()


async def test_concurrent_requests_for_a_picture_share_one_drawing(
    renderer: Renderer[PictureKey], drawer: Drawer
) -> None:
    requests = [asyncio.create_task(renderer.picture(key(1))) for _ in range(10)]
    await drawer.has_begun(1)
    drawer.gate.set()
    pictures = await asyncio.gather(*requests)
    assert all(one is pictures[0] for one in pictures)
    assert await renderer.picture(replace(key(1))) is pictures[0]
    assert drawer.begun == [1]


async def test_only_a_few_pictures_are_drawn_at_once(renderer: Renderer[PictureKey], drawer: Drawer) -> None:
    requests = [asyncio.create_task(renderer.picture(key(offset))) for offset in range(8)]
    await drawer.has_begun(THREADS)
    await turns()
    assert sorted(drawer.begun) == [0, 1]
    drawer.gate.set()
    await asyncio.gather(*requests)
    assert drawer.most <= THREADS
    assert sorted(drawer.begun) == list(range(8))


async def test_a_picture_that_no_request_waits_for_any_more_is_not_begun(
    renderer: Renderer[PictureKey], drawer: Drawer
) -> None:
    requests = [asyncio.create_task(renderer.picture(key(offset))) for offset in (0, 1, 2, 2, 3)]
    await drawer.has_begun(2)
    for gone in (requests[2], requests[4]):  # one of two requests for 2, and the only one for 3
        gone.cancel()
    await turns()
    drawer.gate.set()
    await asyncio.gather(*requests, return_exceptions=True)
    assert sorted(drawer.begun) == [0, 1, 2]
    assert (await renderer.picture(key(3))).body == bytes([3]) * 2000


async def test_a_picture_that_has_begun_is_cached_even_if_its_client_has_gone(
    renderer: Renderer[PictureKey], drawer: Drawer
) -> None:
    request = asyncio.create_task(renderer.picture(key(0)))
    await drawer.has_begun(1)
    request.cancel()
    await turns()
    later = asyncio.create_task(renderer.picture(key(0)))
    await turns()
    drawer.gate.set()
    assert (await later).body == bytes(2000)
    assert drawer.begun == [0]


async def test_the_latest_pictures_are_cached_within_a_limit_of_bytes(worker: Worker, drawer: Drawer) -> None:
    drawer.gate.set()
    renderer = Renderer(worker, drawer, cache_bytes=10_000)
    for offset in (0, 1, 2, 0, 3, 0, 2, 1):  # 3 fit: the fourth evicts 1, which was requested longest ago
        await renderer.picture(key(offset))
    assert drawer.begun == [0, 1, 2, 3, 1]


async def test_a_picture_larger_than_the_cache_is_not_cached(worker: Worker, drawer: Drawer) -> None:
    drawer.gate.set()
    renderer = Renderer(worker, drawer, cache_bytes=1000)
    for _ in range(2):
        assert len((await renderer.picture(key(0))).body) == 2000
    assert drawer.begun == [0, 0]


async def test_a_drawing_that_fails_fails_for_all_its_requests_and_is_tried_again(worker: Worker) -> None:
    failing = True

    def draw(key: PictureKey, stop: threading.Event) -> bytes:
        if failing:
            raise ZeroDivisionError
        return b"picture"

    renderer = Renderer(worker, draw)
    requests = [asyncio.create_task(renderer.picture(key(0))) for _ in range(3)]
    assert {type(one) for one in await asyncio.gather(*requests, return_exceptions=True)} == {ZeroDivisionError}
    failing = False
    assert (await renderer.picture(key(0))).body == b"picture"


async def test_requests_end_at_once_when_the_worker_is_closed(
    renderer: Renderer[PictureKey], worker: Worker, drawer: Drawer
) -> None:
    requests = [asyncio.create_task(renderer.picture(key(offset))) for offset in range(4)]
    await drawer.has_begun(THREADS)
    worker.close()
    requests.append(asyncio.create_task(renderer.picture(key(5))))
    assert {type(one) for one in await asyncio.gather(*requests, return_exceptions=True)} == {WorkerClosed}
    assert sorted(drawer.begun) == [0, 1]


async def test_the_process_ends_while_a_picture_is_being_drawn() -> None:
    program = """if True:
        import asyncio, threading
        from mockvod.pictures.worker import Worker

        async def main():
            begun = threading.Event()
            Worker().submit(lambda stop: (begun.set(), threading.Event().wait()))
            begun.wait()

        asyncio.run(main())
    """
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    assert await process.wait() == 0


async def test_an_account_of_its_own_has_templates_of_its_own(caller: Caller, session: ClientSession) -> None:
    made = await caller.control("POST", "/accounts", {"config": {"public_url": caller.running.url, "task_duration": 0}})
    account = caller.running.world.account(made["secret_id"])
    family, look = "SnapshotByTimeOffset", {"Width": 320, "Height": 180, "Format": "png", "ResolutionAdaptive": "close"}
    template = account.life.application().templates.add(family, 0.0, look)
    caller.account.life.application().templates.add(family, 0.0, {"Width": 640, "Height": 360, "Format": "jpg"})
    application = account.life.application()
    media = application.find_media("14508071098244929440")
    assert media is not None
    task = application.start(LEGACY, media, [snapshots(int(template.key), time_offsets=(1000.0,))])
    await application.life.clock.settle()
    [picture] = application.tasks.structure(task)["SnapshotInfoSet"]
    async with session.get(picture["Url"]) as response:
        assert response.status == 200
        assert Image.open(BytesIO(await response.read())).size == (320, 180)
    async with session.get(picture["Url"].partition("?")[0]) as response:
        assert response.status == 404
