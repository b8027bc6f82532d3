"""The storm itself: a server and its clients in one event loop, the end of everything, and the verdict."""

import asyncio
import logging
import random
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import ClientSession, TCPConnector

from benchmarks.stress.checks import recounted, unfinished
from benchmarks.stress.clients import DECLARED, PASSING, Client, Crowd
from benchmarks.stress.receivers import receiving
from mockvod.app import serving
from mockvod.service.world import Account
from mockvod.settings import Settings

SETTINGS: Final[dict[str, Any]] = {
    "port": 0,
    "auth": "off",
    "poll_hold": 0.5,
    "visibility_timeout": 3,
    "settle_grace": 0.05,
    "callback_timeout": 1,
    "callback_pause": 0.2,
    "task_duration": 0.5,
    # Nothing is evicted, so that everything can be recounted.
    "history_events": 10**7,
    "history_bytes": 2**40,
    "journal_entries": 10**7,
    "journal_bytes": 2**40,
}
CALM: Final = {
    "every": 0,
    "retention": 345_600,
    "callback_retries": 0,
    "bad_handle": "skip",
    "pull_in_push_mode": False,
    "poll_hold": 0,
}
EXPECTED: Final = ("PullEvents found nothing", "the clock is frozen", "the clock runs")
"""What is in warnings that such clients bring about."""
ROUNDS: Final = 20
"""How often the clock of an account is moved until all of its events have ended."""


@dataclass(slots=True)
class Verdict:
    """What a storm showed."""

    counts: Counter[str]
    """Acts by name, responses by status, calls that were broken off, and `slow callbacks` of asyncio's debug mode."""
    promised: int = 0
    """Events that were acknowledged and not discarded before the end. Those discarded earlier were looked for, too."""
    ended: int = 0
    """Events in a terminal state at the end."""
    problems: list[str] = field(default_factory=list)


class _Listener(logging.Handler):
    """Notes every warning that is not expected, with its traceback."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(logging.WARNING)
        self._verdict = verdict

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if record.name == "asyncio" and message.startswith("Executing"):
            self._verdict.counts["slow callbacks"] += 1
        elif not any(text in message for text in EXPECTED):
            trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
            self._verdict.problems.append(f"log: {message[:300]} {trace[-2000:]}".strip())


async def storm(seed: int, *, clients: int, until: Callable[[Crowd], bool]) -> Verdict:
    """Let *clients* act until *until* returns True; then end everything, and recount."""
    verdict = Verdict(Counter())
    listener = _Listener(verdict)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(
        lambda _, context: verdict.problems.append(f"loop: {context.get('message')} {context.get('exception')!r}")
    )
    logging.getLogger().addHandler(listener)
    logging.captureWarnings(capture=True)
    try:
        others = asyncio.all_tasks()
        await _storm(seed, clients, until, verdict)
        verdict.problems += [f"left behind: {task!r}" for task in asyncio.all_tasks() - others if not task.done()]
    finally:
        logging.captureWarnings(capture=False)
        logging.getLogger().removeHandler(listener)
        loop.set_exception_handler(None)
    return verdict


async def _storm(seed: int, clients: int, until: Callable[[Crowd], bool], verdict: Verdict) -> None:
    chance = random.Random(seed)
    async with (
        receiving(chance) as urls,
        serving(Settings(**SETTINGS, seed=seed)) as running,
        ClientSession(connector=TCPConnector(limit=0)) as session,
    ):
        crowd = Crowd(running, session, chance, urls)
        for secret_id in (*DECLARED, PASSING):
            await crowd.control("POST", "/accounts", {"secret_id": secret_id, "frozen": secret_id == DECLARED[0]})

        async def act(client: Client) -> None:
            while not until(crowd):
                await client.act()
                await asyncio.sleep(chance.random() * 0.05)

        async with asyncio.TaskGroup() as group:
            for _ in range(clients):
                group.create_task(act(Client(crowd)))
        accounts = running.world.accounts()
        verdict.problems += [problem for account in accounts for problem in recounted(account)]
        for account in accounts:
            await _finish(crowd, account)
            verdict.problems += [*recounted(account), *unfinished(account)]
            verdict.ended += len(account.life.events)
        crowd.check_promises()
        verdict.promised = sum(map(len, crowd.promised.values()))
        verdict.counts += crowd.counts
        verdict.problems += crowd.problems


async def _finish(crowd: Crowd, account: Account) -> None:
    """Remove what disturbs, and pull, confirm or time out every event that *account* has left."""
    secret_id = account.secret_id
    await crowd.control("DELETE", "/faults", secret_id=secret_id)
    await crowd.control("PATCH", "/config", CALM, secret_id=secret_id)
    await crowd.control("POST", "/clock", {"release": True}, secret_id=secret_id)
    for application in account.life.applications():
        change = {"mode": "PULL"}
        await crowd.control("PATCH", "/config", change, secret_id=secret_id, sub_app_id=application.sub_app_id)
    for _ in range(ROUNDS):
        await crowd.control("POST", "/clock", {"advance": 100}, secret_id=secret_id)
        for application in account.life.applications():
            params = {} if application.sub_app_id is None else {"SubAppId": application.sub_app_id}
            while pulled := (await crowd.api("PullEvents", params, secret_id=secret_id)).get("EventSet"):
                handles = [event["EventHandle"] for event in pulled]
                await crowd.api("ConfirmEvents", {"EventHandles": handles, **params}, secret_id=secret_id)
        if not any(unfinished(account)):
            return
