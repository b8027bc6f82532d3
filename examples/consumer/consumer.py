"""A small application that collects the pictures of snapshot tasks: pushed to it, or pulled by it.

python consumer.py        # serves /callback on port 8080, and pulls where TENCENT_SECRET_ID is given
"""

import asyncio
import hmac
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from hashlib import md5
from typing import Any

from aiohttp import web
from httpx import TransportError
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
SIGN_KEY = web.AppKey("SIGN_KEY", str)


# --- normal callback: the service calls us


def create_app(snapshots: Snapshots, sign_key: str = "") -> web.Application:
    app = web.Application()
    app[SNAPSHOTS] = snapshots
    app[SIGN_KEY] = sign_key
    app.router.add_post("/callback", callback)
    return app


async def callback(request: web.Request) -> web.Response:
    try:
        event = await request.json()
    except ValueError:
        raise web.HTTPBadRequest(text="the body is no JSON") from None
    if not genuine(event, request.app[SIGN_KEY]):
        raise web.HTTPForbidden(text="the signature is wrong, or its time is over")
    task = event.get("SnapshotByTimeOffsetCompleteEvent")
    if task is not None:
        urls = [picture["Url"] for picture in task["SnapshotInfoSet"] if picture["ErrCode"] == 0]
        request.app[SNAPSHOTS].take(task["TaskId"], urls)
    return web.json_response({"code": 0})


def genuine(event: Mapping[str, Any], sign_key: str) -> bool:
    """Whether the service has signed the event, and lately. Without a SignKey there is nothing to check."""
    if not sign_key:
        return True
    sign, until = str(event.get("Sign", "")), str(event.get("T", ""))
    if not until.isdigit() or int(until) < time.time():
        return False
    return hmac.compare_digest(sign.encode(), md5(f"{sign_key}{until}".encode()).hexdigest().encode())


# --- reliable callback: we ask the service


Sleep = Callable[[float], Awaitable[Any]]


class Puller:
    """Pulls events and confirms those that were taken; the others come again half a minute later."""

    def __init__(self, take: Callable[[str, list[str]], None], client: VodClient, sleep: Sleep) -> None:
        self._take = take
        self._client = client
        self._sleep = sleep

    async def run(self) -> None:
        while True:
            try:
                answer = await self._client.PullEvents(models.PullEventsRequest())
                await self._confirm([event.EventHandle for event in answer.EventSet if self._took(event)])
            except (TencentCloudSDKException, TransportError, ValueError) as error:  # the last: an answer cut short
                if getattr(error, "code", "") != "ResourceNotFound":  # which says that there was no event
                    log.warning("pulling failed: %r", error)
                    await self._sleep(1)

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
        """Confirm, and once more where the answer got lost: to do so twice does no harm."""
        if not handles:
            return
        request = models.ConfirmEventsRequest()
        request.EventHandles = handles
        try:
            await self._client.ConfirmEvents(request)
        except (TencentCloudSDKException, TransportError, ValueError) as error:
            log.warning("confirming failed: %r", error)
            await self._sleep(1)
            await self._client.ConfirmEvents(request)


@asynccontextmanager
async def pulling(
    take: Callable[[str, list[str]], None],
    secret_id: str,
    secret_key: str,
    *,
    endpoint: str = "vod.tencentcloudapi.com",
    protocol: str = "https",
    sleep: Sleep = asyncio.sleep,
) -> AsyncIterator[None]:
    """Pull for as long as the block lasts. *endpoint* and *protocol* lead to a mockvod, or to the real service."""
    # PullEvents is held for up to 5 s: who hangs up earlier, or just then, asks for nothing.
    profile = ClientProfile(httpProfile=HttpProfile(protocol=protocol, endpoint=endpoint, reqTimeout=10))
    client = VodClient(Credential(secret_id, secret_key), "ap-guangzhou", profile)
    worker = asyncio.create_task(Puller(take, client, sleep).run())
    try:
        yield
    finally:
        worker.cancel()
        with suppress(asyncio.CancelledError):
            await worker
        await client.close()


def main() -> None:
    snapshots = Snapshots()
    app = create_app(snapshots, os.environ.get("VOD_SIGN_KEY", ""))

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
