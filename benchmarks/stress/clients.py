"""What the clients do: each act is one method of `Client`, and is chosen at random."""

import asyncio
import json
import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from aiohttp import ClientError, ClientSession, ClientTimeout

from benchmarks.stress.checks import lost
from mockvod.app import Running
from mockvod.engine.events import event_number
from mockvod.service.application import Application
from mockvod.service.world import Account

DECLARED: Final = ("AKIDa", "AKIDb", "AKIDc")
PASSING: Final = "AKIDpassing"
"""An account that is deleted and made again and again."""
APPLICATIONS: Final = (None, None, 7, 8)
PATIENCE: Final = 60.0
"""Real seconds after which a control call counts as one that hangs."""
HOLD: Final = 1.0
"""Real seconds after which a client gives up a call that a frozen clock may hold for ever."""
INJECTED: Final = "injected"
OVERTAKEN: Final = "while the call was under way"
SETTINGS: Final[tuple[dict[str, Any], ...]] = (
    {"visibility_timeout": 0.2},
    {"visibility_timeout": 3},
    {"callback_retries": 0},
    {"callback_retries": 2},
    {"callback_format": "2.0"},
    {"callback_format": "both"},
    {"callback_format": "3.0"},
    {"callback_concurrency": 1},
    {"callback_concurrency": 64},
    {"every": 0},
    {"every": 0.5},
    {"pull_in_push_mode": True},
    {"pull_in_push_mode": False},
    {"retention": 4},
    {"retention": 345_600},
    {"bad_handle": "refuse"},
    {"bad_handle": "skip"},
    {"profile": "sparse"},
)
FAULTS: Final[tuple[dict[str, Any], ...]] = (
    {"fault": "duplicate", "copies": 2},
    {"fault": "drop"},
    {"fault": "delay", "seconds": 1},
    {"fault": "reorder"},
    {"fault": "burst", "count": 4, "seconds": 1},
    {"fault": "stale-handle"},
    {"fault": "redeliver-early", "after": 1},
    {"fault": "lose-confirm"},
    {"fault": "empty-pull"},
    {"fault": "error", "code": "InternalError", "message": INJECTED},
    {"fault": "latency", "seconds": 0.2},
    {"fault": "reset"},
    {"fault": "truncated"},
    {"fault": "dribble", "seconds": 0.3},
    {"fault": "slow-sending", "seconds": 0.3},
    {"fault": "close-midway"},
    {"recipe": "flaky-network"},
    {"recipe": "duplicate-storm"},
    {"recipe": "out-of-order"},
)
RULES: Final[tuple[dict[str, Any], ...]] = ({"probability": 0.3}, {"first": 3}, {"every": 3})
CLOCK: Final[tuple[dict[str, Any], ...]] = (
    {"freeze": True},
    {"advance": 0},
    {"advance": 2.5},
    {"advance": 31},
    {"scale": 0.5},
    {"scale": 50},
    {"release": True},
    {"release": True},
)
VIEWS: Final = tuple("/stats /diagnosis /report /clock /journal /events /faults /config".split())
WAITS: Final[tuple[dict[str, Any], ...]] = (
    {"state": "confirmed", "timeout": 0.5, "since": 0},
    {"state": "delivered", "count": 1000, "timeout": 0.3},
    {"settled": True, "timeout": 1},
)
JOB: Final = {"SnapshotByTimeOffsetTaskSet": [{"Definition": 10, "TimeOffsetSet": [1000, 99_999_999]}]}


class Crowd:
    """What all clients share: the server, the events that were promised to them, and what went wrong."""

    def __init__(self, running: Running, session: ClientSession, chance: random.Random, urls: tuple[str, str]) -> None:
        self.running = running
        self.session = session
        self.chance = chance
        self.urls = urls
        self.handles: dict[tuple[str, int | None], list[str]] = defaultdict(list)
        self.promised: dict[Application, set[int]] = defaultdict(set)
        """The events whose emission was acknowledged, as long as nobody resets their application."""
        self.counts: Counter[str] = Counter()
        """How many acts of each kind there were, and how many calls of each status."""
        self.problems: list[str] = []

    def check_promises(self) -> None:
        """Look for every promised event, except those that were discarded with their application."""
        current = {one for account in self.running.world.accounts() for one in account.life.applications()}
        for application, promised in [*self.promised.items()]:
            if application in current:
                self.problems += lost(application, promised)
            else:
                del self.promised[application]

    @property
    def acts(self) -> int:
        """How many acts were begun."""
        return sum(self.counts[name] for name in WEIGHTS)

    async def control(
        self, method: str, path: str, body: Any = None, *, secret_id: str = "", patience: float = PATIENCE, **query: Any
    ) -> Any:
        """The response of the control API, whatever its status."""
        query = {name: str(value) for name, value in query.items() if value is not None}
        if secret_id:
            query["secret_id"] = secret_id
        url = f"{self.running.url}/mockvod/v1{path}"
        timeout = ClientTimeout(total=patience)
        async with self.session.request(method, url, params=query, json=body, timeout=timeout) as response:
            text = await response.read()
        self.counts[f"status {response.status}"] += 1
        if response.status >= 500:
            self.problems.append(f"{method} {path} {body}: {response.status} {text[:300]!r}")
        return json.loads(text)

    async def api(
        self, action: str, params: Mapping[str, Any], *, secret_id: str = "", patience: float = HOLD
    ) -> dict[str, Any]:
        """The inside of the response of API 3.0. Raises ValueError for one that a fault has spoilt."""
        headers = {"X-TC-Action": action, "X-TC-Version": "2018-07-17", "Content-Type": "application/json"}
        if secret_id:
            headers["X-TC-Timestamp"] = "1767225600"
            headers["Authorization"] = (
                f"TC3-HMAC-SHA256 Credential={secret_id}/2026-01-01/vod/tc3_request, SignedHeaders=content-type;host, "
                f"Signature={'0' * 64}"
            )
        timeout = ClientTimeout(total=patience)
        async with self.session.post(self.running.url, json=params, headers=headers, timeout=timeout) as response:
            inside: dict[str, Any] = json.loads(await response.read())["Response"]
        error = inside.get("Error", {})
        if (
            error.get("Code") == "InternalError"
            and error["Message"] != INJECTED
            and "call was under way" not in error["Message"]
        ):
            self.problems.append(f"{action} {params}: {error}")
        return inside


class Client:
    """One client of the crowd."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._chance = crowd.chance

    async def act(self) -> None:
        """Do one thing. A client that gives up, and a response that a fault has spoilt, are part of it."""
        name = self._chance.choice(ACTS)
        self._crowd.counts[name] += 1
        work: Callable[[], Awaitable[None]] = getattr(self, name)
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            await work()
        except (TimeoutError, ClientError, ValueError) as error:
            self._crowd.counts[f"broken off: {type(error).__name__}"] += 1
            if loop.time() - began >= PATIENCE:
                self._crowd.problems.append(f"{name} took longer than {PATIENCE:g} s")

    def _account(self) -> str:
        return self._chance.choice(("", *DECLARED, PASSING))

    def _application(self) -> int | None:
        return self._chance.choice(APPLICATIONS)

    def _patience(self, most: float) -> float:
        """Real seconds that a client waits for a response: *most*, or too few."""
        return self._chance.choice((most, most, 0.01 + self._chance.random() / 2))

    def _owner(self, secret_id: str) -> Account | None:
        """The account, as the control API finds it."""
        world = self._crowd.running.world
        return world.declared(secret_id) if secret_id else world.default

    async def emit(self) -> None:
        secret_id, sub_app_id = self._account(), self._application()
        account = self._owner(secret_id)
        application = None if account is None else account.life.application(sub_app_id)
        content = self._chance.choice(({}, {"delay": 2.5}, {"event_type": "NewFileUpload"}, {"time_offsets": [1, 2]}))
        body = {"count": self._chance.choice((1, 1, 3, 20)), **content}
        emitted = await self._crowd.control("POST", "/events", body, secret_id=secret_id, sub_app_id=sub_app_id)
        if "events" in emitted and application is not None and self._owner(secret_id) is account:
            numbers = [event_number(event["id"]) or 0 for event in emitted["events"]]
            self._crowd.promised[application].update(numbers)
            self._crowd.counts["events acknowledged"] += len(numbers)

    async def pull(self) -> None:
        secret_id, sub_app_id = self._account(), self._application()
        pulled = await self._crowd.api(
            "PullEvents", _named(sub_app_id), secret_id=secret_id, patience=self._patience(HOLD)
        )
        handles = [event["EventHandle"] for event in pulled.get("EventSet") or []]
        self._crowd.handles[secret_id, sub_app_id] += handles

    async def confirm(self) -> None:
        secret_id, sub_app_id = self._account(), self._application()
        known = self._crowd.handles[secret_id, sub_app_id]
        self._chance.shuffle(known)
        handles = [known.pop() for _ in range(min(len(known), self._chance.randint(1, 14)))]
        if handles and self._chance.random() < 0.2:
            handles += [handles[0], "123456789012345671"]
        if handles:
            await self._crowd.api("ConfirmEvents", {"EventHandles": handles, **_named(sub_app_id)}, secret_id=secret_id)

    async def choose_mode(self) -> None:
        receiver, closed = self._crowd.urls
        change = self._chance.choice(
            (
                {"Mode": "PULL"},
                {"Mode": "PUSH", "NotificationUrl": receiver},
                {"Mode": "PUSH", "NotificationUrl": closed},
                {"NotificationUrl": ""},
            )
        )
        params = {**change, **_named(self._application())}
        await self._crowd.api("ModifyEventConfig", params, secret_id=self._account())

    async def configure(self) -> None:
        await self._crowd.control("PATCH", "/config", self._chance.choice(SETTINGS), secret_id=self._account())

    async def move_clock(self) -> None:
        change = self._chance.choice(CLOCK)
        await self._crowd.control(
            "POST", "/clock", change, secret_id=self._account(), patience=self._patience(PATIENCE)
        )

    async def move_clock_from_three_sides(self) -> None:
        secret_id = self._account()
        last = self._chance.choice(({"release": True}, {"freeze": True}, {"scale": 2}))
        moves = (
            self._crowd.control("POST", "/clock", one, secret_id=secret_id)
            for one in ({"advance": 10}, {"advance": 3}, last)
        )
        await asyncio.gather(*moves)

    async def inject(self) -> None:
        secret_id = self._account()
        if self._chance.random() < 0.4:
            await self._crowd.control("DELETE", "/faults", secret_id=secret_id)
            return
        fault = self._chance.choice(FAULTS)
        body = fault if "recipe" in fault else {**fault, "when": self._chance.choice(RULES)}
        await self._crowd.control("POST", "/faults", body, secret_id=secret_id)

    async def redeliver(self) -> None:
        secret_id = self._account()
        listed = await self._crowd.control("GET", "/events", secret_id=secret_id, limit=20, order="newest")
        for event in listed.get("events", [])[-1:]:
            await self._crowd.control("POST", f"/events/{event['id']}/redeliver", secret_id=secret_id)

    async def process(self) -> None:
        notify = self._chance.choice(("Finish", "Change", "None"))
        params = {"FileId": "1", "TasksNotifyMode": notify, "MediaProcessTask": JOB, **_named(self._application())}
        await self._crowd.api("ProcessMedia", params, secret_id=self._account())

    async def look(self) -> None:
        await self._crowd.control("GET", self._chance.choice(VIEWS), secret_id=self._account())

    async def wait(self) -> None:
        body = self._chance.choice(WAITS)
        await self._crowd.control("POST", "/wait", body, secret_id=self._account(), patience=self._patience(PATIENCE))

    async def follow(self) -> None:
        url = f"{self._crowd.running.url}/mockvod/v1/journal"
        async with self._crowd.session.get(url, headers={"Accept": "text/event-stream"}) as response:
            async with asyncio.timeout(self._chance.random()):
                while await response.content.read(4096):
                    pass

    async def apply_scenario(self) -> None:
        await self._crowd.control("PUT", "/scenario", {"events": [{"at": 1, "count": 3, "every": 1}]})

    async def reset(self) -> None:
        self._crowd.check_promises()
        await self._crowd.control("POST", "/reset", secret_id=self._account(), sub_app_id=self._application())

    async def reset_everything(self) -> None:
        self._crowd.check_promises()
        if self._chance.random() < 0.05:
            await self._crowd.control("POST", "/reset")

    async def replace_account(self) -> None:
        await self._crowd.control("DELETE", f"/accounts/{PASSING}")
        body = {"secret_id": PASSING, "frozen": self._chance.random() < 0.3}
        await self._crowd.control("POST", "/accounts", body)


WEIGHTS: Final = {
    "emit": 10,
    "pull": 12,
    "confirm": 8,
    "choose_mode": 3,
    "configure": 3,
    "move_clock": 4,
    "move_clock_from_three_sides": 1,
    "inject": 2,
    "redeliver": 2,
    "process": 2,
    "look": 2,
    "wait": 2,
    "follow": 1,
    "apply_scenario": 1,
    "reset": 1,
    "reset_everything": 1,
    "replace_account": 1,
}
ACTS: Final = tuple(name for name, weight in WEIGHTS.items() for _ in range(weight))


def _named(sub_app_id: int | None) -> dict[str, int]:
    return {} if sub_app_id is None else {"SubAppId": sub_app_id}
