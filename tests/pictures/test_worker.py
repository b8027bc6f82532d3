"""Threads of the pictures: time limits, results, the end."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from mockvod.pictures.worker import TookTooLong, Worker, WorkerClosed


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker(1)
    yield worker
    worker.close()


async def test_a_job_gives_its_result_or_raises_its_error(worker: Worker) -> None:
    assert await worker.run(lambda _: threading.current_thread().daemon) is True
    with pytest.raises(ZeroDivisionError):
        await worker.run(lambda _: 1 / 0)


async def test_a_job_that_takes_too_long_is_stopped(worker: Worker) -> None:
    with pytest.raises(TookTooLong, match=r"longer than 0\.01 s"):
        await worker.run(lambda stop: stop.wait(), seconds=0.01)
    assert await worker.run(lambda _: "next") == "next"  # the thread is free again


async def test_a_queued_job_does_not_start_after_its_caller_has_gone(worker: Worker) -> None:
    gate, begun = threading.Event(), list[str]()
    first = asyncio.create_task(worker.run(lambda _: gate.wait()))
    second = asyncio.create_task(worker.run(lambda _: begun.append("second")))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    gate.set()
    await first
    await worker.run(lambda _: begun.append("third"))
    assert begun == ["third"]


async def test_a_closed_worker_runs_nothing(worker: Worker) -> None:
    worker.close()
    with pytest.raises(WorkerClosed):
        await worker.run(lambda _: None)
