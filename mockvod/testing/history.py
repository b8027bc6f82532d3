"""Checks at-least-once delivery: no event is lost, invented, or delivered twice without a reason.

`check` reads a journal, `check_record` an application's own record. Neither calls a server.
"""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

SHOWN: Final = 10
"""How many of each kind the text of a history lists."""

TERMINAL: Final = {"confirmed", "delivered", "failed", "expired", "dropped"}


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something notable about an event (or an id of the record), and the `seq` of the journal entry that shows it."""

    event: Hashable
    message: str
    seq: int | None = None

    def __str__(self) -> str:
        return f"{self.event}: {self.message}" + ("" if self.seq is None else f" (entry {self.seq})")


@dataclass(frozen=True, slots=True)
class History:
    """What became of every event.

    `ok` means at-least-once: nothing lost, unexpected or duplicated. An event that was given up for a stated reason
    (failed, expired, dropped by a fault) is not lost.
    """

    enqueued: int
    delivered: int
    """Events that reached a consumer at least once."""
    confirmed: int
    """Events that it acknowledged: by ConfirmEvents, or with a 2xx response."""
    lost: tuple[Oddity, ...] = ()
    """Neither delivered nor given up by the end."""
    unexpected: tuple[Oddity, ...] = ()
    """Delivered without having been enqueued, or impossible in the event's state."""
    duplicated: tuple[Oddity, ...] = ()
    """Delivered again without an expired lease, a failed attempt, a redelivery or a fault."""
    recovered: tuple[Oddity, ...] = ()
    """Delivered again for such a reason, then acknowledged."""
    given_up: tuple[Oddity, ...] = ()
    """Reached a terminal state without an acknowledgement, for a stated reason."""
    unfinished: tuple[Oddity, ...] = ()
    """Delivered but not acknowledged; with `drained=False` also not delivered yet."""

    @property
    def ok(self) -> bool:
        return not (self.lost or self.unexpected or self.duplicated)

    def assert_ok(self) -> None:
        """Raise AssertionError with the history as its message unless it is `ok`."""
        if not self.ok:
            raise AssertionError(str(self))

    def __str__(self) -> str:
        verdict = "at least once" if self.ok else "NOT at least once"
        lines = [f"{verdict}: {self.enqueued} enqueued, {self.delivered} delivered, {self.confirmed} confirmed"]
        for name in ("lost", "unexpected", "duplicated", "recovered", "given_up", "unfinished"):
            found: tuple[Oddity, ...] = getattr(self, name)
            if found:
                lines.append(f"{len(found)} {name.replace('_', ' ')}")
                lines += [f"  {one}" for one in found[:SHOWN]]
                lines += ["  …"] if len(found) > SHOWN else []
        return "\n".join(lines)


def check(journal: Iterable[Mapping[str, Any]], *, drained: bool = True) -> History:
    """The history in *journal*: entries in order, as `Client.journal` returns them.

    *drained* means that the consumer could have received everything: an event not delivered by now is lost. If the
    journal does not start with the account's first entry or a reset, events need not have been enqueued in it.
    """
    entries = list(journal)
    complete = not entries or entries[0]["seq"] == 1 or entries[0]["what"] == "reset"
    replay = _Replay(complete=complete)
    for entry in entries:
        replay.read(entry)
    return replay.history(drained=drained)


def check_record(
    enqueued: Iterable[Hashable],
    delivered: Iterable[Hashable],
    confirmed: Iterable[Hashable] = (),
    *,
    again: Mapping[Any, int] | Collection[Hashable] = (),
    drained: bool = True,
) -> History:
    """The history in an application's own record: each id once per enqueue, delivery and confirm.

    Ids can be anything, such as TaskIds. *again* is how often an id may have been delivered again (`may_come_again`
    counts that in a journal, by event id); ids in a plain collection may any number of times.
    """
    put, got, done = Counter(enqueued), Counter(delivered), Counter(confirmed)
    extra = {one: count - put[one] for one, count in got.items() if put[one] and count > put[one]}
    allowed = again if isinstance(again, Mapping) else {one: extra.get(one, 0) for one in again}
    excused = {one: count for one, count in extra.items() if count <= allowed.get(one, 0)}
    missing = tuple(Oddity(one, "was enqueued and never delivered") for one in put if one not in got)
    unexpected = [Oddity(one, "was delivered and never enqueued") for one in got if one not in put]
    unexpected += [Oddity(one, "was confirmed and never delivered") for one in done if one not in got]
    return History(
        enqueued=len(put),
        delivered=len(got.keys() & put.keys()),
        confirmed=len(done.keys() & put.keys()),
        lost=missing if drained else (),
        unexpected=tuple(unexpected),
        duplicated=tuple(
            Oddity(one, f"was delivered {got[one]} times, {allowed.get(one, 0)} more than once with a reason")
            for one in extra
            if one not in excused
        ),
        recovered=tuple(Oddity(one, f"was delivered {got[one]} times, and confirmed") for one in excused if done[one]),
        unfinished=(() if drained else missing)
        + tuple(Oddity(one, "was delivered but not confirmed") for one in got if done and put[one] and not done[one]),
    )


def may_come_again(journal: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """How often each event, by id, had a reason to be delivered again."""
    replay = _Replay(complete=False)
    for entry in journal:
        replay.read(entry)
    return Counter({event: one.reasons for event, one in replay.events.items() if one.reasons})


# --- reading a journal


@dataclass(slots=True)
class _Progress:
    """What the entries so far say about one event."""

    state: str = ""
    """A state of events, or `unknown`; empty before it was enqueued."""
    enqueued: bool = False
    handle: str = ""
    deliveries: int = 0
    acknowledged: bool = False
    reasons: int = 0
    """How often something happened after which it may be delivered again."""
    excuse: bool = False
    """Whether a fault applied to it since it reached its state."""
    why: str = ""
    """The latest of the reasons."""
    urls: set[str] = field(default_factory=set)
    """Callback URLs that responded 2xx in the current delivery."""

    def may_again(self, why: str) -> None:
        self.reasons += 1
        self.why = why


class _Replay:
    """Reads a journal entry by entry."""

    def __init__(self, *, complete: bool) -> None:
        self._complete = complete
        self.events: dict[str, _Progress] = {}
        self._handles: set[str] = set()
        self._duplicated: list[Oddity] = []
        self._unexpected: list[Oddity] = []
        self._recovered: list[Oddity] = []
        self._given_up: dict[str, Oddity] = {}

    def read(self, entry: Mapping[str, Any]) -> None:
        if entry["what"] == "reset":  # it discards what was before
            self.events.clear()
            self._given_up.clear()
            return
        event = entry.get("event")
        step = _STEPS.get(entry["what"])
        if event is None or step is None:
            return
        progress = self.events.get(event)
        if progress is None:
            progress = self.events[event] = _Progress()
            if not self._complete:
                progress.state, progress.enqueued = "unknown", True
        step(self, progress, entry)
        if entry["what"] != "fault":
            progress.excuse = False

    # One method for each thing that can happen to an event

    def _arrived(self, progress: _Progress, entry: Mapping[str, Any]) -> None:
        """It is enqueued: for the first time, or again by a redelivery or a fault."""
        state = entry["what"]
        if state == "delivering":
            progress.urls.clear()
        if progress.state in TERMINAL or progress.state == "unknown":
            if entry.get("redelivery"):
                progress.may_again("a redelivery")
            elif progress.state in TERMINAL and not self._excused(progress, entry):
                self._unexpected.append(_odd(entry, f"was {state} although it had been {progress.state}"))
        elif progress.state in {"queued", "leased", "delivering"} and not self._excused(progress, entry):
            self._unexpected.append(_odd(entry, f"was {state} although it was {progress.state}"))
        progress.state, progress.enqueued = state, True
        self._given_up.pop(entry["event"], None)

    def _leased(self, progress: _Progress, entry: Mapping[str, Any]) -> None:
        handle = str(entry.get("event_handle", ""))
        if not progress.state:
            self._unexpected.append(_odd(entry, "was pulled and never enqueued"))
        elif progress.state not in {"queued", "unknown"} and not self._excused(progress, entry):
            self._duplicated.append(_odd(entry, f"was pulled although it was {progress.state}"))
        if handle in self._handles:
            self._unexpected.append(_odd(entry, f"was pulled under {handle}, which had been used before"))
        self._handles.add(handle)
        progress.state, progress.handle = "leased", handle
        progress.deliveries += 1

    def _lease_ended(self, progress: _Progress, entry: Mapping[str, Any]) -> None:
        self._ends_a_lease(progress, entry, "its lease ended")
        progress.state = "queued"
        progress.may_again("a lease that ended")

    def _confirmed(self, progress: _Progress, entry: Mapping[str, Any]) -> None:
        self._ends_a_lease(progress, entry, "it was confirmed")
        self._acknowledged(progress, entry)
        progress.state = "confirmed"

    def _ends_a_lease(self, progress: _Progress, entry: Mapping[str, Any], what: str) -> None:
        handle = str(entry.get("event_handle", ""))
        if progress.state == "unknown" or self._excused(progress, entry):
            return
        if progress.state != "leased":
            self._unexpected.append(_odd(entry, f"{what} although it was {progress.state or 'never enqueued'}"))
        elif progress.handle != handle:
            self._unexpected.append(_odd(entry, f"{what} under {handle}, but it was pulled under {progress.handle}"))

    def _attempted(self, progress: _Progress, entry: Mapping[str, Any]) -> None:
        attempt = entry["attempt"]
        url, status = attempt["url"], attempt["status"]
        if progress.state not in {"delivering", "unknown"} and not self._excused(progress, entry):
            self._unexpected.append(_odd(entry, f"was pushed although it was {progress.state or 'never enqueued'}"))
        if url in progress.urls and not self._excused(progress, entry):
            self._duplicated.append(_odd(entry, f"was pushed to {url} again after a 2xx response"))
        progress.deliveries += 1
        if attempt["error"] is None and status is not None and 200 <= status < 300:
            progress.urls.add(url)
        else:
            progress.may_again("an attempt that failed")

    def _delivered(self, progress: _Progress, entry: Mapping[str, Any]) -> None:
        if progress.state != "unknown" and not (progress.state == "delivering" and progress.urls):
            self._unexpected.append(_odd(entry, "was marked delivered without a 2xx response"))
        self._acknowledged(progress, entry)
        progress.state = "delivered"

    def _acknowledged(self, progress: _Progress, entry: Mapping[str, Any]) -> None:
        if progress.deliveries > 1 and not progress.acknowledged:
            self._recovered.append(
                _odd(entry, f"was delivered {progress.deliveries} times, after {progress.why or 'a fault'}")
            )
        progress.acknowledged = True

    def _ended(self, progress: _Progress, entry: Mapping[str, Any]) -> None:
        """It reaches a terminal state unacknowledged. Without a reason its state is kept, so that it counts as lost."""
        what = entry["what"]
        reason = entry.get("reason") or entry.get("fault") or ("retention" if what == "expired" else "")
        progress.enqueued = progress.enqueued or not progress.state  # without a callback URL it fails at once
        if progress.state in TERMINAL and not entry.get("redelivery"):
            self._unexpected.append(_odd(entry, f"{what} although it was {progress.state}"))
        if reason or progress.excuse:
            progress.state = what
            self._given_up[entry["event"]] = _odd(entry, f"{what}: {reason or 'a fault'}")

    def _faulted(self, progress: _Progress, entry: Mapping[str, Any]) -> None:
        progress.excuse = True
        progress.may_again(f"the fault {entry.get('fault', '')}".rstrip())

    def _excused(self, progress: _Progress, entry: Mapping[str, Any]) -> bool:
        return progress.excuse or bool(entry.get("fault"))

    def history(self, *, drained: bool) -> History:
        lost: list[Oddity] = []
        unfinished: list[Oddity] = []
        for event, progress in self.events.items():
            if progress.state in TERMINAL or event in self._given_up:
                continue
            if progress.deliveries:
                unfinished.append(Oddity(event, f"is {progress.state} at the end, delivered but not acknowledged"))
            elif progress.state != "unknown":
                (lost if drained else unfinished).append(
                    Oddity(event, f"is {progress.state} at the end, never delivered")
                )
        return History(
            enqueued=sum(progress.enqueued for progress in self.events.values()),
            delivered=sum(progress.deliveries > 0 for progress in self.events.values()),
            confirmed=sum(progress.acknowledged for progress in self.events.values()),
            lost=tuple(lost),
            unexpected=tuple(self._unexpected),
            duplicated=tuple(self._duplicated),
            recovered=tuple(self._recovered),
            given_up=tuple(self._given_up.values()),
            unfinished=tuple(unfinished),
        )


def _odd(entry: Mapping[str, Any], message: str) -> Oddity:
    return Oddity(entry["event"], message, entry["seq"])


_STEPS: Final = {
    "scheduled": _Replay._arrived,  # noqa: SLF001 - a table of its own methods, as all of these
    "queued": _Replay._arrived,  # noqa: SLF001
    "leased": _Replay._leased,  # noqa: SLF001
    "lease_ended": _Replay._lease_ended,  # noqa: SLF001
    "confirmed": _Replay._confirmed,  # noqa: SLF001
    "delivering": _Replay._arrived,  # noqa: SLF001
    "attempt": _Replay._attempted,  # noqa: SLF001
    "delivered": _Replay._delivered,  # noqa: SLF001
    "failed": _Replay._ended,  # noqa: SLF001
    "expired": _Replay._ended,  # noqa: SLF001
    "dropped": _Replay._ended,  # noqa: SLF001
    "fault": _Replay._faulted,  # noqa: SLF001
}
