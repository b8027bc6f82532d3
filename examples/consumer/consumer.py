"""A small application that collects the pictures of snapshot tasks: pushed to it, or pulled by it.

python consumer.py        # serves /callback on port 8080, and pulls where TENCENT_SECRET_ID is given
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiohttp import web
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.vod.v20180717 import models
from tencentcloud.vod.v20180717.vod_client_async import VodClient

log = logging.getLogger("consumer")


class Snapshots:
    """The pictures of each task. An event may come more than once; only the first one counts."""

    def __init__(self) -> None:
        self.pictures: dict[str, list[str]] = {}
        self.duplicates = 0

    def take(self, task_id: str, urls: list[str]) -> None:
        if task_id in self.pictures:
            self.duplicates += 1
        else:
            self.pictures[task_id] = urls


SNAPSHOTS = web.AppKey("SNAPSHOTS", Snapshots)


# --- normal callback: the service calls us


def create_app(snapshots: Snapshots) -> web.Application:
    app = web.Application()
    app[SNAPSHOTS] = snapshots
    app.router.add_post("/callback", callback)
    return app


async def callback(request: web.Request) -> web.Response:
    event = await request.json()
    task = event.get("SnapshotByTimeOffsetCompleteEvent")
    if task is not None:
        urls = [picture["Url"] for picture in task["SnapshotInfoSet"] if picture["ErrCode"] == 0]
        request.app[SNAPSHOTS].take(task["TaskId"], urls)
    return web.json_response({"code": 0})


# --- reliable callback: we ask the service


class Puller:
    """Pulls events and confirms those that were taken; the others come again half a minute later."""

    def __init__(self, take: Callable[[str, list[str]], None], client: VodClient) -> None:
        self._take = take
        self._client = client

    async def run(self) -> None:
        while True:
            try:
                answer = await self._client.PullEvents(models.PullEventsRequest())
                await self._confirm([event.EventHandle for event in answer.EventSet if self._took(event)])
            except TencentCloudSDKException as error:
                if error.code != "ResourceNotFound":  # which says that there was no event
                    log.warning("pulling failed: %s", error)
                    await asyncio.sleep(1)

    def _took(self, event: Any) -> bool:
        task = event.SnapshotByTimeOffsetCompleteEvent
        try:
            if task is not None:
                self._take(task.TaskId, [picture.Url for picture in task.SnapshotInfoSet if picture.ErrCode == 0])
        except Exception:
            log.exception("%s is left unconfirmed", event.EventHandle)
            return False
        return True

    async def _confirm(self, handles: list[str]) -> None:
        if handles:
            request = models.ConfirmEventsRequest()
            request.EventHandles = handles
            await self._client.ConfirmEvents(request)


@asynccontextmanager
async def pulling(
    take: Callable[[str, list[str]], None],
    secret_id: str,
    secret_key: str,
    *,
    endpoint: str = "vod.tencentcloudapi.com",
    protocol: str = "https",
) -> AsyncIterator[None]:
    """Pull for as long as the block lasts. *endpoint* and *protocol* lead to a mockvod, or to the real service."""
    profile = ClientProfile(httpProfile=HttpProfile(protocol=protocol, endpoint=endpoint))
    client = VodClient(Credential(secret_id, secret_key), "ap-guangzhou", profile)
    worker = asyncio.create_task(Puller(take, client).run())
    try:
        yield
    finally:
        worker.cancel()
        with suppress(asyncio.CancelledError):
            await worker
        await client.close()


def main() -> None:
    snapshots = Snapshots()
    app = create_app(snapshots)

    async def pull(_: web.Application) -> AsyncIterator[None]:
        async with pulling(
            snapshots.take,
            os.environ["TENCENT_SECRET_ID"],
            os.environ["TENCENT_SECRET_KEY"],
            endpoint=os.environ.get("VOD_ENDPOINT", "vod.tencentcloudapi.com"),
            protocol=os.environ.get("VOD_PROTOCOL", "https"),
        ):
            yield

    if "TENCENT_SECRET_ID" in os.environ:
        app.cleanup_ctx.append(pull)
    web.run_app(app, port=8080)


if __name__ == "__main__":
    main()
