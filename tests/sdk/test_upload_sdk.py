"""Tencent's upload SDK for Python over https, with Tencent's host names: nothing is configured but the authority."""

import asyncio
import json
import random
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import certifi
import pytest
import requests
import requests.adapters
from aiohttp import web
from qcloud_cos import CosConfig, CosS3Client
from qcloud_cos.cos_exception import CosServiceError
from qcloud_vod.model import VodUploadRequest, VodUploadResponse
from qcloud_vod.vod_upload_client import VodUploadClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.vod.v20180717 import models
from tencentcloud.vod.v20180717.vod_client import VodClient

from mockvod.app import Running
from mockvod.http.storage import StorageApi
from tests.sdk.client import SECRET_ID, SECRET_KEY
from tests.support import Receiver

Start = Callable[..., Awaitable[Running]]
PART = 1024 * 1024
"""Bytes of a part, as the SDK divides files."""
STORAGE_PATH = "/dir/name.mp4"

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*fileds are useless"),  # the SDK warns of its own members
    pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning"),
]


@pytest.fixture
async def secure(start: Start, tmp_path: Path) -> Running:
    return await start(
        tls=True,
        tls_dir=str(tmp_path),
        auth="strict",
        profile="sparse",
        secret_id=SECRET_ID,
        secret_key=SECRET_KEY,
        upload_media_complete_event_switch="ON",
    )


@pytest.fixture
def sdk(secure: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> VodUploadClient:
    """The SDK, with the authority added to certifi's file and every host name leading to the server."""
    assert secure.tls is not None
    assert secure.tls.ca_file is not None
    bundle = tmp_path / "certifi.pem"
    bundle.write_bytes(Path(certifi.where()).read_bytes() + secure.tls.ca_file.read_bytes())
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # a developer's own would come first
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(certifi, "where", lambda: str(bundle))
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(bundle))  # read from certifi at its import
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _host, _port, *args, **kwargs: real("127.0.0.1", secure.port, *args, **kwargs)
    )
    return VodUploadClient(SECRET_ID, SECRET_KEY)


@pytest.fixture
def storage_calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """Method, path and query of each request to the storage; of the query, the parameters that name the operation."""
    calls: list[tuple[str, str, str]] = []
    respond = StorageApi.respond

    async def recorded(api: StorageApi, request: web.BaseRequest) -> web.StreamResponse:
        names = [
            f"{name}={request.query[name]}" for name in ("uploads", "partNumber", "uploadId") if name in request.query
        ]
        calls.append((request.method, request.path, "&".join(names)))
        return await respond(api, request)

    monkeypatch.setattr(StorageApi, "respond", recorded)
    return calls


def file_of(folder: Path, name: str, size: int) -> Path:
    file = folder / name
    file.write_bytes(random.Random(size).randbytes(size))
    return file


async def upload(sdk: VodUploadClient, file: Path, **members: Any) -> VodUploadResponse:
    request = VodUploadRequest()
    request.MediaFilePath = str(file)
    for name, value in members.items():
        setattr(request, name, value)
    return await asyncio.to_thread(sdk.upload, "ap-guangzhou", request)


def uploaded(running: Running) -> list[str]:
    """The FileIds that NewFileUpload was emitted for."""
    return [
        event.structure()["FileId"]
        for event in running.world.default.life.events
        if event.event_type == "NewFileUpload"
    ]


async def fetch(url: str) -> bytes:
    """The bytes at an address of the server, over https and by Tencent's name like everything else."""
    response = await asyncio.to_thread(requests.get, url, timeout=20)
    assert response.status_code == 200, url
    return response.content


async def test_a_small_file_is_uploaded_with_its_cover(secure: Running, sdk: VodUploadClient, tmp_path: Path) -> None:
    video, cover = file_of(tmp_path, "small.mp4", 50_000), file_of(tmp_path, "cover.jpg", 3_000)
    response = await upload(sdk, video, CoverFilePath=str(cover))
    assert await fetch(response.MediaUrl) == video.read_bytes()
    assert await fetch(response.CoverUrl) == cover.read_bytes()
    assert uploaded(secure) == [response.FileId]


PROCEDURE = {
    "TranscodeTaskSet": [{"Definition": 100020}],
    "CoverBySnapshotTaskSet": [{"Definition": 10, "PositionType": "Time", "PositionValue": 1}],
    "SnapshotByTimeOffsetTaskSet": [{"Definition": 10, "ExtTimeOffsetSet": ["1s", "50%"]}],
}


class Api:
    """Calls of API 3.0 by the SDK, and the events that they lead to."""

    def __init__(self, receiver: Receiver, mode: str) -> None:
        self._client = VodClient(Credential(SECRET_ID, SECRET_KEY), "ap-guangzhou")
        self._receiver = receiver
        self._mode = mode
        self._seen = 0

    async def call(self, action: str, **params: Any) -> dict[str, Any]:
        request = getattr(models, f"{action}Request")()
        request.from_json_string(json.dumps(params))
        response = await asyncio.to_thread(getattr(self._client, action), request)
        reply: dict[str, Any] = json.loads(response.to_json_string())
        return reply

    async def events(self, count: int) -> dict[str, dict[str, Any]]:
        """The next *count* events by type: pulled and confirmed, or as the receiver gets them."""
        if self._mode == "push":
            received = await self._receiver.wait_for(self._seen + count)
            found = [one.event for one in received[self._seen :]]
            self._seen += count
        else:
            found = []
            while len(found) < count:
                found += (await self.call("PullEvents"))["EventSet"]
            await self.call("ConfirmEvents", EventHandles=[one["EventHandle"] for one in found])
        return {one["EventType"]: one for one in found}


def addresses(structure: Any) -> Iterator[str]:
    """Every address in a structure."""
    if isinstance(structure, str) and structure.startswith("http"):
        yield structure
    for one in structure.values() if isinstance(structure, dict) else structure if isinstance(structure, list) else ():
        yield from addresses(one)


@pytest.mark.parametrize("mode", ["pull", "push"])
async def test_a_file_from_its_upload_to_its_deletion(
    secure: Running, sdk: VodUploadClient, receiver: Receiver, tmp_path: Path, mode: str
) -> None:
    secure.world.default.life.configure({"task_duration": 0})
    application = secure.world.default.life.application()
    target = {"mode": "PUSH", "callback_url": receiver.url} if mode == "push" else {}
    application.configure({"delete_media_complete_event_switch": "ON", **target})
    api, video = Api(receiver, mode), file_of(tmp_path, "small.mp4", 50_000)
    await api.call("CreateProcedureTemplate", Name="mine", MediaProcessTask=PROCEDURE)

    response = await upload(sdk, video, Procedure="mine", SourceContext="from", SessionContext="to")
    told = await api.events(2)
    task = told["NewFileUpload"]["FileUploadEvent"]
    assert (task["FileId"], task["MediaBasicInfo"]["SourceInfo"]["SourceContext"]) == (response.FileId, "from")
    procedure = told["ProcedureStateChanged"]["ProcedureStateChangeEvent"]
    assert (procedure["TaskId"], procedure["SessionContext"]) == (task["ProcedureTaskId"], "to")
    [info] = (await api.call("DescribeMediaInfos", FileIds=[response.FileId]))["MediaInfoSet"]
    urls = {*addresses(procedure), *addresses(info)}
    assert len(urls) >= 5  # the file, its transcode, its cover and two snapshots
    assert all([await fetch(url) for url in sorted(urls)])

    await api.call("DeleteMedia", FileId=response.FileId)
    deleted = (await api.events(1))["FileDeleted"]["FileDeleteEvent"]
    assert deleted["FileIdSet"] == [response.FileId]
    for url in sorted(urls):
        assert (await asyncio.to_thread(requests.get, url, timeout=20)).status_code == 404, url


async def test_a_large_file_is_uploaded_in_parts(
    secure: Running,
    sdk: VodUploadClient,
    storage_calls: list[tuple[str, str, str]],
    tmp_path: Path,
) -> None:
    video = file_of(tmp_path, "large.mp4", 2_500_000)
    response = await upload(sdk, video)
    assert sorted(query[:12] for method, _, query in storage_calls if method == "PUT") == [
        f"partNumber={number}" for number in (1, 2, 3)
    ]
    assert await fetch(response.MediaUrl) == video.read_bytes()
    assert uploaded(secure) == [response.FileId]


async def test_an_upload_that_was_interrupted_continues_with_the_parts_that_are_missing(
    secure: Running,
    sdk: VodUploadClient,
    storage_calls: list[tuple[str, str, str]],
    tmp_path: Path,
) -> None:
    video = file_of(tmp_path, "large.mp4", 2_500_000)
    storage, bucket = await storage_client()
    key = STORAGE_PATH[1:]
    begun = await asyncio.to_thread(storage.create_multipart_upload, Bucket=bucket, Key=key)
    upload_id = begun["UploadId"]
    await asyncio.to_thread(storage.upload_part, bucket, key, video.read_bytes()[:PART], 1, upload_id)
    storage_calls.clear()

    response = await upload(sdk, video, MediaStoragePath=STORAGE_PATH)
    listed, shown, *parts, completed = storage_calls
    assert listed == ("GET", "/", "uploads=")
    assert shown == ("GET", STORAGE_PATH, f"uploadId={upload_id}")
    assert sorted(parts) == [("PUT", STORAGE_PATH, f"partNumber={number}&uploadId={upload_id}") for number in (2, 3)]
    assert completed == ("POST", STORAGE_PATH, f"uploadId={upload_id}")
    assert await fetch(response.MediaUrl) == video.read_bytes()
    assert uploaded(secure) == [response.FileId]


async def storage_client(secret_key: str = "") -> tuple[CosS3Client, str]:
    """The storage's SDK with the key of a new upload, or with *secret_key* instead of its own; and the bucket."""
    request = models.ApplyUploadRequest()
    request.MediaType, request.MediaStoragePath = "mp4", STORAGE_PATH
    client = VodClient(Credential(SECRET_ID, SECRET_KEY), "ap-guangzhou")
    applied = await asyncio.to_thread(client.ApplyUpload, request)
    key = applied.TempCertificate
    config = CosConfig(
        Region=applied.StorageRegion, SecretId=key.SecretId, SecretKey=secret_key or key.SecretKey, Token=key.Token
    )
    return CosS3Client(config), applied.StorageBucket


@pytest.mark.usefixtures("sdk")
async def test_the_storage_refuses_a_wrong_key() -> None:
    storage, bucket = await storage_client(secret_key="wrong")
    with pytest.raises(CosServiceError) as refused:
        await asyncio.to_thread(storage.put_object, Bucket=bucket, Key=STORAGE_PATH[1:], Body=b"video")
    assert (refused.value.get_status_code(), refused.value.get_error_code()) == (403, "SignatureDoesNotMatch")


async def test_a_wrong_key_uploads_nothing(
    secure: Running, sdk: VodUploadClient, storage_calls: list[tuple[str, str, str]], tmp_path: Path
) -> None:
    sdk.secret_key = "wrong"
    with pytest.raises(TencentCloudSDKException, match=r"AuthFailure\.SignatureFailure"):
        await upload(sdk, file_of(tmp_path, "small.mp4", 50_000))
    assert (storage_calls, uploaded(secure)) == ([], [])
