"""Jobs of every kind, and the media they work on: from the call to the last byte of every address, over plain HTTP."""

import base64
import json
import re
from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from aiohttp import ClientSession
from PIL import Image

from mockvod.app import Running
from tests.sdk.journey import addresses
from tests.sdk.shapes import differences
from tests.support import Caller, Receiver, life_of

Start = Callable[..., Awaitable[Running]]
Begin = Callable[..., Awaitable[Caller]]

DURATION = 98.66
EVERYTHING: dict[str, Any] = {
    "TranscodeTaskSet": [{"Definition": 100020}, {"Definition": 100220}, {"Definition": 1010}],
    "AnimatedGraphicTaskSet": [{"Definition": 20000, "StartTimeOffset": 1, "EndTimeOffset": 2}],
    "SnapshotByTimeOffsetTaskSet": [{"Definition": 10, "ExtTimeOffsetSet": ["1s", "50%"]}],
    "SampleSnapshotTaskSet": [{"Definition": 10}],
    "ImageSpriteTaskSet": [{"Definition": 10}],
    "CoverBySnapshotTaskSet": [{"Definition": 10, "PositionType": "Time", "PositionValue": 3}],
    "AdaptiveDynamicStreamingTaskSet": [{"Definition": 10}],
}


@pytest.fixture
async def begin(start: Start, session: ClientSession) -> Begin:
    """A caller of a server with the settings given, whose clock is frozen."""

    async def begun(**settings: Any) -> Caller:
        caller = Caller(await start(**{"task_duration": 10, "poll_hold": 0, "profile": "sparse", **settings}), session)
        await caller.clock.freeze()
        await caller.control("POST", "/media", {"file_id": "1", "name": "Fox", "duration": DURATION, "width": 1280,
                                                "height": 720, "size": 14_214_980})  # fmt: skip
        return caller

    return begun


@pytest.fixture
async def frozen(begin: Begin) -> Caller:
    return await begin()


async def process(caller: Caller, tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The ProcedureTask of a job, at its end."""
    answer = await caller.call("ProcessMedia", **{"FileId": "1", "MediaProcessTask": tasks, **more})
    assert "TaskId" in answer, answer
    await caller.clock.advance(10)
    detail = await caller.call("DescribeTaskDetail", TaskId=answer["TaskId"])
    procedure: dict[str, Any] = detail["ProcedureTask"]
    return procedure


async def output(caller: Caller, tasks: dict[str, Any]) -> Any:
    """The output of the only job of a procedure."""
    [result] = (await process(caller, tasks))["MediaProcessResultSet"]
    [carried] = [value for name, value in result.items() if name != "Type" and value is not None]
    assert carried["Status"] == "SUCCESS", carried
    return carried["Output"]


async def info(caller: Caller, file_id: str = "1") -> dict[str, Any]:
    [found] = (await caller.call("DescribeMediaInfos", FileIds=[file_id]))["MediaInfoSet"]
    media: dict[str, Any] = found
    return media


async def fetch(session: ClientSession, url: str, **headers: str) -> tuple[int, str, bytes]:
    async with session.get(url, headers=headers) as response:
        return response.status, response.content_type, await response.read()


# --- a whole way


@pytest.mark.parametrize("mode", ["pull", "push"])
async def test_a_media_file_is_processed_fetched_described_and_deleted(
    begin: Begin, session: ClientSession, receiver: Receiver, mode: str
) -> None:
    pushed = {"callback_url": receiver.url} if mode == "push" else {}
    caller = await begin(**pushed, delete_media_complete_event_switch="ON")

    async def event() -> dict[str, Any]:
        if mode == "push":
            return (await receiver.wait_for(len(receiver.received) or 1))[-1].event
        [one] = (await caller.call("PullEvents"))["EventSet"]
        await caller.call("ConfirmEvents", EventHandles=[one["EventHandle"]])
        return dict(one)

    await caller.call("CreateProcedureTemplate", Name="Everything", MediaProcessTask=EVERYTHING)
    answer = await caller.call("ProcessMediaByProcedure", FileId="1", ProcedureName="Everything", SessionContext="c")
    await caller.clock.advance(10)
    reported = (await event())["ProcedureStateChangeEvent"]
    assert (reported["TaskId"], reported["Status"], reported["Message"], reported["SessionContext"]) == (
        answer["TaskId"], "FINISH", "SUCCESS", "c",
    )  # fmt: skip
    results = [next(v for k, v in one.items() if k != "Type" and v) for one in reported["MediaProcessResultSet"]]
    assert {one["Status"] for one in results} == {"SUCCESS"}
    assert len(results) == sum(map(len, EVERYTHING.values()))

    described = await info(caller)
    urls = {*addresses(reported), *addresses(described)}
    assert len(urls) > 20
    for url in urls:
        status, kind, body = await fetch(session, url)
        assert (status, bool(body)) == (200, True), url
        if kind.startswith("image/"):
            Image.open(BytesIO(body)).verify()

    await caller.call("DeleteMedia", FileId="1")
    if mode == "push":
        await receiver.wait_for(2)
    deleted = (await event())["FileDeleteEvent"]
    assert deleted == {"FileIdSet": ["1"], "FileDeleteResultInfo": [{"FileId": "1", "DeleteParts": []}]}
    assert {(await fetch(session, url))[0] for url in urls} == {404}
    assert (await caller.call("DescribeMediaInfos", FileIds=["1"]))["NotExistFileIdSet"] == ["1"]


async def test_every_result_has_the_members_of_the_sdks_models(frozen: Caller) -> None:
    review = {"Definition": 20}
    procedure = await process(frozen, EVERYTHING, AiContentReviewTask=review)
    assert differences(procedure, "ProcedureTask") == []
    assert differences(await info(frozen), "MediaInfo") == []


# --- each kind


async def test_a_transcode_has_the_size_and_rate_of_its_template(frozen: Caller, session: ClientSession) -> None:
    item = await output(frozen, {"TranscodeTaskSet": [{"Definition": 100020}]})
    assert (item["Definition"], item["Width"], item["Height"]) == (100020, 960, 540)
    assert (item["Bitrate"], item["Duration"]) == (1_064_000, DURATION)
    assert item["VideoStreamSet"][0]["Bitrate"] + item["AudioStreamSet"][0]["Bitrate"] == item["Bitrate"]
    assert item["Url"].endswith("1/v.f100020.mp4")
    status, kind, body = await fetch(session, item["Url"])
    assert (status, kind, body[4:8]) == (200, "video/mp4", b"ftyp")
    original, transcode = (await info(frozen))["TranscodeInfo"]["TranscodeSet"]
    assert (original["Definition"], transcode) == (0, item)


async def test_a_transcode_of_a_part_is_as_long_as_the_part(frozen: Caller) -> None:
    for begin, end, seconds in ((10, 30, 20.0), (-10, 0, 10.0), (0, -90, 8.66), (0, 500, DURATION)):
        part = {"Definition": 100020, "StartTimeOffset": begin, "EndTimeOffset": end}
        assert (await output(frozen, {"TranscodeTaskSet": [part]}))["Duration"] == pytest.approx(seconds)
    [result] = (await process(frozen, {"TranscodeTaskSet": [{**part, "StartTimeOffset": 50, "EndTimeOffset": 40}]}))[
        "MediaProcessResultSet"
    ]
    assert result["TranscodeTask"]["ErrCodeExt"] == "InvalidInput.InvalidTimeOffset"


async def test_a_transcode_to_hls_is_a_playlist_of_segments(frozen: Caller, session: ClientSession) -> None:
    item = await output(frozen, {"TranscodeTaskSet": [{"Definition": 100220}]})
    assert (item["Url"].endswith("/v.f100220.m3u8"), item["Container"]) == (True, "hls,applehttp")
    status, kind, body = await fetch(session, item["Url"])
    assert (status, kind) == (200, "application/vnd.apple.mpegurl")
    segments = [line for line in body.decode().splitlines() if line and not line.startswith("#")]
    assert len(segments) == 25  # of 4 s each
    status, kind, body = await fetch(session, urljoin(item["Url"], segments[0]))
    assert (status, kind, body[0]) == (200, "video/mp2t", 0x47)


async def test_an_audio_file_has_no_picture(frozen: Caller) -> None:
    item = await output(frozen, {"TranscodeTaskSet": [{"Definition": 1010}]})
    assert (item["Width"], item["VideoStreamSet"], item["Bitrate"]) == (0, [], 128_000)
    assert item["Url"].endswith("/v.f1010.mp3")


async def test_an_adaptive_playlist_names_streams_that_play(frozen: Caller, session: ClientSession) -> None:
    item = await output(frozen, {"AdaptiveDynamicStreamingTaskSet": [{"Definition": 10}]})
    assert (item["Package"], item["DrmType"], item["Url"].endswith("/adp.10.m3u8")) == ("HLS", "", True)
    assert [one["Height"] for one in item["SubStreamSet"]] == [240, 480, 720]  # none is larger than the source
    _, _, master = await fetch(session, item["Url"])
    streams = [line for line in master.decode().splitlines() if not line.startswith("#")]
    assert streams == ["video_10_0.m3u8", "video_10_1.m3u8", "video_10_2.m3u8"]
    status, _, playlist = await fetch(session, urljoin(item["Url"], streams[2]))
    assert (status, b"#EXT-X-ENDLIST" in playlist) == (200, True)
    item = await output(frozen, {"AdaptiveDynamicStreamingTaskSet": [{"Definition": 20}]})
    status, kind, manifest = await fetch(session, item["Url"])
    assert (status, kind, b"<MPD" in manifest, item["Package"]) == (200, "application/dash+xml", True, "DASH")


async def test_a_sprite_has_a_picture_every_ten_seconds_and_a_text_that_finds_them(
    frozen: Caller, session: ClientSession
) -> None:
    item = await output(frozen, {"ImageSpriteTaskSet": [{"Definition": 10}]})
    assert (item["TotalCount"], item["Width"], item["Height"], len(item["ImageUrlSet"])) == (10, 142, 80, 1)
    _, _, body = await fetch(session, item["ImageUrlSet"][0])
    assert Image.open(BytesIO(body)).size == (1420, 800)
    _, kind, text = await fetch(session, item["WebVttUrl"])
    assert (kind, text.startswith(b"WEBVTT\n")) == ("text/vtt", True)
    cues = re.findall(r"(\S+) --> (\S+)\n(\S+)#xywh=(\d+),(\d+),142,80", text.decode())
    assert len(cues) == 10
    assert cues[1] == ("00:00:10.000", "00:00:20.000", "imageSprite_10_0.jpg", "142", "0")
    assert cues[9][1] == "00:01:38.660"
    status, _, _ = await fetch(session, urljoin(item["WebVttUrl"], cues[9][2]))
    assert status == 200


async def test_the_pictures_of_a_large_sprite_are_smaller_than_its_template_says(
    frozen: Caller, session: ClientSession
) -> None:
    template = {"SampleType": "Time", "SampleInterval": 90, "RowCount": 100, "ColumnCount": 100}
    size = {"Width": 4096, "Height": 4096}
    made = await frozen.call("CreateImageSpriteTemplate", **template, **size)
    item = await output(frozen, {"ImageSpriteTaskSet": [{"Definition": made["Definition"]}]})
    assert (item["TotalCount"], item["Width"], item["Height"]) == (2, 40, 40)
    _, _, body = await fetch(session, item["ImageUrlSet"][0])
    assert Image.open(BytesIO(body)).size == (4000, 4000)
    _, _, text = await fetch(session, item["WebVttUrl"])
    assert b"#xywh=40,0,40,40" in text


async def test_samples_are_pictures_at_every_tenth_of_the_file(frozen: Caller, session: ClientSession) -> None:
    item = await output(frozen, {"SampleSnapshotTaskSet": [{"Definition": 10}]})
    assert (item["SampleType"], item["Interval"], len(item["ImageUrlSet"])) == ("Percent", 10, 10)
    pictures = [(await fetch(session, url))[2] for url in item["ImageUrlSet"][:2]]
    assert Image.open(BytesIO(pictures[0])).size == (1280, 720)
    assert pictures[0] != pictures[1]
    beyond = item["ImageUrlSet"][0].replace("_10_0.jpg", "_10_10.jpg")
    assert (await fetch(session, beyond))[0] == 404


async def test_an_animation_moves(frozen: Caller, session: ClientSession) -> None:
    given = {"Definition": 20000, "StartTimeOffset": 1, "EndTimeOffset": 3}
    item = await output(frozen, {"AnimatedGraphicTaskSet": [given]})
    assert (item["Container"], item["StartTimeOffset"], item["EndTimeOffset"]) == ("gif", 1, 3)
    _, kind, body = await fetch(session, item["Url"])
    picture = Image.open(BytesIO(body))
    assert (kind, getattr(picture, "n_frames", 1)) == ("image/gif", 4)


async def test_a_cover_becomes_that_of_the_media_file(frozen: Caller, session: ClientSession) -> None:
    given = {"Definition": 10, "PositionType": "Percent", "PositionValue": 50}
    item = await output(frozen, {"CoverBySnapshotTaskSet": [given]})
    assert (await info(frozen))["BasicInfo"]["CoverUrl"] == item["CoverUrl"]
    assert item["CoverUrl"].endswith("/coverBySnapshot/coverBySnapshot_10_0.jpg")
    _, kind, _ = await fetch(session, item["CoverUrl"])
    assert kind == "image/jpeg"


async def test_a_job_replaces_what_the_last_one_with_its_template_made(frozen: Caller) -> None:
    for offsets in (["1s"], ["2s", "3s"]):
        await output(frozen, {"SnapshotByTimeOffsetTaskSet": [{"Definition": 10, "ExtTimeOffsetSet": offsets}]})
    [made] = (await info(frozen))["SnapshotByTimeOffsetInfo"]["SnapshotByTimeOffsetSet"]
    assert [one["TimeOffset"] for one in made["PicInfoSet"]] == [2000, 3000]


@pytest.mark.parametrize(
    ("tasks", "field"),
    [
        ({"TranscodeTaskSet": [{"Definition": 1}]}, "TranscodeTask"),
        ({"AdaptiveDynamicStreamingTaskSet": [{"Definition": 1}]}, "AdaptiveDynamicStreamingTask"),
        ({"ImageSpriteTaskSet": [{"Definition": 1}]}, "ImageSpriteTask"),
        ({"SampleSnapshotTaskSet": [{"Definition": 1}]}, "SampleSnapshotTask"),
        (
            {"AnimatedGraphicTaskSet": [{"Definition": 1, "StartTimeOffset": 0, "EndTimeOffset": 0}]},
            "AnimatedGraphicTask",
        ),
        (
            {"CoverBySnapshotTaskSet": [{"Definition": 1, "PositionType": "Time", "PositionValue": 0}]},
            "CoverBySnapshotTask",
        ),
    ],
)
async def test_a_template_that_does_not_exist_fails_each_kind_of_job(
    frozen: Caller, tasks: dict[str, Any], field: str
) -> None:
    procedure = await process(frozen, tasks)
    result = procedure["MediaProcessResultSet"][0][field]
    assert (result["Status"], result["ErrCodeExt"], result["Output"]) == (
        "FAIL",
        "InvalidInput.DefinitionNotExist",
        None,
    )
    assert (procedure["Status"], procedure["ErrCode"]) == ("FINISH", 0)


async def test_a_cover_beyond_the_end_fails(frozen: Caller) -> None:
    given = {"Definition": 10, "PositionType": "Time", "PositionValue": 99}
    result = (await process(frozen, {"CoverBySnapshotTaskSet": [given]}))["MediaProcessResultSet"][0]
    assert result["CoverBySnapshotTask"]["ErrCodeExt"] == "InvalidInput.InvalidTimeOffset"


# --- content review


async def test_a_content_review_passes_unless_declared_otherwise(frozen: Caller) -> None:
    passed = (await process(frozen, {}, AiContentReviewTask={"Definition": 10}))["AiContentReviewResultSet"]
    assert [one["Type"] for one in passed] == ["Porn", "Terrorism", "Political"]
    assert {one["PornTask"]["Output"]["Suggestion"] for one in passed if one["PornTask"]} == {"pass"}

    declared = await frozen.control("POST", "/media", {"file_id": "2", "reviews": {"Porn": "block"}})
    assert declared["reviews"] == {"Porn": "block"}
    porn, *_ = (await process(frozen, {}, FileId="2", AiContentReviewTask={"Definition": 10}))[
        "AiContentReviewResultSet"
    ]
    outcome = porn["PornTask"]["Output"]
    assert (outcome["Suggestion"], outcome["Label"], outcome["Confidence"]) == ("block", "porn", 99)
    [segment] = outcome["SegmentSet"]
    assert (segment["Suggestion"], segment["StartTimeOffset"], segment["EndTimeOffset"]) == ("block", 0, 10)


async def test_a_content_review_template_that_does_not_exist_is_refused(frozen: Caller) -> None:
    answer = await frozen.call("ProcessMedia", FileId="1", AiContentReviewTask={"Definition": 11})
    assert answer["Error"]["Code"] == "InvalidParameterValue.AiContentReviewTaskDefinition"


# --- addresses


async def test_addresses_are_under_the_host_that_the_caller_named(frozen: Caller, session: ClientSession) -> None:
    port = frozen.running.port
    headers = {"X-TC-Action": "DescribeMediaInfos", "X-TC-Version": "2018-07-17", "Host": f"localhost:{port}"}
    body = json.dumps({"FileIds": ["1"]})
    async with session.post(frozen.running.url + "/", data=body, headers=headers) as response:
        [media] = json.loads(await response.read())["Response"]["MediaInfoSet"]
    assert media["BasicInfo"]["MediaUrl"].startswith(f"http://localhost:{port}/")
    headers["Host"] = "no host at all"
    async with session.post(frozen.running.url + "/", data=body, headers=headers) as response:
        [media] = json.loads(await response.read())["Response"]["MediaInfoSet"]
    assert media["BasicInfo"]["MediaUrl"].startswith(frozen.running.url)


async def test_a_task_keeps_the_host_of_the_call_that_started_it(frozen: Caller) -> None:
    item = await output(frozen, {"TranscodeTaskSet": [{"Definition": 100020}]})
    assert item["Url"].startswith(frozen.running.url + "/")


async def test_vendor_addresses_have_the_same_paths_and_the_server_serves_them(
    begin: Begin, session: ClientSession
) -> None:
    caller = await begin(public_url="vendor")
    procedure = await process(caller, EVERYTHING)
    for url in addresses(procedure):
        host, path = re.fullmatch(r"http://(\d{10}\.vod2\.myqcloud\.com)(/.*)", url).group(1, 2)  # type: ignore[union-attr]
        assert host.partition(".")[0] in path
        assert (await fetch(session, caller.running.url + path))[0] == 200, url


async def test_paths_are_the_same_for_a_seed(begin: Begin) -> None:
    paths = []
    for _ in range(2):
        caller = await begin(seed=11)
        paths.append([url.removeprefix(caller.running.url) for url in addresses(await process(caller, EVERYTHING))])
    assert paths[0] == paths[1]
    assert len(paths[0]) > 20


async def test_a_range_of_a_file_is_served(frozen: Caller, session: ClientSession) -> None:
    procedure = await process(frozen, {**EVERYTHING, "AnimatedGraphicTaskSet": []})
    names = ("v.f100020.mp4", "imageSprite_10.vtt", "adp.10.m3u8", "coverBySnapshot_10_0.jpg")
    urls = [url for url in addresses(procedure) if url.endswith(names)]
    assert len(urls) == 4
    for url in urls:
        _, _, whole = await fetch(session, url)
        status, _, part = await fetch(session, url, Range="bytes=2-5")
        assert (status, part) == (206, whole[2:6]), url
        status, _, part = await fetch(session, url, Range="bytes=-3")
        assert (status, part) == (206, whole[-3:]), url
        status, _, _ = await fetch(session, url, Range=f"bytes={len(whole)}-")
        assert status == 416, url


async def test_a_video_that_was_declared_is_what_its_transcodes_are(
    frozen: Caller, session: ClientSession, request: pytest.FixtureRequest
) -> None:
    pytest.importorskip("av")
    video = request.config.rootpath / "fixtures/media/sample.mp4"
    await frozen.control("POST", "/media", {"file_id": "3", "video": str(video)})
    answer = await frozen.call(
        "ProcessMedia", FileId="3", MediaProcessTask={"TranscodeTaskSet": [{"Definition": 100010}]}
    )
    await frozen.clock.advance(10)
    detail = await frozen.call("DescribeTaskDetail", TaskId=answer["TaskId"])
    item = detail["ProcedureTask"]["MediaProcessResultSet"][0]["TranscodeTask"]["Output"]
    for url in (item["Url"], (await info(frozen, "3"))["BasicInfo"]["MediaUrl"]):
        assert (await fetch(session, url))[2] == video.read_bytes()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("v.f100020.mp4", "no job has made"),
        ("imageSprite/imageSprite_10_0.jpg", "no job has made"),
        ("adp.10.m3u8", "no job has made"),
        ("adp.999999999999999999.m3u8", "has no"),
        ("..%2f..%2fsecret", "has no"),
        ("nothing", "has no"),
    ],
)
async def test_a_file_that_no_job_has_made_is_not_found(
    frozen: Caller, session: ClientSession, name: str, said: str
) -> None:
    own = frozen.account.life.application().addresses
    folder = f"{frozen.running.url}/{own.products}/{own.folder('1')}"
    status, _, text = await fetch(session, f"{folder}/{name}")
    assert (status, said in text.decode()) == (404, True), text


async def test_folders_and_buckets_of_others_are_not_found(frozen: Caller, session: ClientSession) -> None:
    own = frozen.account.life.application().addresses
    for path in (f"{own.products}/000000001/v.f10.mp4", "00000000vodgzp1/000000001/f0.mp4", f"{own.products}/x"):
        assert (await fetch(session, f"{frozen.running.url}/{path}"))[0] == 404


# --- deleting parts


async def test_parts_of_a_media_file_can_be_deleted(begin: Begin, session: ClientSession) -> None:
    caller = await begin(delete_media_complete_event_switch="ON")
    await process(caller, EVERYTHING)
    await caller.call("PullEvents")
    parts: list[dict[str, Any]] = [
        {"Type": "TranscodeFiles", "Definition": 100020},
        {"Type": "AdaptiveDynamicStreamingFiles"},
    ]
    await caller.call("DeleteMedia", FileId="1", DeleteParts=parts)
    media = await info(caller)
    assert [one["Definition"] for one in media["TranscodeInfo"]["TranscodeSet"]] == [0, 100220, 1010]
    assert media["AdaptiveDynamicStreamingInfo"] is None
    [event] = (await caller.call("PullEvents"))["EventSet"]
    [reported] = event["FileDeleteEvent"]["FileDeleteResultInfo"]
    assert reported["DeleteParts"] == [{**parts[0]}, {**parts[1], "Definition": 0}]

    original = media["BasicInfo"]["MediaUrl"]
    await caller.call("DeleteMedia", FileId="1", DeleteParts=[{"Type": "OriginalFiles"}])
    assert (await fetch(session, original))[0] == 404
    assert (await info(caller))["BasicInfo"]["MediaUrl"] == ""


async def test_a_deletion_is_notified_only_if_its_switch_is_on(frozen: Caller) -> None:
    await frozen.call("DeleteMedia", FileId="1")
    assert "Error" in await frozen.call("PullEvents")


async def test_a_file_that_does_not_exist_cannot_be_deleted(frozen: Caller) -> None:
    await frozen.call("DeleteMedia", FileId="1")
    assert (await frozen.call("DeleteMedia", FileId="1"))["Error"]["Code"] == "ResourceNotFound"
    answer = await frozen.call("DeleteMedia", FileId="2", DeleteParts=[{"Type": "Everything"}])
    assert answer["Error"]["Code"] == "InvalidParameterValue"


async def test_a_job_on_a_file_that_was_deleted_meanwhile_fails(frozen: Caller) -> None:
    answer = await frozen.call(
        "ProcessMedia", FileId="1", MediaProcessTask={"ImageSpriteTaskSet": [{"Definition": 10}]}
    )
    await frozen.call("DeleteMedia", FileId="1")
    await frozen.clock.advance(10)
    detail = await frozen.call("DescribeTaskDetail", TaskId=answer["TaskId"])
    task = detail["ProcedureTask"]["MediaProcessResultSet"][0]["ImageSpriteTask"]
    assert task["ErrCodeExt"] == "SourceFileError.DownloadNotAccessible"


# --- changing and finding


async def test_a_media_file_is_changed_in_what_is_named(frozen: Caller, session: ClientSession) -> None:
    png = base64.b64encode(_png()).decode()
    frames = [{"TimeOffset": 3, "Content": "b"}, {"TimeOffset": 1.5, "Content": "a"}]
    subtitle = {"Name": "en", "Language": "en", "Format": "vtt", "Content": base64.b64encode(b"WEBVTT\n").decode()}
    answer = await frozen.call(
        "ModifyMediaInfo", FileId="1", Name="Hare", Description="d", ClassId=7, AddTags=["x", "y"], CoverData=png,
        AddKeyFrameDescs=frames, AddSubtitles=[subtitle], ExpireTime="2030-01-01T00:00:00Z",
    )  # fmt: skip
    [added] = answer["AddedSubtitleSet"]
    media = await info(frozen)
    basic = media["BasicInfo"]
    assert (basic["Name"], basic["Description"], basic["ClassId"], basic["TagSet"]) == ("Hare", "d", 7, ["x", "y"])
    assert (basic["CoverUrl"], basic["ExpireTime"]) == (answer["CoverUrl"], "2030-01-01T00:00:00Z")
    assert [one["Content"] for one in media["KeyFrameDescInfo"]["KeyFrameDescSet"]] == ["a", "b"]
    assert (await fetch(session, answer["CoverUrl"]))[2] == _png()
    assert (await fetch(session, added["Url"]))[2] == b"WEBVTT\n"

    changes = {"DeleteTags": ["x"], "DeleteKeyFrameDescs": [3], "ClearSubtitles": 1}
    assert await frozen.call("ModifyMediaInfo", FileId="1", **changes) == {"CoverUrl": "", "AddedSubtitleSet": []}
    media = await info(frozen)
    assert (media["BasicInfo"]["TagSet"], media["BasicInfo"]["Name"], media["SubtitleInfo"]) == (["y"], "Hare", None)
    assert [one["TimeOffset"] for one in media["KeyFrameDescInfo"]["KeyFrameDescSet"]] == [1.5]


async def test_subtitles_have_ids_of_their_own(frozen: Caller, session: ClientSession) -> None:
    own = {"Name": "en", "Language": "en", "Format": "vtt", "Content": base64.b64encode(b"WEBVTT\n").decode()}
    adding = [own, {**own, "Id": "subtitle1"}, {**own, "Id": "own_en-1"}]
    added = (await frozen.call("ModifyMediaInfo", FileId="1", AddSubtitles=adding))["AddedSubtitleSet"]
    assert [one["Id"] for one in added] == ["subtitle2", "subtitle1", "own_en-1"]
    answer = await frozen.call("ModifyMediaInfo", FileId="1", AddSubtitles=[{**own, "Id": "subtitle1"}])
    assert answer["Error"]["Code"] == "InvalidParameterValue"
    assert "Error" in await frozen.call("ModifyMediaInfo", FileId="1", AddSubtitles=[{**own, "Id": "../a"}])
    await frozen.call("ModifyMediaInfo", FileId="1", DeleteSubtitleIds=["subtitle1"])
    assert [(await fetch(session, one["Url"]))[0] for one in added] == [200, 404, 200]
    await frozen.call("DeleteMedia", FileId="1")
    await frozen.control("POST", "/media", {"file_id": "1"})
    assert (await fetch(session, added[0]["Url"]))[0] == 404  # also of a new file with its FileId


async def test_a_cover_is_revalidated_by_its_etag(frozen: Caller, session: ClientSession) -> None:
    png = base64.b64encode(_png()).decode()
    url = (await frozen.call("ModifyMediaInfo", FileId="1", CoverData=png))["CoverUrl"]
    async with session.get(url) as response:
        etag = response.headers["ETag"]
    assert (await fetch(session, url, **{"If-None-Match": etag}))[0] == 304


async def test_a_picture_follows_its_video_file(
    frozen: Caller, session: ClientSession, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    pytest.importorskip("av")
    video, fixtures = tmp_path / "video.mp4", request.config.rootpath / "fixtures/media"
    video.write_bytes((fixtures / "sample.mp4").read_bytes())
    await frozen.control("POST", "/media", {"file_id": "2", "video": str(video)})
    tasks = {"CoverBySnapshotTaskSet": [{"Definition": 10, "PositionType": "Time", "PositionValue": 0}]}
    [result] = (await process(frozen, tasks, FileId="2"))["MediaProcessResultSet"]
    url = result["CoverBySnapshotTask"]["Output"]["CoverUrl"]
    assert (await fetch(session, url))[0] == 200
    video.write_bytes(b"broken")
    assert (await fetch(session, url))[0] == 404


def _png() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"FileId": ""}, "ResourceNotFound.FileNotExist"),
        ({"Name": "x" * 65}, "InvalidParameterValue.Name"),
        ({"Description": "x" * 129}, "InvalidParameterValue.Description"),
        ({"ExpireTime": "soon"}, "InvalidParameterValue.ExpireTime"),
        ({"CoverData": "####"}, "InvalidParameterValue.ImageDecodeError"),
        ({"AddTags": ["a"], "ClearTags": 1}, "InvalidParameterValue.AddTagsAndClearTagsConflict"),
        ({"AddTags": ["a"], "DeleteTags": ["a"]}, "InvalidParameterValue.AddTagsAndDeleteTagsConflict"),
        ({"AddTags": ["x" * 33]}, "InvalidParameterValue.TagTooLong"),
        (
            {"AddKeyFrameDescs": [{"TimeOffset": 1, "Content": "x" * 129}]},
            "InvalidParameterValue.KeyFrameDescContentTooLong",
        ),
        (
            {"AddKeyFrameDescs": [{"TimeOffset": 1, "Content": "x"}], "ClearKeyFrameDescs": 1},
            "InvalidParameterValue.AddKeyFrameDescsAndClearKeyFrameDescsConflict",
        ),
        (
            {"AddKeyFrameDescs": [{"TimeOffset": 1, "Content": "x"}], "DeleteKeyFrameDescs": [1]},
            "InvalidParameterValue.AddKeyFrameDescsAndDeleteKeyFrameDescsConflict",
        ),
    ],
)
async def test_a_change_is_refused_by_the_code_of_its_parameter(
    frozen: Caller, params: dict[str, Any], code: str
) -> None:
    answer = await frozen.call("ModifyMediaInfo", **{"FileId": "1", **params})
    assert answer["Error"]["Code"] == code


async def test_tags_and_key_frames_are_counted_over_all_calls(frozen: Caller) -> None:
    await frozen.call("ModifyMediaInfo", FileId="1", AddTags=[str(one) for one in range(16)])
    answer = await frozen.call("ModifyMediaInfo", FileId="1", AddTags=["more"])
    assert answer["Error"]["Code"] == "LimitExceeded.TagCountReachMax"
    for first in (0, 60):
        frames = [{"TimeOffset": first + one, "Content": "x"} for one in range(60)]
        answer = await frozen.call("ModifyMediaInfo", FileId="1", AddKeyFrameDescs=frames)
    assert answer["Error"]["Code"] == "LimitExceeded.KeyFrameDescCountReachMax"


async def found(caller: Caller, **params: Any) -> list[str]:
    answer = await caller.call("SearchMedia", **params)
    assert "MediaInfoSet" in answer, answer
    return [one["FileId"] for one in answer["MediaInfoSet"]]


async def test_media_files_are_found_by_what_they_have(frozen: Caller) -> None:
    for file_id, name in (("2", "Red fox"), ("3", "Hare")):
        await frozen.clock.advance(60)
        await frozen.control("POST", "/media", {"file_id": file_id, "name": name})
    await frozen.call("ModifyMediaInfo", FileId="3", AddTags=["quick"], ClassId=5, Description="a hare")
    await frozen.call("ProcessMedia", FileId="9", MediaProcessTask=EVERYTHING)
    await frozen.clock.advance(10)
    assert await found(frozen) == ["3", "2", "9", "1"]  # newest first; a file counts once something was made of it
    assert await found(frozen, Names=["FOX"]) == ["1", "2"]  # the better match first
    assert await found(frozen, NamePrefixes=["Red"]) == ["2"]
    assert await found(frozen, Tags=["quick", "slow"]) == ["3"]
    assert await found(frozen, ClassIds=[5]) == await found(frozen, Descriptions=["HARE"]) == ["3"]
    assert await found(frozen, FileIds=["1", "7"]) == ["1"]
    assert await found(frozen, Sort={"Field": "CreateTime", "Order": "Asc"}, Limit=2, Offset=2) == ["2", "3"]
    assert await found(frozen, Categories=["Audio"]) == await found(frozen, StreamIds=["s"]) == []
    answer = await frozen.call("SearchMedia", Filters=["basicInfo"], Limit=1)
    assert (answer["TotalCount"], answer["MediaInfoSet"][0]["MetaData"]) == (4, None)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"FileIds": ["x" * 41]}, "InvalidParameterValue.FileIds"),
        ({"Names": ["x"] * 11}, "InvalidParameterValue.Names"),
        ({"Tags": ["x" * 33]}, "InvalidParameterValue.Tags"),
        ({"Categories": ["Film"]}, "InvalidParameterValue.Categories"),
        ({"Sort": {"Field": "Name"}}, "InvalidParameterValue.Sort"),
        ({"SourceTypes": ["Disk"]}, "InvalidParameterValue.SourceTypes"),
        ({"Offset": 4999, "Limit": 2}, "LimitExceeded"),
    ],
)
async def test_a_search_is_refused_by_the_code_of_its_parameter(
    frozen: Caller, params: dict[str, Any], code: str
) -> None:
    assert (await frozen.call("SearchMedia", **params))["Error"]["Code"] == code


# --- what fails


async def test_an_event_that_cannot_be_emitted_is_in_the_journal(frozen: Caller) -> None:
    life_of(frozen.account.life.application()).configure({"pending_bytes": 1024})
    await frozen.control("PATCH", "/config", {"delete_media_complete_event_switch": "ON"})
    for number in range(12):
        await frozen.call("DeleteMedia", FileId=f"{number}{'0' * 150}")
    errors = [one for one in frozen.account.life.journal.since(0) if one.what == "error"]
    assert errors
    assert "no FileDeleted" in errors[0].detail["problem"]
