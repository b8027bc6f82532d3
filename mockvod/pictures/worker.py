"""Threads for drawing and for reading video files. They do not delay the end of the process."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")

THREADS: Final = 2  # a drawing holds its picture uncompressed several times
SECONDS: Final = 10.0
IMPORT_SECONDS: Final = 60.0


class TookTooLong(Exception):
    """A job did not end within its time limit."""


class WorkerClosed(Exception):
    """The worker was closed before a job ended."""


class Job(Generic[T]):
    """A function that is waiting for a thread, is running, or has ended; `future` becomes its result.

    The function receives an event that is set when no caller waits for it any more: it should then return.
    """

    def __init__(self, function: Callable[[threading.Event], T], seconds: float) -> None:
        self.future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._function = function
        self._seconds = seconds
        self._stop = threading.Event()
        self._begun = False
        self._lock = threading.Lock()
        self._timer: asyncio.TimerHandle | None = None

    def discard(self) -> bool:
        """Cancel the job if it has not begun; returns whether it was cancelled."""
        with self._lock:
            if self._begun:
                return False
            self._stop.set()
        return self.future.cancel()

    def fail(self, error: Exception) -> None:
        """End the job with *error*, wherever it is."""
        self._stop.set()
        self._end(error=error)

    def run(self) -> None:
        """Run the function. Called in a thread."""
        with self._lock:
            if self._stop.is_set():
                return
            self._begun = True
        self._call_in_loop(self._start_timer)
        try:
            result = self._function(self._stop)
        except Exception as error:  # noqa: BLE001 - raised where the result is awaited
            self._call_in_loop(self._end, None, error)
        else:
            self._call_in_loop(self._end, result)

    def _call_in_loop(self, call: Callable[..., None], *args: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed
            self.future.get_loop().call_soon_threadsafe(call, *args)

    def _start_timer(self) -> None:
        if not self.future.done():
            error = TookTooLong(f"it took longer than {self._seconds:g} s")
            self._timer = self.future.get_loop().call_later(self._seconds, self.fail, error)

    def _end(self, result: T | None = None, error: Exception | None = None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self.future.done():
            return
        if error is None:
            self.future.set_result(result)  # type: ignore[arg-type]  # None only if T is
        else:
            self.future.set_exception(error)
            self.future.exception()  # marks it as retrieved: perhaps no caller waits


class Worker:
    """Runs jobs in a few threads, each started when it is first needed."""

    def __init__(self, threads: int = THREADS) -> None:
        self._threads = threads
        self._started = 0
        self._queue: SimpleQueue[Job[Any] | None] = SimpleQueue()
        self._jobs: set[Job[Any]] = set()
        self._closed = False

    def submit(self, function: Callable[[threading.Event], T], *, seconds: float = SECONDS) -> Job[T]:
        """Run *function* in a thread, for *seconds* of real time at most. Its future may raise TookTooLong."""
        job = Job(function, seconds)
        if self._closed:
            job.fail(WorkerClosed("the server is stopping"))
            return job
        self._jobs.add(job)
        job.future.add_done_callback(lambda _: self._jobs.discard(job))
        self._queue.put(job)
        if self._started < min(self._threads, len(self._jobs)):
            self._started += 1
            threading.Thread(target=self._work, name="mockvod-pictures", daemon=True).start()
        return job

    async def run(self, function: Callable[[threading.Event], T], *, seconds: float = SECONDS) -> T:
        """The result of *function*. Raises what it raises, TookTooLong, WorkerClosed."""
        job = self.submit(function, seconds=seconds)
        try:
            return await job.future
        finally:
            job.discard()

    def close(self) -> None:
        """End all jobs with WorkerClosed. Threads end with what they are doing, and are not waited for."""
        self._closed = True
        for job in list(self._jobs):
            job.fail(WorkerClosed("the server is stopping"))
        for _ in range(self._started):
            self._queue.put(None)

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            job.run()
