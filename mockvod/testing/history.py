"""At-least-once, checked: nothing is lost, nothing comes from nowhere, and nothing comes twice without a reason.

`check` reads a journal, `check_record` what an application wrote down itself. Neither asks a server anything.
"""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

SHOWN: Final = 10
"""Most of each kind that the text of a history names."""

ENDS: Final = {"confirmed", "delivered", "failed", "expired", "dropped"}


@dataclass(frozen=True, slots=True)
class Oddity:
    """One thing to look at: of which event (or id of the record), what is odd, and the entry that shows it."""

    event: Hashable
    words: str
    seq: int | None = None

    def __str__(self) -> str:
        return f"{self.event}: {self.words}" + ("" if self.seq is None else f" (entry {self.seq})")


@dataclass(frozen=True, slots=True)
class History:
    """What became of everything that was enqueued.

    `ok` means at-least-once: nothing lost, unexpected, or duplicated. What was given up with a stated reason (failed,
    expired, dropped by a fault) is not lost, and is counted.
    """

    enqueued: int
    delivered: int
    """Events that came to a consumer at least once."""
    confirmed: int
    """Events that it acknowledged, by a confirm or by an answer of 2xx."""
    lost: tuple[Oddity, ...] = ()
    """Enqueued, and neither delivered nor given up with a reason by the end."""
    unexpected: tuple[Oddity, ...] = ()
    """Never enqueued, or happened to an event to which it could not."""
    duplicated: tuple[Oddity, ...] = ()
    """Delivered again without a lease that ended, a failed attempt, a redelivery or a fault."""
    recovered: tuple[Oddity, ...] = ()
    """Delivered again for such a reason, and acknowledged then."""
    given_up: tuple[Oddity, ...] = ()
    """Ended without having been acknowledged, with a reason."""
    unfinished: tuple[Oddity, ...] = ()
    """Delivered and not acknowledged so far; with `drained=False` also what has not been delivered so far."""

    @property
    def ok(self) -> bool:
        return not (self.lost or self.unexpected or self.duplicated)

    def assert_ok(self) -> None:
        """Raise AssertionError, with the history as its text, unless it is `ok`."""
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
    """The history that *journal* tells: its entries in order, as `Client.journal` gives them.

    *drained* says that the consumer had its chance: what then still waits to be delivered is lost. A journal that does
    not begin at the account's beginning may tell of events that it did not see enqueued.
    """
    entries = list(journal)
    complete = not entries or entries[0]["seq"] == 1 or entries[0]["what"] == "reset"
    told = _Told(complete=complete)
    for entry in entries:
        told.read(entry)
    return told.history(drained=drained)


def check_record(
    enqueued: Iterable[Hashable],
    delivered: Iterable[Hashable],
    confirmed: Iterable[Hashable] = (),
    *,
    again: Mapping[Any, int] | Collection[Hashable] = (),
    drained: bool = True,
) -> History:
    """The history of an application's own record: ids as often as each was enqueued, delivered, confirmed.

    Any ids will do, such as TaskIds. *again* says how often an id may have come again (`may_come_again` knows it from
    a journal, by event ids); of a plain collection each may as often as it did.
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
        + tuple(
            Oddity(one, "was delivered and is not confirmed") for one in got if done and put[one] and not done[one]
        ),
    )


def may_come_again(journal: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """How often each event, by its id, had a reason to be delivered once more."""
    told = _Told(complete=False)
    for entry in journal:
        told.read(entry)
    return Counter({event: course.reasons for event, course in told.courses.items() if course.reasons})


# --- reading a journal


@dataclass(slots=True)
class _Course:
    """Where one event is, as its entries say."""

    state: str = ""
    """scheduled, queued, leased, delivering, or one of ENDS; nothing before it was enqueued."""
    enqueued: bool = False
    handle: str = ""
    deliveries: int = 0
    acknowledged: bool = False
    reasons: int = 0
    """Things that happened after which it may come once more."""
    excuse: bool = False
    """Whether a fault has struck it since it came into its state."""
    why: str = ""
    """The latest of the reasons."""
    urls: set[str] = field(default_factory=set)
    """Callback addresses that have answered 2xx in the delivery under way."""

    def may_again(self, why: str) -> None:
        self.reasons += 1
        self.why = why


class _Told:
    """What a journal tells, entry by entry."""

    def __init__(self, *, complete: bool) -> None:
        self._complete = complete
        self.courses: dict[str, _Course] = {}
        self._handles: set[str] = set()
        self._duplicated: list[Oddity] = []
        self._unexpected: list[Oddity] = []
        self._recovered: list[Oddity] = []
        self._given_up: dict[str, Oddity] = {}

    def read(self, entry: Mapping[str, Any]) -> None:
        if entry["what"] == "reset":  # what was before is thrown away, which is said
            self.courses.clear()
            self._given_up.clear()
            return
        event = entry.get("event")
        step = _STEPS.get(entry["what"])
        if event is None or step is None:
            return
        course = self.courses.get(event)
        if course is None:
            course = self.courses[event] = _Course()
            if not self._complete:
                course.state, course.enqueued = "unknown", True
        step(self, course, entry)
        if entry["what"] != "fault":
            course.excuse = False

    # What can happen to an event

    def _scheduled(self, course: _Course, entry: Mapping[str, Any]) -> None:
        self._arrives(course, entry, "scheduled")

    def _queued(self, course: _Course, entry: Mapping[str, Any]) -> None:
        self._arrives(course, entry, "queued")

    def _delivering(self, course: _Course, entry: Mapping[str, Any]) -> None:
        self._arrives(course, entry, "delivering")
        course.urls.clear()

    def _arrives(self, course: _Course, entry: Mapping[str, Any], state: str) -> None:
        """It is enqueued: for the first time, or once more because somebody or a fault wants it so."""
        if course.state in ENDS or course.state == "unknown":
            if entry.get("redelivery"):
                course.may_again("a redelivery")
            elif course.state in ENDS and not self._excused(course, entry):
                self._unexpected.append(_odd(entry, f"was {state} although it had been {course.state}"))
        elif course.state in {"queued", "leased", "delivering"} and not self._excused(course, entry):
            self._unexpected.append(_odd(entry, f"was {state} although it was {course.state}"))
        course.state, course.enqueued = state, True
        self._given_up.pop(entry["event"], None)

    def _leased(self, course: _Course, entry: Mapping[str, Any]) -> None:
        handle = str(entry.get("event_handle", ""))
        if not course.state:
            self._unexpected.append(_odd(entry, "was pulled and never enqueued"))
        elif course.state not in {"queued", "unknown"} and not self._excused(course, entry):
            self._duplicated.append(_odd(entry, f"was pulled although it was {course.state}"))
        if handle in self._handles:
            self._unexpected.append(_odd(entry, f"was pulled under {handle}, which was given out before"))
        self._handles.add(handle)
        course.state, course.handle = "leased", handle
        course.deliveries += 1

    def _lease_ended(self, course: _Course, entry: Mapping[str, Any]) -> None:
        self._ends_a_lease(course, entry, "its lease ended")
        course.state = "queued"
        course.may_again("a lease that ended")

    def _confirmed(self, course: _Course, entry: Mapping[str, Any]) -> None:
        self._ends_a_lease(course, entry, "it was confirmed")
        self._acknowledged(course, entry)
        course.state = "confirmed"

    def _ends_a_lease(self, course: _Course, entry: Mapping[str, Any], what: str) -> None:
        handle = str(entry.get("event_handle", ""))
        if course.state == "unknown" or self._excused(course, entry):
            return
        if course.state != "leased":
            self._unexpected.append(_odd(entry, f"{what} although it was {course.state or 'never enqueued'}"))
        elif course.handle != handle:
            self._unexpected.append(_odd(entry, f"{what} under {handle}, but it was pulled under {course.handle}"))

    def _attempted(self, course: _Course, entry: Mapping[str, Any]) -> None:
        attempt = entry["attempt"]
        url, status = attempt["url"], attempt["status"]
        if course.state not in {"delivering", "unknown"} and not self._excused(course, entry):
            self._unexpected.append(_odd(entry, f"was pushed although it was {course.state or 'never enqueued'}"))
        if url in course.urls and not self._excused(course, entry):
            self._duplicated.append(_odd(entry, f"was pushed to {url} again after it had answered 2xx"))
        course.deliveries += 1
        if attempt["error"] is None and status is not None and 200 <= status < 300:
            course.urls.add(url)
        else:
            course.may_again("an attempt that failed")

    def _delivered(self, course: _Course, entry: Mapping[str, Any]) -> None:
        if course.state != "unknown" and not (course.state == "delivering" and course.urls):
            self._unexpected.append(_odd(entry, "is called delivered, and no attempt was answered 2xx"))
        self._acknowledged(course, entry)
        course.state = "delivered"

    def _acknowledged(self, course: _Course, entry: Mapping[str, Any]) -> None:
        if course.deliveries > 1 and not course.acknowledged:
            self._recovered.append(_odd(entry, f"came {course.deliveries} times, after {course.why or 'a fault'}"))
        course.acknowledged = True

    def _ended(self, course: _Course, entry: Mapping[str, Any]) -> None:
        """It ends without having been acknowledged; where that is not in order it is left where it was, and so lost."""
        what = entry["what"]
        reason = entry.get("reason") or entry.get("fault") or ("retention" if what == "expired" else "")
        course.enqueued = course.enqueued or not course.state  # without a callback URL it fails as it happens
        if course.state in ENDS and not entry.get("redelivery"):
            self._unexpected.append(_odd(entry, f"{what} although it was {course.state}"))
        if reason or course.excuse:
            course.state = what
            self._given_up[entry["event"]] = _odd(entry, f"{what}: {reason or 'a fault'}")

    def _struck(self, course: _Course, entry: Mapping[str, Any]) -> None:
        course.excuse = True
        course.may_again(f"the fault {entry.get('fault', '')}".rstrip())

    def _excused(self, course: _Course, entry: Mapping[str, Any]) -> bool:
        return course.excuse or bool(entry.get("fault"))

    def history(self, *, drained: bool) -> History:
        lost: list[Oddity] = []
        unfinished: list[Oddity] = []
        for event, course in self.courses.items():
            if course.state in ENDS or event in self._given_up:
                continue
            if course.deliveries:
                unfinished.append(Oddity(event, f"is {course.state} at the end, delivered and not acknowledged"))
            elif course.state != "unknown":
                (lost if drained else unfinished).append(
                    Oddity(event, f"is {course.state} at the end, never delivered")
                )
        return History(
            enqueued=sum(course.enqueued for course in self.courses.values()),
            delivered=sum(course.deliveries > 0 for course in self.courses.values()),
            confirmed=sum(course.acknowledged for course in self.courses.values()),
            lost=tuple(lost),
            unexpected=tuple(self._unexpected),
            duplicated=tuple(self._duplicated),
            recovered=tuple(self._recovered),
            given_up=tuple(self._given_up.values()),
            unfinished=tuple(unfinished),
        )


def _odd(entry: Mapping[str, Any], words: str) -> Oddity:
    return Oddity(entry["event"], words, entry["seq"])


_STEPS: Final = {
    "scheduled": _Told._scheduled,  # noqa: SLF001 - a table of its own methods, as all of these
    "queued": _Told._queued,  # noqa: SLF001
    "leased": _Told._leased,  # noqa: SLF001
    "lease_ended": _Told._lease_ended,  # noqa: SLF001
    "confirmed": _Told._confirmed,  # noqa: SLF001
    "delivering": _Told._delivering,  # noqa: SLF001
    "attempt": _Told._attempted,  # noqa: SLF001
    "delivered": _Told._delivered,  # noqa: SLF001
    "failed": _Told._ended,  # noqa: SLF001
    "expired": _Told._ended,  # noqa: SLF001
    "dropped": _Told._ended,  # noqa: SLF001
    "fault": _Told._struck,  # noqa: SLF001
}
