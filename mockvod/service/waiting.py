"""Waiting for events to reach a state, and saying why they do not."""

import asyncio
from collections.abc import Collection, Coroutine, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from mockvod.engine.events import STATE_AFTER, Event, State, event_id
from mockvod.engine.journal import Entry
from mockvod.engine.push import Attempt
from mockvod.service.world import Account

Result = TypeVar("Result")

PUSHED: Final[frozenset[State]] = frozenset({"delivering", "delivered"})
PULLED: Final[frozenset[State]] = frozenset({"queued", "leased", "confirmed"})


class LifeEnded(Exception):
    """The account ended while somebody waited in it."""


async def unless_closed(account: Account, work: Coroutine[Any, Any, Result]) -> Result:
    """What *work* returns. Raises LifeEnded if the account ends before, and ends *work*."""
    tasks = (asyncio.create_task(work), asyncio.create_task(account.closed.wait()))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if tasks[0].done():
            return tasks[0].result()
        raise LifeEnded
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class Pattern:
    """Which events are meant; what is None does not matter."""

    number: int | None = None
    sub_app_id: int | None = None
    any_application: bool = True
    event_type: str | None = None
    task_id: str | None = None
    file_id: str | None = None

    def fits(self, event: Event) -> bool:
        if self.number is not None and event.number != self.number:
            return False
        if not self.any_application and event.sub_app_id != self.sub_app_id:
            return False
        if self.event_type is not None and event.event_type != self.event_type:
            return False
        if self.task_id is None and self.file_id is None:
            return True
        return self._carried(event)

    def _carried(self, event: Event) -> bool:
        # Most events of a full queue are ruled out by their bytes, without reading them.
        for wanted in (self.task_id, self.file_id):
            if wanted is not None and wanted.isascii() and wanted.isalnum() and wanted.encode() not in event.tail:
                return False
        structure = event.structure()
        return (self.task_id is None or structure.get("TaskId") == self.task_id) and (
            self.file_id is None or structure.get("FileId") == self.file_id
        )

    def words(self) -> str:
        """What is asked for, as a message says it."""
        named = {
            "id": None if self.number is None else event_id(self.number),
            "task_id": self.task_id,
            "file_id": self.file_id,
            "event_type": self.event_type,
        }
        words = [f"{name} {value}" for name, value in named.items() if value is not None]
        if not self.any_application:
            words.append(f"application {self.sub_app_id or 'default'}")
        return ", ".join(words) or "any event"


class Wait:
    """Looks out for *count* events of a pattern that have come into one of some states, at any time after *since*.

    What happened before the call counts, too: an event that was leased and is confirmed by now has been leased.
    """

    def __init__(
        self, account: Account, pattern: Pattern, states: Collection[State], count: int = 1, since: int = 0
    ) -> None:
        self.account = account
        self.pattern = pattern
        self.states = frozenset(states)
        self._count = count
        self.since = since
        self._enough: asyncio.Future[None] | None = None
        self._reached: dict[int, Event] = {}

    async def reached(self, seconds: float) -> list[Event] | None:
        """The events, once there are enough; None when *seconds* of real time have passed before."""
        for event in self.account.events:
            if self.pattern.fits(event) and self._was_there(event):
                self._reached[event.number] = event
                if len(self._reached) == self._count:
                    return self._events()
        self._enough = asyncio.get_running_loop().create_future()
        stop_listening = self.account.journal.listen(self._listen)
        try:
            # Real time: it bounds how long a test may take, whatever its clock does.
            async with asyncio.timeout(seconds):
                await self._enough
        except TimeoutError:
            return None
        finally:
            stop_listening()
        return self._events()

    def _events(self) -> list[Event]:
        return list(self._reached.values())

    def _was_there(self, event: Event) -> bool:
        entry = event.last
        while entry is not None and entry.seq > self.since:
            if STATE_AFTER.get(entry.what) in self.states:
                return True
            entry = entry.before
        return False

    def _listen(self, entry: Entry) -> None:
        if entry.event is None or STATE_AFTER.get(entry.what) not in self.states or entry.event in self._reached:
            return
        event = self.account.events.find(entry.event)
        if event is None or not self.pattern.fits(event):
            return
        self._reached[event.number] = event
        if len(self._reached) >= self._count and self._enough is not None and not self._enough.done():
            self._enough.set_result(None)

    def candidates(self) -> list[Event]:
        """Events that fit the pattern but have not come into one of the states."""
        return [e for e in self.account.events if e.number not in self._reached and self.pattern.fits(e)]

    @property
    def found(self) -> int:
        return len(self._reached)


async def settled(account: Account, *, quiet: float, seconds: float) -> bool:
    """Return True once nothing more happens by itself, False when *seconds* of real time have passed before.

    While the clock is frozen that is exact: nobody works on anything, what is still to come waits for a later moment.
    While it runs, nothing may be on its way and *quiet* real seconds must pass without an entry in the journal.
    """
    try:
        async with asyncio.timeout(seconds):
            while True:
                await account.clock.settle()
                if account.clock.rate == 0:
                    return True
                if await _silent(account, quiet) and not any(a.deliveries.under_way for a in account.applications()):
                    return True
    except TimeoutError:
        return False


async def _silent(account: Account, quiet: float) -> bool:
    heard = asyncio.get_running_loop().create_future()

    def listen(_: Entry) -> None:
        if not heard.done():
            heard.set_result(None)

    stop_listening = account.journal.listen(listen)
    try:
        await asyncio.wait([heard], timeout=quiet)
    finally:
        stop_listening()
    return not heard.done()


def reasons(looking: Wait, candidates: Sequence[Event]) -> Iterator[str]:
    """Why not enough events have come into one of the states, the likeliest reason first."""
    if candidates:
        yield _what_keeps(candidates[0], looking)
    elif looking.found:
        yield "there was no other event that fits"
    else:
        yield from _nothing_there(looking.account, looking.pattern)


def _what_keeps(event: Event, looking: Wait) -> str:
    """What keeps *event* from coming into one of the states."""
    application = looking.account.application(event.sub_app_id)
    states, mode = looking.states, application.mode
    frozen = looking.account.clock.rate == 0
    if event.state in states:
        return f"{event.id} was {event.state} before entry {looking.since} of the journal already"
    if event.state == "failed":
        return f"{event.id} failed: {_last_reason(event)}"
    if event.state == "scheduled":
        return f"{event.id} is scheduled for a later moment of the clock{', which is frozen' if frozen else ''}"
    if event.state == "delivering":
        stopped = "; no time-out or retry comes from a frozen clock" if frozen else ""
        return f"{event.id} is being delivered, {_attempts(event)}{stopped}"
    if mode == "PULL" and PUSHED & states:
        return f"the mode of {application.name} is PULL: give it a callback URL or mode PUSH to have events pushed"
    if mode == "PUSH" and PULLED & states:
        return f"the mode of {application.name} is PUSH: its events are pushed, and PullEvents finds none"
    if event.state == "queued":
        return f"{event.id} lies in the queue of {application.name}; {_who_pulled(event)}"
    if event.state == "leased":
        stopped = "; the clock is frozen, so its lease does not end" if frozen else ""
        return f"{event.id} was pulled but not confirmed{stopped}"
    return f"{event.id} is {event.state}"


def _nothing_there(account: Account, pattern: Pattern) -> Iterator[str]:
    if sum(account.events.counts.values()):
        yield f"no event of {account.name} fits {pattern.words()}"
        if account.events.evicted:
            yield f"{account.events.evicted} of its events were over and are forgotten (history-events, history-bytes)"
    else:
        yield f"{account.name} has had no event since it was made or reset"
    anywhere = replace(pattern, any_application=True)
    if not pattern.any_application:
        here = {account.application(event.sub_app_id).name for event in account.events if anywhere.fits(event)}
        if here:
            yield f"events that fit are in {_some(sorted(here))}: is the call meant for it (sub_app_id)?"
    others = [
        one.name for one in account.world.accounts() if one is not account and any(map(anywhere.fits, one.events))
    ]
    if others:
        yield f"events that fit are in {_some(others)}: is the call meant for another account (secret_id)?"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _attempts(event: Event) -> str:
    attempts = [entry.detail for entry in event.timeline() if isinstance(entry.detail, Attempt)]
    if not attempts:
        return "no attempt has ended"
    failed = "1 attempt" if len(attempts) == 1 else f"{len(attempts)} attempts"
    return f"{failed} failed so far, the last with {attempts[-1].outcome}"


def _last_reason(event: Event) -> str:
    detail = event.last.detail if event.last else None
    return str(detail.get("reason", "")) if isinstance(detail, dict) else ""


def _who_pulled(event: Event) -> str:
    leases = sum(entry.what == "leased" for entry in event.timeline())
    if not leases:
        return "nobody has pulled it"
    return f"it was pulled {'once' if leases == 1 else f'{leases} times'} and came back unconfirmed"
