"""The steps that journeys share: one consumer of the service, with Tencent's SDK, whose events are pulled or pushed."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import urljoin

from aiohttp import ClientSession
from PIL import Image
from tencentcloud.vod.v20180717 import models

from mockvod.engine.clock import Clock, real_time
from mockvod.wire.uploads import sign_upload
from tests.sdk.client import SECRET_ID, SECRET_KEY, Sdk
from tests.support import Caller, Receiver

VIDEO = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 40
"""What is uploaded: it begins as an MP4 file does."""
PROCEDURE = "Journey"
TASKS: dict[str, list[dict[str, Any]]] = {
    "TranscodeTaskSet": [{"Definition": 100020}, {"Definition": 100220}, {"Definition": 1010}],
    "AnimatedGraphicTaskSet": [{"Definition": 20000, "StartTimeOffset": 0, "EndTimeOffset": 1}],
    "SnapshotByTimeOffsetTaskSet": [{"Definition": 10, "ExtTimeOffsetSet": ["1s", "50%"]}],
    "SampleSnapshotTaskSet": [{"Definition": 10}],
    "ImageSpriteTaskSet": [{"Definition": 10}],
    "CoverBySnapshotTaskSet": [{"Definition": 10, "PositionType": "Time", "PositionValue": 1}],
    "AdaptiveDynamicStreamingTaskSet": [{"Definition": 10}],
}
"""Every kind of job, by its member of MediaProcessTask."""
HEADS: dict[str, bytes] = {
    "video/mp4": VIDEO[4:8],
    "application/vnd.apple.mpegurl": b"#EXTM3U",
    "text/vtt": b"WEBVTT",
    "video/mp2t": b"\x47",
}
"""What a file of a content type has in its first eight bytes."""


def structure(name: str, members: dict[str, Any]) -> Any:
    """One of the SDK's structures, with *members* at every depth."""
    made = getattr(models, name)()
    made._deserialize(members)
    return made


def addresses(value: Any) -> Iterator[str]:
    """Every address in a structure."""
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from addresses(one)
    elif isinstance(value, str) and value.startswith("http"):
        yield value


async def fetch(session: ClientSession, url: str) -> tuple[str, bytes]:
    """Content type and body at an address; the body must be what the type says."""
    async with session.get(url) as response:
        assert response.status == 200, url
        kind, body = response.content_type, await response.read()
    if kind.startswith("image/"):
        picture = Image.open(BytesIO(body))
        picture.load()
        assert Image.MIME[picture.format or ""] == kind, url
    else:
        assert HEADS.get(kind, b"") in body[:8], url
    assert body, url
    return kind, body


@dataclass
class Journey:
    """One consumer: the SDK, the clock of its account, and the events of one application."""

    caller: Caller
    sdk: Sdk
    receiver: Receiver | None
    """Where events are pushed to; None where they are pulled."""
    sub_app_id: int | None = None
    _waiting: list[Any] = field(default_factory=list)
    _received: int = 0

    @property
    def clock(self) -> Clock:
        return self.caller.clock

    @property
    def session(self) -> ClientSession:
        return self.caller.session

    async def call(self, action: str, /, **params: Any) -> Any:
        """The response of an action, as the SDK's model; for the journey's application if it has one."""
        own = {} if self.sub_app_id is None else {"SubAppId": self.sub_app_id}
        return await self.sdk.call(action, **own, **params)

    async def event(self, event_type: str) -> Any:
        """The oldest event of *event_type* that was not taken yet, as EventContent. Pulled events are confirmed."""
        while True:
            for event in self._waiting:
                if event.EventType == event_type:
                    self._waiting.remove(event)
                    return event
            self._waiting += await self._more()

    async def _more(self) -> list[Any]:
        if self.receiver is not None:
            arrived = (await self.receiver.wait_for(self._received + 1))[self._received :]
            self._received += len(arrived)
            return [structure("EventContent", one.event) for one in arrived]
        events = list((await self.call("PullEvents")).EventSet)
        await self.call("ConfirmEvents", EventHandles=[event.EventHandle for event in events])
        return events

    # --- uploads: each returns the event that it ends in, with the members of its media file

    async def upload_by_server(self) -> Any:
        """ApplyUpload, the storage, CommitUpload."""
        applied = await self.call("ApplyUpload", MediaType="mp4", MediaName="fox", Procedure=PROCEDURE,
                                  SourceContext="source", SessionContext="session")  # fmt: skip
        await self._store(f"{applied.StorageBucket}.cos.{applied.StorageRegion}.myqcloud.com", applied.MediaStoragePath)
        committed = await self.call("CommitUpload", VodSessionKey=applied.VodSessionKey)
        uploaded = (await self.event("NewFileUpload")).FileUploadEvent
        assert (uploaded.FileId, uploaded.MediaBasicInfo.MediaUrl) == (committed.FileId, committed.MediaUrl)
        return uploaded

    async def upload_by_browser(self) -> Any:
        """ApplyUploadUGC, the storage, CommitUploadUGC: allowed by an upload signature, which says what follows."""
        signature = sign_upload(SECRET_ID, SECRET_KEY, now=int(real_time()), procedure=PROCEDURE,
                                sourceContext="source", sessionContext="session")  # fmt: skip
        applied = await self._ugc("ApplyUploadUGC", signature=signature, videoType="mp4", videoName="fox")
        bucket = f"{applied['storageBucket']}-{applied['storageAppId']}"
        host = f"{bucket}.cos.{applied['storageRegionV5']}.myqcloud.com"
        await self._store(host, applied["video"]["storagePath"])
        committed = await self._ugc("CommitUploadUGC", signature=signature, vodSessionKey=applied["vodSessionKey"])
        uploaded = (await self.event("NewFileUpload")).FileUploadEvent
        assert uploaded.FileId == committed["fileId"]
        return uploaded

    async def upload_by_address(self) -> Any:
        """PullUpload, which ends in an event of its own."""
        pulled = await self.call("PullUpload", MediaUrl="https://cdn.example/fox.mp4", Procedure=PROCEDURE,
                                 SourceContext="source", SessionContext="session")  # fmt: skip
        await self.clock.advance(10)
        uploaded = (await self.event("PullComplete")).PullCompleteEvent
        assert (uploaded.TaskId, uploaded.Status) == (pulled.TaskId, "FINISH")
        return uploaded

    async def _store(self, host: str, path: str) -> None:
        url = self.caller.running.url + path
        async with self.session.put(url, data=VIDEO, headers={"Host": host}) as response:
            assert response.status == 200

    async def _ugc(self, action: str, **body: Any) -> dict[str, Any]:
        url = f"{self.caller.running.url}/v3/index.php?Action={action}"
        async with self.session.post(url, json=body) as response:
            answer = await response.json()
        assert answer["code"] == 0, answer
        data: dict[str, Any] = answer["data"]
        return data

    # --- jobs and media

    async def process(self, file_id: str, tasks: dict[str, Any], **more: Any) -> Any:
        """The ProcedureTask of ProcessMedia, from its event."""
        process = structure("MediaProcessTaskInput", tasks) if tasks else None
        started = await self.call("ProcessMedia", FileId=file_id, MediaProcessTask=process, **more)
        return await self.procedure(started.TaskId)

    async def procedure(self, task_id: str) -> Any:
        """The ProcedureTask of a task that was started, from its event."""
        await self.clock.advance(10)
        reported = (await self.event("ProcedureStateChanged")).ProcedureStateChangeEvent
        assert (reported.TaskId, reported.Status) == (task_id, "FINISH")
        return reported

    async def media(self, file_id: str) -> Any:
        [media] = (await self.call("DescribeMediaInfos", FileIds=[file_id])).MediaInfoSet
        return media

    # --- addresses

    async def fetch_all(self, *values: Any) -> set[str]:
        """Fetch every address in the SDK's structures *values*, and every file that a playlist among them names."""
        found = {url for value in values for url in addresses(json.loads(value.to_json_string()))}
        waiting = sorted(found)
        while waiting:
            url = waiting.pop()
            kind, body = await fetch(self.session, url)
            if kind == "application/vnd.apple.mpegurl":
                named = {line for line in body.decode().splitlines() if line and not line.startswith("#")}
                waiting += [urljoin(url, one) for one in sorted(named)[:3]]
        return found

    async def status(self, url: str) -> int:
        async with self.session.get(url) as response:
            return response.status


Upload = Callable[[Journey], Any]
UPLOADS: dict[str, Upload] = {
    "server": Journey.upload_by_server,
    "browser": Journey.upload_by_browser,
    "address": Journey.upload_by_address,
}
