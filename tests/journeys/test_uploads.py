"""Uploads: from ApplyUpload over the storage to CommitUpload, NewFileUpload, the procedure, and every URL."""

import asyncio
import base64
import hashlib
import hmac
import json
import sys
from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote, urljoin

import pytest
from aiohttp import ClientResponse, ClientSession
from yarl import URL

from mockvod.app import Running
from mockvod.engine.clock import real_time
from mockvod.http import storage
from mockvod.service import media, tasks, uploads
from mockvod.wire.uploads import read_signature, sign_upload
from tests.support import Caller

Start = Callable[..., Awaitable[Running]]
VIDEO = bytes(range(256)) * 40


def authorization(key: dict[str, Any], method: str, path: str, params: dict[str, str]) -> str:
    """The header of a storage request, as Tencent's SDKs make it."""
    window = f"{int(real_time()) - 60};{int(real_time()) + 600}"
    names = ";".join(sorted(name.lower() for name in params))
    pairs = "&".join(f"{name.lower()}={quote(params[name], safe='-_.~')}" for name in sorted(params, key=str.lower))
    text = f"{method.lower()}\n{path}\n{pairs}\n\n"
    to_sign = f"sha1\n{window}\n{hashlib.sha1(text.encode()).hexdigest()}\n"
    inner = hmac.new(key["SecretKey"].encode(), window.encode(), "sha1").hexdigest()
    signature = hmac.new(inner.encode(), to_sign.encode(), "sha1").hexdigest()
    return (
        f"q-sign-algorithm=sha1&q-ak={key['SecretId']}&q-sign-time={window}&q-key-time={window}"
        f"&q-header-list=&q-url-param-list={names}&q-signature={signature}"
    )


class Upload:
    """One upload, as an SDK makes it."""

    def __init__(self, caller: Caller, applied: dict[str, Any]) -> None:
        self.caller = caller
        self.applied = applied
        self.path = applied["MediaStoragePath"]
        self.host = f"{applied['StorageBucket']}.cos.{applied['StorageRegion']}.myqcloud.com"

    async def send(
        self, method: str, path: str, data: bytes = b"", *, signed: bool = True, headers: Any = None, **params: str
    ) -> tuple[ClientResponse, str]:
        every = {"Host": self.host, **(headers or {})}
        if signed:
            key = self.applied["TempCertificate"]
            every = {"x-cos-security-token": key["Token"], **every}
            every["Authorization"] = authorization(key, method, path, params)
        url = self.caller.running.url + path
        async with self.caller.session.request(method, url, data=data, params=params, headers=every) as response:
            return response, await response.text(errors="replace")

    async def commit(self) -> dict[str, Any]:
        return await self.caller.call("CommitUpload", VodSessionKey=self.applied["VodSessionKey"])


@pytest.fixture
async def switched(caller: Caller) -> Caller:
    """A server that notifies of uploads and deletions."""
    switches = {"upload_media_complete_event_switch": "ON", "delete_media_complete_event_switch": "ON"}
    await caller.control("PATCH", "/config", {**switches, "profile": "sparse", "poll_hold": 0, "task_duration": 0})
    return caller


async def apply(caller: Caller, **params: Any) -> Upload:
    applied = await caller.call("ApplyUpload", **{"MediaType": "mp4", "MediaName": "holiday", **params})
    return Upload(caller, applied)


async def parts_of(upload: Upload, parts: dict[int, bytes]) -> str:
    """Begin an upload in parts and send *parts*; return its id."""
    _, initiated = await upload.send("POST", upload.path, uploads="")
    upload_id = _element(initiated, "UploadId")
    for number, data in parts.items():
        await upload.send("PUT", upload.path, data, partNumber=str(number), uploadId=upload_id)
    return upload_id


async def events(caller: Caller) -> list[dict[str, Any]]:
    pulled: list[dict[str, Any]] = (await caller.call("PullEvents")).get("EventSet", [])
    await caller.call("ConfirmEvents", EventHandles=[event["EventHandle"] for event in pulled])
    return pulled


async def fetch(caller: Caller, url: str) -> bytes:
    async with caller.session.get(url) as response:
        assert response.status == 200, url
        return await response.read()


async def test_the_whole_way_of_a_media_file(switched: Caller) -> None:
    job = {"SnapshotByTimeOffsetTaskSet": [{"Definition": 10, "ExtTimeOffsetSet": ["1s"]}]}
    job |= {"TranscodeTaskSet": [{"Definition": 100020}], "CoverBySnapshotTaskSet": [_cover()]}
    await switched.call("CreateProcedureTemplate", Name="mine", MediaProcessTask=job)
    upload = await apply(switched, CoverType="jpg", Procedure="mine", SourceContext="from", SessionContext="to")
    for path, data in ((upload.path, VIDEO), (upload.applied["CoverStoragePath"], b"\xff\xd8\xffcover")):
        response, _ = await upload.send("PUT", path, data)
        assert response.headers["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'
    committed = await upload.commit()
    assert await fetch(switched, committed["MediaUrl"]) == VIDEO
    assert await fetch(switched, committed["CoverUrl"]) == b"\xff\xd8\xffcover"

    await switched.control("POST", "/wait", {"state": "queued", "count": 2, "timeout": 20})
    uploaded, ended = await events(switched)
    reported = uploaded["FileUploadEvent"]
    assert (uploaded["EventType"], reported["FileId"]) == ("NewFileUpload", committed["FileId"])
    assert reported["MediaBasicInfo"]["SourceInfo"]["SourceContext"] == "from"
    procedure = ended["ProcedureStateChangeEvent"]
    assert (procedure["TaskId"], procedure["SessionContext"]) == (reported["ProcedureTaskId"], "to")
    for result in procedure["MediaProcessResultSet"]:
        [output] = [one["Output"] for one in result.values() if isinstance(one, dict)]
        for url in [output.get("Url") or output.get("CoverUrl")] if "PicInfoSet" not in output else _urls(output):
            await fetch(switched, url)

    described = await switched.call("DescribeMediaInfos", FileIds=[committed["FileId"]])
    [info] = described["MediaInfoSet"]
    assert info["MetaData"]["Size"] == len(VIDEO)
    assert info["TranscodeInfo"]["TranscodeSet"]
    await switched.call("DeleteMedia", FileId=committed["FileId"])
    [deleted] = await events(switched)
    assert deleted["FileDeleteEvent"]["FileIdSet"] == [committed["FileId"]]
    async with switched.session.get(committed["MediaUrl"]) as response:
        assert response.status == 404


def _cover() -> dict[str, Any]:
    return {"Definition": 10, "PositionType": "Time", "PositionValue": 1}


def _urls(output: dict[str, Any]) -> list[str]:
    return [picture["Url"] for picture in output["PicInfoSet"]]


async def test_a_large_file_comes_in_parts_in_any_order(switched: Caller) -> None:
    upload = await apply(switched)
    parts = {number: bytes([number]) * 5000 for number in (3, 1, 2)}
    upload_id = await parts_of(upload, parts)
    _, listed = await upload.send("GET", "/", uploads="", prefix=upload.path[1:])
    assert _element(listed, "UploadId") == upload_id
    _, shown = await upload.send("GET", upload.path, uploadId=upload_id)
    assert shown.count("<Part>") == 3
    response, completed = await upload.send("POST", upload.path, _parts(parts), uploadId=upload_id)
    assert (response.status, _element(completed, "Key")) == (200, upload.path[1:])
    assert _element(completed, "ETag").strip('"').endswith("-3")
    media_url = (await upload.commit())["MediaUrl"]
    assert await fetch(switched, media_url) == parts[1] + parts[2] + parts[3]


def _parts(parts: dict[int, bytes]) -> bytes:
    listed = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>&quot;{hashlib.md5(parts[number]).hexdigest()}&quot;</ETag></Part>"
        for number in sorted(parts)
    )
    return f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()


def _element(document: str, name: str) -> str:
    return document.partition(f"<{name}>")[2].partition(f"</{name}>")[0].replace("&quot;", '"')


async def test_an_upload_that_was_aborted_cannot_be_completed(switched: Caller) -> None:
    upload = await apply(switched)
    upload_id = await parts_of(upload, {})
    assert (await upload.send("DELETE", upload.path, uploadId=upload_id))[0].status == 204
    response, error = await upload.send("POST", upload.path, _parts({1: b""}), uploadId=upload_id)
    assert (response.status, _element(error, "Code")) == (404, "NoSuchUpload")


# --- what cannot be


async def test_what_was_not_uploaded_cannot_be_committed(switched: Caller) -> None:
    upload = await apply(switched)
    assert (await upload.commit())["Error"]["Code"] == "ResourceNotFound"


async def test_a_session_is_committed_once(switched: Caller) -> None:
    upload = await apply(switched)
    await upload.send("PUT", upload.path, VIDEO)
    assert "FileId" in await upload.commit()
    assert (await upload.commit())["Error"]["Code"] == "InvalidParameterValue.VodSessionKey"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"MediaType": "exe"}, "InvalidParameterValue.MediaType"),
        ({"CoverType": "mp4"}, "InvalidParameterValue.CoverType"),
        ({"MediaStoragePath": "no-slash"}, "InvalidParameterValue.MediaStoragePath"),
        ({"MediaStoragePath": "/a/../b.mp4"}, "InvalidParameterValue.MediaStoragePath"),
        ({"MediaStoragePath": "/./b.mp4"}, "InvalidParameterValue.MediaStoragePath"),
    ],
    ids=["type", "cover", "path", "parent", "dot"],
)
async def test_an_invalid_upload_is_refused(caller: Caller, params: dict[str, str], code: str) -> None:
    answer = await caller.call("ApplyUpload", **{"MediaType": "mp4", **params})
    assert answer["Error"]["Code"] == code


async def test_a_wrong_signature_is_refused_by_the_storage(switched: Caller) -> None:
    upload = await apply(switched)
    upload.applied["TempCertificate"]["SecretKey"] = "wrong"
    response, error = await upload.send("PUT", upload.path, VIDEO)
    assert (response.status, _element(error, "Code")) == (403, "SignatureDoesNotMatch")
    assert all(_element(error, name) for name in ("Message", "Resource", "RequestId", "TraceId"))


@pytest.mark.parametrize(("auth", "status"), [("strict", 403), ("lenient", 200), ("off", 200)])
async def test_an_unsigned_storage_request(switched: Caller, auth: str, status: int) -> None:
    upload = await apply(switched)
    await switched.control("PATCH", "/config", {"auth": auth})
    response, _ = await upload.send("PUT", upload.path, VIDEO, signed=False)
    assert response.status == status


async def test_uploads_are_bounded_in_bytes(switched: Caller) -> None:
    await switched.control("PATCH", "/config", {"upload_bytes": 10_000})
    upload = await apply(switched)
    response, error = await upload.send("PUT", upload.path, VIDEO)
    assert (response.status, _element(error, "Code")) == (400, "EntityTooLarge")
    response, _ = await upload.send("PUT", upload.path, VIDEO[:9_000])  # what was refused takes no room
    assert response.status == 200


async def test_bytes_that_were_damaged_are_refused(switched: Caller) -> None:
    upload = await apply(switched)
    wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    response, error = await upload.send("PUT", upload.path, VIDEO, headers={"Content-MD5": wrong})
    assert (response.status, _element(error, "Code")) == (400, "BadDigest")


async def test_the_go_sdk_gets_the_checksum_that_it_compares(switched: Caller) -> None:
    upload = await apply(switched)
    headers = {"User-Agent": "cos-go-sdk-v5/0.7.25"}
    response, _ = await upload.send("PUT", upload.path, b"123456789", headers=headers)
    assert response.headers["x-cos-hash-crc64ecma"] == str(0x995DC9BBDF1939FA)


async def test_a_reset_ends_uploads_with_their_files(switched: Caller) -> None:
    upload = await apply(switched)
    await upload.send("PUT", upload.path, VIDEO)
    stored = switched.account.life.application().uploads.storage.find((upload.applied["StorageBucket"], upload.path))
    assert stored is not None
    await switched.control("POST", "/reset")
    assert not stored.file.exists()
    assert (await upload.commit())["Error"]["Code"] == "InvalidParameterValue.VodSessionKey"


# --- browsers


class Browser:
    """The calls of a page that uploads."""

    def __init__(self, caller: Caller, **members: Any) -> None:
        self.caller = caller
        self.signature = sign_upload("AKIDmine", "key", now=int(real_time()), **members)

    async def call(self, action: str, **body: Any) -> dict[str, Any]:
        url = f"{self.caller.running.url}/v3/index.php?Action={action}"
        headers = {"Origin": "http://page.example", "Host": "vod2.qcloud.com"}
        data = {"signature": self.signature, **body}
        async with self.caller.session.post(url, json=data, headers=headers) as response:
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            reply: dict[str, Any] = await response.json()
            return reply


async def test_a_page_uploads_for_the_application_that_its_signature_names(switched: Caller) -> None:
    await switched.control("POST", "/accounts", {"secret_id": "AKIDmine", "secret_key": "key"})
    browser = Browser(switched, vodSubAppId=7, sourceContext="page")
    assert (await browser.call("PrepareUploadUGC"))["code"] == 0
    applied = (await browser.call("ApplyUploadUGC", videoName="clip", videoType="mp4", videoSize=9))["data"]
    host = f"{applied['storageBucket']}-{applied['storageAppId']}.cos.{applied['storageRegionV5']}.myqcloud.com"
    url = switched.running.url + applied["video"]["storagePath"]
    async with switched.session.options(url, headers={"Host": host, "Origin": "http://page.example"}) as response:
        assert response.headers["Access-Control-Allow-Origin"] == "*"
    async with switched.session.put(url, data=VIDEO, headers={"Host": host}) as response:
        assert "ETag" in response.headers["Access-Control-Expose-Headers"]
    resumed = await browser.call("ApplyUploadUGC", vodSessionKey=applied["vodSessionKey"])
    assert resumed["data"]["video"] == applied["video"]
    committed = (await browser.call("CommitUploadUGC", vodSessionKey=applied["vodSessionKey"]))["data"]
    assert await fetch(switched, committed["video"]["url"]) == VIDEO
    [media] = switched.running.world.account("AKIDmine").life.application(7).media.declared()
    assert (media.file_id, media.name, media.source_context) == (committed["fileId"], "clip", "page")


async def put(caller: Caller, applied: dict[str, Any], what: str, content: bytes) -> None:
    """Store the `video` or the `cover` of an upload by a page."""
    host = f"{applied['storageBucket']}-{applied['storageAppId']}.cos.{applied['storageRegionV5']}.myqcloud.com"
    url = caller.running.url + applied[what]["storagePath"]
    async with caller.session.put(url, data=content, headers={"Host": host}) as response:
        assert response.status == 200


async def test_a_page_changes_the_cover_of_a_file(switched: Caller) -> None:
    upload = await apply(switched)
    await upload.send("PUT", upload.path, VIDEO)
    file_id = (await upload.commit())["FileId"]
    browser = Browser(switched)
    wish = {"fileId": file_id, "coverName": "c", "coverType": "png", "coverSize": 5}
    applied = (await browser.call("ApplyUploadUGC", **wish))["data"]
    assert "video" not in applied
    key = {"vodSessionKey": applied["vodSessionKey"]}
    assert (await browser.call("CommitUploadUGC", **key))["code"] == 10001  # nothing was stored
    await put(switched, applied, "cover", b"cover")
    committed = (await browser.call("CommitUploadUGC", **key))["data"]
    assert (committed["fileId"], await fetch(switched, committed["cover"]["url"])) == (file_id, b"cover")
    [info] = (await switched.call("DescribeMediaInfos", FileIds=[file_id]))["MediaInfoSet"]
    assert info["BasicInfo"]["CoverUrl"].endswith("/cover.png")
    assert len(switched.account.life.application().uploads.finished()) == 1


async def test_a_page_uploads_with_the_expiry_of_its_call_and_the_notification_of_its_signature(
    switched: Caller,
) -> None:
    browser = Browser(switched, procedure="LongVideoPreset", taskNotifyMode="None", taskPriority=-3)
    wish = {"videoName": "clip", "videoType": "mp4", "ExpireTime": "2030-01-01T00:00:00Z"}
    applied = (await browser.call("ApplyUploadUGC", **wish))["data"]
    await put(switched, applied, "video", VIDEO)
    await browser.call("CommitUploadUGC", vodSessionKey=applied["vodSessionKey"])
    [media] = switched.account.life.application().media.declared()
    assert media.expire_time == "2030-01-01T00:00:00Z"
    [uploaded] = await events(switched)
    task = switched.account.life.application().tasks.find(uploaded["FileUploadEvent"]["ProcedureTaskId"])
    assert task is not None
    assert (task.notify, task.priority) == ("None", -3)


@pytest.mark.parametrize(
    ("members", "body", "code"),
    [
        ({"taskNotifyMode": "Never"}, {}, 10004),
        ({"taskPriority": 11}, {}, 10004),
        ({"classId": "x"}, {}, 10004),
        ({}, {"ExpireTime": "tomorrow"}, 10001),
        ({}, {"videoType": "exe"}, 10001),
        ({}, {"videoName": 7}, 10001),
    ],
    ids=["notify mode", "priority", "class", "expiry", "type", "name"],
)
async def test_a_page_whose_upload_cannot_be_applied_for(
    caller: Caller, members: dict[str, Any], body: dict[str, Any], code: int
) -> None:
    reply = await Browser(caller, **members).call("ApplyUploadUGC", **{"videoName": "clip", "videoType": "mp4", **body})
    assert reply["code"] == code


async def test_a_signature_for_one_use_can_be_used_again(caller: Caller) -> None:
    browser = Browser(caller, oneTimeValid=1)
    for _ in range(2):
        assert (await browser.call("ApplyUploadUGC", videoName="clip", videoType="mp4"))["code"] == 0


async def test_a_page_with_a_wrong_signature_is_refused(switched: Caller) -> None:
    await switched.control("POST", "/accounts", {"secret_id": "AKIDmine", "secret_key": "other"})
    reply = await Browser(switched).call("ApplyUploadUGC", videoName="clip", videoType="mp4", videoSize=9)
    assert reply["code"] == 10004


async def test_an_expired_signature_is_refused(switched: Caller) -> None:
    await switched.control("POST", "/accounts", {"secret_id": "AKIDmine", "secret_key": "key"})
    browser = Browser(switched)
    browser.signature = sign_upload("AKIDmine", "key", now=int(real_time()) - 100, lifetime=50)
    assert (await browser.call("PrepareUploadUGC"))["code"] == 10004


@pytest.mark.parametrize("signature", ["", "no base64!", "YWJj", 7, None], ids=str)
async def test_a_text_that_is_not_a_signature_is_refused(caller: Caller, signature: object) -> None:
    browser = Browser(caller)
    assert (await browser.call("PrepareUploadUGC", signature=signature))["code"] == 10004


# --- from an address, and by the control API


async def test_a_pulled_file_ends_in_pull_complete(switched: Caller) -> None:
    url = "https://media.example/films/holiday.mp4"
    started = await switched.call("PullUpload", MediaUrl=url, SessionContext="mine")
    await switched.control("POST", "/wait", {"state": "queued", "timeout": 20})
    [event] = await events(switched)
    reported = event["PullCompleteEvent"]
    assert (event["EventType"], reported["TaskId"], reported["SessionContext"]) == (
        "PullComplete",
        started["TaskId"],
        "mine",
    )
    assert (reported["MediaBasicInfo"]["Name"], reported["ErrCode"], reported["Status"]) == ("holiday", 0, "FINISH")
    described = await switched.call("DescribeTaskDetail", TaskId=started["TaskId"])
    assert described["PullUploadTask"]["FileId"] == reported["FileId"]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"MediaUrl": "ftp://media.example/a.mp4"}, "InvalidParameterValue.MediaUrl"),
        ({"MediaUrl": "http://media.example/a.exe"}, "FailedOperation.MediaType"),
        ({"MediaUrl": "http://media.example/a.mp4", "CoverUrl": "a.jpg"}, "InvalidParameterValue.CoverUrl"),
    ],
    ids=["scheme", "type", "cover"],
)
async def test_an_address_that_cannot_be_pulled(caller: Caller, params: dict[str, str], code: str) -> None:
    assert (await caller.call("PullUpload", **params))["Error"]["Code"] == code


async def test_a_control_call_uploads_a_file(switched: Caller) -> None:
    reported = await switched.control("POST", "/uploads", {"name": "holiday", "file_id": "17"})
    [event] = await events(switched)
    assert (event["EventType"], event["FileUploadEvent"]["FileId"]) == ("NewFileUpload", "17")
    assert (reported["file_id"], reported["event"]) == ("17", "evt_000001")


async def test_uploads_are_listed_from_their_first_byte_to_their_deletion(switched: Caller) -> None:
    before = await switched.control("GET", "/uploads")
    upload = await apply(switched)
    await parts_of(upload, {1: bytes(700), 2: bytes(300)})
    listed = await switched.control("GET", "/uploads")
    assert f"{before['storage_host']}" == listed["storage_host"] == upload.host
    [one] = listed["uploads"]
    assert (one["name"], one["state"], one["size"], one["media_url"]) == ("holiday", "under_way", 1_000, "")
    await upload.send("PUT", upload.path, VIDEO)
    committed = await upload.commit()
    [one] = (await switched.control("GET", "/uploads"))["uploads"]
    assert (one["file_id"], one["state"], one["size"]) == (committed["FileId"], "finished", len(VIDEO))
    assert one["media_url"] == committed["MediaUrl"]
    await switched.call("DeleteMedia", FileId=committed["FileId"])
    assert (await switched.control("GET", "/uploads"))["uploads"] == []


async def test_a_list_of_uploads_makes_no_application(caller: Caller) -> None:
    assert (await caller.control("GET", "/uploads", sub_app_id=5))["uploads"] == []
    assert caller.account.life.applications() == []


async def test_without_the_switch_an_upload_is_not_notified(caller: Caller) -> None:
    assert (await caller.control("POST", "/uploads", {}))["event"] is None
    error = (await caller.control("POST", "/uploads", {"media_type": "exe"}))["error"]
    assert (error["code"], error["field"]) == ("bad_value", "media_type")


async def test_the_segments_of_a_playlist_are_named(caller: Caller) -> None:
    manifest = "#EXTM3U\n#EXTINF:4\nseg0.ts\n#EXTINF:4\nhttp://elsewhere.example/seg1.ts\n"
    parsed = await caller.call("ParseStreamingManifest", MediaManifestContent=manifest)
    assert parsed == {"MediaSegmentSet": ["seg0.ts"]}


async def test_every_file_that_a_manifest_names_is_listed_once(caller: Caller) -> None:
    manifest = '\ufeff#EXTM3U\r\n#EXT-X-KEY:METHOD=AES-128,URI="key.bin"\r\n\r\n  a.ts \r\n#\r\na.ts\r\nb.ts'
    parsed = await caller.call("ParseStreamingManifest", MediaManifestContent=manifest)
    assert parsed == {"MediaSegmentSet": ["key.bin", "a.ts", "b.ts"]}
    mpd = '<MPD><SegmentTemplate media="$Number$.m4s" initialization="init.mp4"/><BaseURL media="http://x/y"/></MPD>'
    parsed = await caller.call("ParseStreamingManifest", MediaManifestContent=mpd, ManifestType="mpd")
    assert parsed == {"MediaSegmentSet": ["$Number$.m4s", "init.mp4"]}


async def test_a_manifest_names_at_most_10_000_files(caller: Caller) -> None:
    names = [f"{number:x}.ts" for number in range(10_001)]
    manifest = "\n".join(("#EXTM3U", *names[1:]))
    parsed = await caller.call("ParseStreamingManifest", MediaManifestContent=manifest)
    assert parsed == {"MediaSegmentSet": names[1:]}
    refused = await caller.call("ParseStreamingManifest", MediaManifestContent=f"{manifest}\n{names[0]}")
    assert refused["Error"]["Code"] == "InvalidParameterValue.MediaManifestContent"
    assert "at most 10000 files" in refused["Error"]["Message"]


async def test_a_playlist_is_served_with_its_segments(switched: Caller) -> None:
    upload = await apply(switched, MediaType="m3u8")
    await upload.send("PUT", upload.path, b"#EXTM3U\nparts/seg0.ts\n")
    await upload.send("PUT", f"{upload.path.rpartition('/')[0]}/parts/seg0.ts", b"segment")
    media_url = (await upload.commit())["MediaUrl"]
    assert (await fetch(switched, media_url)).startswith(b"#EXTM3U")
    assert await fetch(switched, f"{media_url.rpartition('/')[0]}/parts/seg0.ts") == b"segment"


async def test_a_multipart_upload_of_nearly_all_bytes_can_be_completed(switched: Caller) -> None:
    await switched.control("PATCH", "/config", {"upload_bytes": 10_000})
    upload = await apply(switched)
    part = bytes(9_000)
    upload_id = await parts_of(upload, {1: part})
    response, _ = await upload.send("POST", upload.path, _parts({1: part}), uploadId=upload_id)
    assert response.status == 200
    assert (await upload.send("PUT", upload.path, bytes(9_500)))[0].status == 400  # beside the object there is no room


async def test_damaged_bytes_leave_the_object_that_was_there(switched: Caller) -> None:
    upload = await apply(switched)
    await upload.send("PUT", upload.path, VIDEO)
    wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    await upload.send("PUT", upload.path, b"damaged", headers={"Content-MD5": wrong})
    assert (await upload.send("GET", upload.path))[0].content_length == len(VIDEO)


async def test_a_page_cannot_use_up_the_applications(caller: Caller) -> None:
    reply = await Browser(caller, vodSubAppId=77).call("PrepareUploadUGC")
    assert reply["code"] == 10004
    assert caller.account.life.existing_application(77) is None


async def test_a_declared_file_that_is_no_video_is_not_served(caller: Caller, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    await caller.control("POST", "/media", {"file_id": "17", "video": str(tmp_path / "secret.txt")})
    [info] = (await caller.call("DescribeMediaInfos", FileIds=["17"]))["MediaInfoSet"]
    async with caller.session.get(info["BasicInfo"]["MediaUrl"]) as response:
        assert b"secret" not in await response.read()
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_many_empty_parts_are_refused_at_once(switched: Caller) -> None:
    upload = await apply(switched)
    upload_id = await parts_of(upload, {})
    response, error = await upload.send("POST", upload.path, b"<Part>" * 100_000, uploadId=upload_id)
    assert (response.status, _element(error, "Code")) == (400, "MalformedXML")


# --- several accounts and applications


async def applied_by(caller: Caller, secret_id: str) -> Upload:
    """An upload of the account with *secret_id*."""
    query = {"Action": "ApplyUpload", "Version": "2018-07-17", "MediaType": "mp4", "SecretId": secret_id}
    async with caller.session.get(f"{caller.running.url}/", params=query) as response:
        return Upload(caller, json.loads(await response.read())["Response"])


async def test_accounts_with_the_same_seed_have_storages_of_their_own(switched: Caller) -> None:
    names = ("AKIDone", "AKIDtwo")
    for name in names:
        await switched.control("POST", "/accounts", {"secret_id": name, "seed": 7})
        upload = await applied_by(switched, name)
        assert (await upload.send("PUT", upload.path, name.encode()))[0].status == 200
        application = switched.running.world.account(name).life.application()
        stored = application.uploads.storage.find((upload.applied["StorageBucket"], upload.path))
        assert stored is not None
        assert stored.file.read_bytes() == name.encode()
    every = [switched.running.world.account(name).life.application().addresses for name in ("", *names)]
    assert len({addresses.originals for addresses in every} | {addresses.products for addresses in every}) == 6
    assert len({addresses.app_id for addresses in every}) == 1  # what else the seed determines is the same


async def test_an_account_made_again_with_its_seed_has_the_same_addresses(caller: Caller) -> None:
    made = []
    for _ in range(2):
        await caller.control("POST", "/accounts", {"secret_id": "AKIDone", "seed": 7})
        made.append(caller.running.world.account("AKIDone").life.application().addresses)
        await caller.control("DELETE", "/accounts/AKIDone")
    assert made[0] == made[1]


async def test_an_upload_repeats_for_a_seed(start: Start, session: ClientSession) -> None:
    repeated = []
    for _ in range(2):
        caller = Caller(await start(seed=11), session)
        upload = await apply(caller, CoverType="jpg")
        for path in (upload.path, upload.applied["CoverStoragePath"]):
            await upload.send("PUT", path, VIDEO)
        committed = await upload.commit()
        addresses = [committed[name].removeprefix(caller.running.url) for name in ("MediaUrl", "CoverUrl")]
        repeated.append((upload.host, upload.path, upload.applied["VodSessionKey"], committed["FileId"], *addresses))
    assert repeated[0] == repeated[1]


async def test_the_limit_of_bytes_is_for_all_applications_of_an_account(switched: Caller) -> None:
    await switched.control("PATCH", "/config", {"upload_bytes": 15_000})
    first, second = await apply(switched, SubAppId=5), await apply(switched, SubAppId=6)
    assert (await first.send("PUT", first.path, VIDEO))[0].status == 200
    response, error = await second.send("PUT", second.path, VIDEO)
    assert (response.status, _element(error, "Code")) == (400, "EntityTooLarge")
    await switched.control("POST", "/reset", sub_app_id=5)
    assert (await second.send("PUT", second.path, VIDEO))[0].status == 200


async def test_a_look_up_in_the_storage_makes_nothing(caller: Caller) -> None:
    headers = {"Host": "nothing-1.cos.ap-guangzhou.myqcloud.com"}
    async with caller.session.get(f"{caller.running.url}/video.mp4", headers=headers) as response:
        assert (response.status, _element(await response.text(), "Code")) == (404, "NoSuchBucket")
    assert caller.account.life.applications() == []


# --- one upload, completed twice


async def test_an_upload_that_is_completed_twice_at_once_succeeds_twice(switched: Caller) -> None:
    upload = await apply(switched)
    parts = {number: bytes([number]) * 1_000_000 for number in (1, 2)}
    upload_id = await parts_of(upload, parts)
    twice = [upload.send("POST", upload.path, _parts(parts), uploadId=upload_id) for _ in range(2)]
    answers = await asyncio.gather(*twice)
    assert [response.status for response, _ in answers] == [200, 200]
    assert len({_element(document, "ETag") for _, document in answers}) == 1
    again, document = await upload.send("POST", upload.path, _parts(parts), uploadId=upload_id)
    assert (again.status, _element(document, "ETag")) == (200, _element(answers[0][1], "ETag"))


# --- the object itself


async def test_an_object_has_the_etag_that_its_upload_answered(switched: Caller) -> None:
    upload = await apply(switched)
    etag = (await upload.send("PUT", upload.path, VIDEO))[0].headers["ETag"]
    for method in ("GET", "HEAD"):
        response, _ = await upload.send(method, upload.path)
        assert (response.headers["ETag"], response.content_length) == (etag, len(VIDEO))
        assert response.headers["x-cos-request-id"]
    assert (await upload.send("GET", upload.path, headers={"If-None-Match": etag}))[0].status == 304
    assert (await upload.send("GET", upload.path, headers={"If-Match": etag}))[0].status == 200
    response, error = await upload.send("GET", upload.path, headers={"If-Match": '"other"'})
    assert (response.status, _element(error, "Code")) == (412, "PreconditionFailed")


@pytest.mark.parametrize(
    ("wanted", "status", "part"),
    [("bytes=2-5", 206, VIDEO[2:6]), ("bytes=-3", 206, VIDEO[-3:]), ("bytes=10230-", 206, VIDEO[10230:])],
)
async def test_a_part_of_an_object(switched: Caller, wanted: str, status: int, part: bytes) -> None:
    upload = await apply(switched)
    await upload.send("PUT", upload.path, VIDEO)
    headers = {"Host": upload.host, "Range": wanted}
    async with switched.session.get(switched.running.url + upload.path, headers=headers) as response:
        assert (response.status, await response.read()) == (status, part)


@pytest.mark.parametrize("wanted", ["bytes=10240-", "pages=1-2"])
async def test_a_part_that_an_object_does_not_have(switched: Caller, wanted: str) -> None:
    upload = await apply(switched)
    await upload.send("PUT", upload.path, VIDEO)
    response, error = await upload.send("GET", upload.path, headers={"Range": wanted})
    assert (response.status, _element(error, "Code")) == (416, "InvalidRange")


# --- deletion


async def stored(upload: Upload, path: str) -> int:
    return (await upload.send("HEAD", path))[0].status


@pytest.mark.parametrize("parts", [[], [{"Type": "OriginalFiles"}]], ids=["all", "original"])
async def test_a_deleted_file_and_its_cover_are_nowhere(switched: Caller, parts: list[dict[str, str]]) -> None:
    upload = await apply(switched, CoverType="jpg")
    paths = upload.path, upload.applied["CoverStoragePath"]
    for path in paths:
        await upload.send("PUT", path, VIDEO)
    committed = await upload.commit()
    await switched.call("DeleteMedia", FileId=committed["FileId"], DeleteParts=parts)
    assert [await stored(upload, path) for path in paths] == [404, 404]
    for name in ("MediaUrl", "CoverUrl"):
        async with switched.session.get(committed[name]) as response:
            assert response.status == 404


async def test_a_deleted_playlist_takes_its_segments_with_it(switched: Caller) -> None:
    upload = await apply(switched, MediaType="m3u8")
    segment = f"{upload.path.rpartition('/')[0]}/seg0.ts"
    for path in (upload.path, segment):
        await upload.send("PUT", path, b"#EXTM3U\nseg0.ts\n")
    committed = await upload.commit()
    await switched.call("DeleteMedia", FileId=committed["FileId"])
    assert await stored(upload, segment) == 404


async def uploaded_at(caller: Caller, path: str, content: bytes, **beside: bytes) -> tuple[Upload, dict[str, Any]]:
    """Upload and commit a file at *path* with files beside it, whose names are those of *beside* with a `.ts`."""
    upload = await apply(caller, MediaType=path.rpartition(".")[2], MediaStoragePath=path)
    await upload.send("PUT", path, content)
    for name, segment in beside.items():
        await upload.send("PUT", f"{path.rpartition('/')[0]}/{name}.ts", segment)
    return upload, await upload.commit()


@pytest.mark.parametrize("parts", [[], [{"Type": "OriginalFiles"}]], ids=["all", "original"])
async def test_a_deleted_playlist_takes_only_its_own_segments(switched: Caller, parts: list[dict[str, str]]) -> None:
    one, first = await uploaded_at(switched, "/v/one.m3u8", b"#EXTM3U\none1.ts\nboth.ts\n", one1=b"1", both=b"b")
    _, second = await uploaded_at(switched, "/v/two.m3u8", b"#EXTM3U\ntwo1.ts\nboth.ts\n", two1=b"2", none=b"n")
    third = await apply(switched, MediaStoragePath="/v/three.mp4")
    await third.send("PUT", third.path, VIDEO)
    await switched.call("DeleteMedia", FileId=first["FileId"], DeleteParts=parts)
    statuses = [await stored(one, f"/v/{name}") for name in ("one.m3u8", "one1.ts", "both.ts", "two1.ts", "none.ts")]
    assert statuses == [404, 404, 200, 200, 200]
    assert await fetch(switched, urljoin(second["MediaUrl"], "two1.ts")) == b"2"
    assert await fetch(switched, (await third.commit())["MediaUrl"]) == VIDEO


async def test_a_deleted_playlist_takes_the_playlists_that_it_names(switched: Caller) -> None:
    one, committed = await uploaded_at(switched, "/v/master.m3u8", b"#EXTM3U\nlow/a.m3u8\n")
    await one.send("PUT", "/v/low/a.m3u8", b"#EXTM3U\ns.ts\n../master.m3u8\n")
    await one.send("PUT", "/v/low/s.ts", b"s")
    await switched.call("DeleteMedia", FileId=committed["FileId"])
    assert [await stored(one, f"/v/{name}") for name in ("low/a.m3u8", "low/s.ts")] == [404, 404]


@pytest.mark.parametrize(("folder", "status"), [("", 404), ("/v", 200)], ids=["own", "chosen"])
async def test_segments_named_by_a_template_stay_in_a_folder_that_the_caller_chose(
    switched: Caller, folder: str, status: int
) -> None:
    upload = await apply(switched, MediaType="mpd", **({"MediaStoragePath": f"{folder}/a.mpd"} if folder else {}))
    segment = f"{upload.path.rpartition('/')[0]}/1.m4s"
    for path in (upload.path, segment):
        await upload.send("PUT", path, b'<MPD><SegmentTemplate media="$Number$.m4s"/></MPD>')
    committed = await upload.commit()
    await switched.call("DeleteMedia", FileId=committed["FileId"])
    assert [await stored(upload, path) for path in (upload.path, segment)] == [404, status]


@pytest.mark.parametrize("parts", [[], [{"Type": "OriginalFiles"}]], ids=["all", "original"])
async def test_two_files_of_one_path_are_deleted_one_by_one(switched: Caller, parts: list[dict[str, str]]) -> None:
    _, first = await uploaded_at(switched, "/same.mp4", VIDEO)
    upload, second = await uploaded_at(switched, "/same.mp4", VIDEO)
    await switched.call("DeleteMedia", FileId=first["FileId"], DeleteParts=parts)
    assert await fetch(switched, second["MediaUrl"]) == VIDEO
    await switched.call("DeleteMedia", FileId=second["FileId"], DeleteParts=parts)
    assert await stored(upload, "/same.mp4") == (200 if parts else 404)  # transcodes are served from it


async def test_a_file_that_is_declared_anew_leaves_no_bytes(switched: Caller) -> None:
    upload, committed = await uploaded_at(switched, "/a.m3u8", b"#EXTM3U\na1.ts\n", a1=b"1")
    await switched.control("POST", "/uploads", {"file_id": committed["FileId"]})
    assert [await stored(upload, path) for path in ("/a.m3u8", "/a1.ts")] == [404, 404]


async def test_an_evicted_upload_leaves_no_bytes(switched: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_FILES", 1)
    upload, _ = await uploaded_at(switched, "/a.mp4", VIDEO)
    await uploaded_at(switched, "/b.mp4", VIDEO)
    assert [await stored(upload, path) for path in ("/a.mp4", "/b.mp4")] == [404, 200]


@pytest.mark.parametrize(("module", "limit"), [(media, "MAX_DECLARED"), (tasks, "MAX_ACTIVE")], ids=["media", "tasks"])
async def test_a_commit_at_a_limit_can_be_repeated(
    switched: Caller, monkeypatch: pytest.MonkeyPatch, module: ModuleType, limit: str
) -> None:
    upload = await apply(switched, Procedure="LongVideoPreset")
    await upload.send("PUT", upload.path, VIDEO)
    monkeypatch.setattr(module, limit, 0)
    assert (await upload.commit())["Error"]["Code"] == "FailedOperation"
    assert switched.account.life.application().media.declared() == []
    assert await events(switched) == []
    monkeypatch.undo()
    assert await fetch(switched, (await upload.commit())["MediaUrl"]) == VIDEO
    assert "NewFileUpload" in [event["EventType"] for event in await events(switched)]


@pytest.mark.parametrize(
    ("module", "limit", "field"),
    [(media, "MAX_DECLARED", "file_id"), (tasks, "MAX_ACTIVE", "procedure")],
    ids=["media", "tasks"],
)
async def test_a_control_call_at_a_limit_declares_nothing(
    switched: Caller, monkeypatch: pytest.MonkeyPatch, module: ModuleType, limit: str, field: str
) -> None:
    monkeypatch.setattr(module, limit, 0)
    error = (await switched.control("POST", "/uploads", {"procedure": "LongVideoPreset"}))["error"]
    assert (error["code"], error["field"]) == ("too_many", field)
    assert switched.account.life.application().media.declared() == []


async def test_uploaded_files_come_before_generated_ones(switched: Caller) -> None:
    upload = await apply(switched, MediaType="m3u8")
    names = ["clip.ts", "segment_0_1.ts", "cover.jpg", "1_2.m3u8", "subtitle/a.vtt"]
    for name in names:
        await upload.send("PUT", f"{upload.path.rpartition('/')[0]}/{name}", name.encode())
    await upload.send("PUT", upload.path, b"#EXTM3U\nclip.ts\n")
    media_url = (await upload.commit())["MediaUrl"]
    assert [await fetch(switched, urljoin(media_url, name)) for name in names] == [name.encode() for name in names]


async def test_a_file_has_no_others_of_its_folder(switched: Caller) -> None:
    _, one = await uploaded_at(switched, "/v/one.mp4", VIDEO)
    await uploaded_at(switched, "/v/two.mp4", VIDEO)
    async with switched.session.get(urljoin(one["MediaUrl"], "two.mp4")) as response:
        assert response.status == 404


async def test_uploads_are_listed_by_a_prefix_with_any_characters(switched: Caller) -> None:
    upload = await apply(switched, MediaStoragePath="/a+b%41&c.mp4")
    path = quote(upload.path, safe="/")
    upload_id = await _initiated(upload, path)
    url = f"{switched.running.url}/?uploads&prefix={quote(upload.path[1:], safe='')}"
    async with switched.session.get(URL(url, encoded=True), headers={"Host": upload.host}) as response:
        assert _element(await response.text(), "UploadId") == upload_id


async def _initiated(upload: Upload, path: str) -> str:
    url = URL(f"{upload.caller.running.url}{path}?uploads", encoded=True)
    async with upload.caller.session.post(url, headers={"Host": upload.host}) as response:
        return _element(await response.text(), "UploadId")


async def test_an_object_is_not_copied(switched: Caller) -> None:
    upload = await apply(switched)
    headers = {"x-cos-copy-source": f"{upload.host}/other.mp4"}
    response, error = await upload.send("PUT", upload.path, headers=headers)
    assert (response.status, _element(error, "Code")) == (501, "NotImplemented")
    assert await stored(upload, upload.path) == 404


async def test_the_host_of_the_storage_has_letters_of_any_case(switched: Caller) -> None:
    upload = await apply(switched)
    upload.host = upload.host.upper()
    response, _ = await upload.send("PUT", upload.path, VIDEO)
    assert response.status == 200
    assert "FileId" in await upload.commit()


async def test_a_transcode_stays_when_the_original_is_deleted(switched: Caller) -> None:
    upload = await apply(switched)
    await upload.send("PUT", upload.path, VIDEO)
    file_id = (await upload.commit())["FileId"]
    tasks = {"TranscodeTaskSet": [{"Definition": 100020}]}
    started = await switched.call("ProcessMedia", FileId=file_id, MediaProcessTask=tasks)
    await switched.control("POST", "/wait", {"state": "queued", "task_id": started["TaskId"], "timeout": 20})
    detail = await switched.call("DescribeTaskDetail", TaskId=started["TaskId"])
    [result] = detail["ProcedureTask"]["MediaProcessResultSet"]
    url = result["TranscodeTask"]["Output"]["Url"]
    await switched.call("DeleteMedia", FileId=file_id, DeleteParts=[{"Type": "OriginalFiles"}])
    assert await fetch(switched, url) == VIDEO


# --- playback


async def adaptive_stream(caller: Caller, content: bytes) -> tuple[str, str]:
    """Upload *content* and stream it adaptively; return the address and the text of its first stream."""
    upload = await apply(caller)
    await upload.send("PUT", upload.path, content)
    tasks = {"AdaptiveDynamicStreamingTaskSet": [{"Definition": 10}]}
    file_id = (await upload.commit())["FileId"]
    started = await caller.call("ProcessMedia", FileId=file_id, MediaProcessTask=tasks)
    await caller.control("POST", "/wait", {"state": "queued", "task_id": started["TaskId"], "timeout": 20})
    detail = await caller.call("DescribeTaskDetail", TaskId=started["TaskId"])
    [result] = detail["ProcedureTask"]["MediaProcessResultSet"]
    url = result["AdaptiveDynamicStreamingTask"]["Output"]["Url"]
    first = next(one for one in (await fetch(caller, url)).decode().splitlines() if not one.startswith("#"))
    return urljoin(url, first), (await fetch(caller, urljoin(url, first))).decode()


async def test_an_adaptive_address_plays_the_uploaded_video(switched: Caller, request: pytest.FixtureRequest) -> None:
    av = pytest.importorskip("av")
    video = request.config.rootpath / "fixtures/media/sample.mp4"
    url, text = await adaptive_stream(switched, video.read_bytes())
    [segment] = [one for one in text.splitlines() if one.endswith(".ts")]
    content = await fetch(switched, urljoin(url, segment))
    with av.open(BytesIO(content)) as played, av.open(str(video)) as uploaded:
        pairs = zip(played.decode(video=0), uploaded.decode(video=0), strict=True)
        assert all(one.to_image().tobytes() == other.to_image().tobytes() for one, other in pairs)
    for wrong in ("segment_4000_0.ts", "segment_90000_99000.ts"):
        async with switched.session.get(urljoin(url, wrong)) as response:
            assert response.status == 404


async def test_an_adaptive_address_of_bytes_that_are_no_video_plays_the_sample_clip(switched: Caller) -> None:
    url, text = await adaptive_stream(switched, VIDEO)
    assert "clip.ts" in text
    assert (await fetch(switched, urljoin(url, "clip.ts")))[:1] == b"G"  # the first byte of MPEG-TS
    async with switched.session.get(urljoin(url, "segment_0_4000.ts")) as response:
        assert response.status == 404


# --- the temporary key


@pytest.mark.parametrize(
    ("auth", "token", "status"),
    [("strict", "", 403), ("strict", "x", 403), ("lenient", "x", 403), ("lenient", "", 200)],
)
async def test_the_token_of_a_temporary_key(switched: Caller, auth: str, token: str, status: int) -> None:
    upload = await apply(switched)
    await switched.control("PATCH", "/config", {"auth": auth})
    response, _ = await upload.send("PUT", upload.path, VIDEO, headers={"x-cos-security-token": token})
    assert response.status == status


async def test_a_temporary_key_expires(switched: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = await apply(switched)
    expires_at = upload.applied["TempCertificate"]["ExpiredTime"]
    for moment, status in ((expires_at - 1, 200), (expires_at + 1, 403)):
        for module in (storage, sys.modules[__name__]):
            monkeypatch.setattr(module, "real_time", lambda moment=moment: moment)
        response, error = await upload.send("PUT", upload.path, VIDEO)
        assert response.status == status
    assert _element(error, "Code") == "AccessDenied"


def test_an_upload_signature_signs_encoded_values() -> None:
    signature = read_signature(sign_upload("AKID", "key", now=100, sourceContext="a=1&b=ü %"))
    assert signature.members["sourceContext"] == "a=1&b=ü %"
    signature.check("key", 100)
