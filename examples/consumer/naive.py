"""The application of consumer.py as one writes it at first. Do not copy from here: every comment names a mistake.

Each works in an orderly world and breaks in production; test_naive.py shows how the report of mockvod finds it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from aiohttp import web
from httpx import TimeoutException
from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.vod.v20180717 import models
from tencentcloud.vod.v20180717.vod_client_async import VodClient

Work = Callable[[], Awaitable[None]]


async def no_work() -> None:
    pass


class Pictures:
    """The pictures of each task, as a table with a unique key would keep them, and how many are paid for."""

    def __init__(self) -> None:
        self.of_task: dict[str, list[str]] = {}
        self.paid = 0

    def take(self, task_id: str, urls: list[str]) -> None:
        self.paid += len(urls)  # before it is known whether the event has come before: a duplicate is paid for twice
        if task_id in self.of_task:
            raise KeyError(f"duplicate key: {task_id}")  # so that the duplicate is answered with a failure, too
        self.of_task[task_id] = urls


# --- normal callback

PICTURES = web.AppKey("PICTURES", Pictures)
WORK: web.AppKey[Work] = web.AppKey("WORK")


def create_app(pictures: Pictures, work: Work = no_work) -> web.Application:
    """*work* is what takes its time: storing the pictures somewhere, calling somebody else."""
    app = web.Application()
    app[PICTURES] = pictures
    app[WORK] = work
    app.router.add_post("/callback", callback)
    return app


async def callback(request: web.Request) -> web.Response:
    event = await request.json()  # Sign is not checked: anybody may have sent it
    task = event["SnapshotByTimeOffsetCompleteEvent"]
    task_id = task["TaskId"]  # any other EventType ends here, in status 500
    await request.app[WORK]()  # before the answer, which is waited for for 5 s
    request.app[PICTURES].take(task_id, [picture["Url"] for picture in task["SnapshotInfoSet"]])
    return web.json_response({"code": 0})


# --- reliable callback


async def pull(pictures: Pictures, client: VodClient, work: Work) -> None:
    """Gives up at the first error, the refusal of a call as well as an event that it cannot take."""
    while True:
        try:
            answer = await client.PullEvents(models.PullEventsRequest())
        except TimeoutException:
            continue  # as if nothing were wrong with its time-out
        for event in answer.EventSet:
            task = event.SnapshotByTimeOffsetCompleteEvent
            pictures.take(task.TaskId, [picture.Url for picture in task.SnapshotInfoSet])
        await work()  # before the confirm, while the lease runs
        request = models.ConfirmEventsRequest()
        request.EventHandles = [event.EventHandle for event in answer.EventSet]  # all at once, or none of them
        await client.ConfirmEvents(request)


@asynccontextmanager
async def pulling(
    pictures: Pictures,
    secret_id: str,
    secret_key: str,
    *,
    endpoint: str,
    patience: float = 5,
    work: Work = no_work,
) -> AsyncIterator["asyncio.Task[None]"]:
    """Pull for as long as the block lasts, or until the first error. *patience* is as long as PullEvents is held."""
    profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=endpoint, reqTimeout=patience))
    client = VodClient(Credential(secret_id, secret_key), "ap-guangzhou", profile)
    worker = asyncio.create_task(pull(pictures, client, work))
    try:
        yield worker
    finally:
        worker.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await worker
        await client.close()
