"""Two hundred accounts in one server, all at once, that must not see each other."""

import asyncio
from typing import Any, TypeVar

from aiohttp import ClientSession

from mockvod.app import Running
from mockvod.testing import AsyncAccount, AsyncClient, Config
from tests.support import Receiver

C = TypeVar("C", bound=AsyncClient)

ACCOUNTS = 200
PULLED, PUSHED = 3, 2
PUSHING = 2
"""SubAppId of the application that each account is pushed events for."""


class Tenant:
    """One account, and an application that signs with its SecretId. All that is its own is named after its number."""

    def __init__(self, number: int, running: Running, session: ClientSession) -> None:
        self.number = number
        self.url = running.url
        self.session = session

    @property
    def file_id(self) -> str:
        return f"file{self.number}"

    async def begin(self, callback_url: str) -> None:
        server = self._client(AsyncClient(self.url))
        # The clock must not run past a receiver that is only slow, which would be tried again then.
        config: Config = {"auth": "off", "settle_grace": 60}
        info = await server.make_account(seed=self.number, frozen=True, config=config)
        self.account = self._client(AsyncAccount(self.url, info))
        self.pushing = self._client(AsyncClient(self.url, secret_id=info.secret_id, sub_app_id=PUSHING))
        await self.pushing.config(callback_url=f"{callback_url}/{self.number}")
        self.started_at = (await self.account.clock()).now

    def _client(self, client: C) -> C:
        client._session = self.session  # one for all: two hundred of them would use up the sockets
        return client

    async def call(self, action: str, **params: Any) -> dict[str, Any]:
        query = {"Action": action, "Version": "2018-07-17", "SecretId": self.account.secret_id, **params}
        signed = {"Timestamp": "1", "Nonce": "1", "Signature": "unchecked"}
        async with self.session.get(self.url, params=query | signed) as response:
            answer: dict[str, Any] = (await response.json())["Response"]
            return answer

    async def pull(self) -> list[str]:
        """The handles of what lies there, which is all its own."""
        events = (await self.call("PullEvents"))["EventSet"]
        assert {event["SnapshotByTimeOffsetCompleteEvent"]["FileId"] for event in events} == {self.file_id}
        return [event["EventHandle"] for event in events]

    async def live(self) -> None:
        pulled = await self.account.emit(count=PULLED, file_id=self.file_id)
        pushed = await self.pushing.emit(count=PUSHED, file_id=self.file_id)
        first = await self.pull()
        await self.account.clock.advance(30.1)
        second = await self.pull()
        assert len(first) == len(second) == PULLED
        assert not set(first) & set(second)
        assert (await self.call("ConfirmEvents", **{"EventHandles.0": first[0]}))["Error"]
        await self.call("ConfirmEvents", **{f"EventHandles.{place}": one for place, one in enumerate(second)})
        await self.account.clock.advance(self.number)
        await self.account.wait_for("confirmed", count=PULLED)
        await self.account.wait_for("delivered", count=PUSHED)
        self.events = [event.id for event in pulled + pushed]

    async def check(self) -> None:
        """What is to be seen of the account when all is over: its own, and all of it."""
        events = await self.account.events()
        assert [(event.id, event.file_id) for event in events] == [(one, self.file_id) for one in self.events]
        assert sorted(event.state for event in events) == ["confirmed"] * PULLED + ["delivered"] * PUSHED
        clock = await self.account.clock()
        assert abs(clock.now - self.started_at - 30.1 - self.number) < 0.001, "its own seconds, and nobody else's"
        journal = await self.account.journal()
        assert {entry["event"] for entry in journal if entry.get("event")} == set(self.events)
        assert sum(entry["what"] == "leased" for entry in journal) == 2 * PULLED
        counts = (await self.account.stats())["counts"]
        assert {state: count for state, count in counts.items() if count} == {"confirmed": PULLED, "delivered": PUSHED}


async def test_two_hundred_accounts_at_once_do_not_see_each_other(
    running: Running, session: ClientSession, receiver: Receiver
) -> None:
    tenants = [Tenant(number, running, session) for number in range(ACCOUNTS)]
    await asyncio.gather(*(tenant.begin(receiver.url) for tenant in tenants))
    assert len({tenant.account.secret_id for tenant in tenants}) == ACCOUNTS

    await asyncio.gather(*(tenant.live() for tenant in tenants))

    received = [(one.path, one.event["SnapshotByTimeOffsetCompleteEvent"]["FileId"]) for one in receiver.received]
    assert sorted(received) == sorted((f"/callback/{one.number}", one.file_id) for one in tenants * PUSHED)
    # Half of them end while the others are looked at.
    halves = tenants[::2], tenants[1::2]
    ending = [one.account.delete_account(one.account.secret_id) for one in halves[0]]
    await asyncio.gather(*ending, *(one.check() for one in halves[1]))

    left = {account.secret_id for account in await tenants[0].account.accounts()}
    assert left == {"", *(one.account.secret_id for one in halves[1])}
    assert (await halves[0][0].call("PullEvents"))["Error"]["Code"].startswith("AuthFailure")
    assert len(running.world.default.life.events) == 0
