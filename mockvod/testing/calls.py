"""What the control API is asked and what comes back, once for both clients; nothing here sends anything."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

from mockvod.testing.advice import Cause, Diagnosis, Finding, Report

Answer = TypeVar("Answer")
States = str | Collection[str]


class MockVodError(Exception):
    """What the server refused, in its own words."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field


class WaitTimeout(MockVodError):
    """The events did not reach the state in time; the message says why, and what happened to those that were seen."""

    def __init__(self, message: str, answer: Mapping[str, Any]) -> None:
        super().__init__(408, "timeout", message)
        self.reasons: list[str] = list(answer.get("reasons", ()))
        self.seen: list[Event] = [event_of(one) for one in answer.get("seen", ())]


class Unreachable(MockVodError):
    """No mockvod answers at the address."""

    def __init__(self, url: str, reason: object) -> None:
        super().__init__(0, "unreachable", f"no mockvod answers at {url} ({reason}): start one with `mockvod serve`")


@dataclass(frozen=True, slots=True)
class Event:
    """An event as the control API shows it."""

    id: str
    state: str
    event_type: str
    task_id: str | None
    file_id: str | None
    sub_app_id: int | None
    created_at: float
    timeline: list[dict[str, Any]] = field(default_factory=list)
    """What happened to it, each with `seq`, `at`, `what`; only where one event was asked for."""
    attempts: list[dict[str, Any]] = field(default_factory=list)
    """Of its deliveries, each with `number`, `url`, `started_at`, `duration`, `status`, `error`, `answer`."""
    content: dict[str, Any] = field(default_factory=dict)
    """The EventContent as it goes over the wire."""

    def __str__(self) -> str:
        return "\n".join([f"{self.id} {self.event_type}: {self.state}", *map(line_of, self.timeline)])


@dataclass(frozen=True, slots=True)
class ClockState:
    """An account's clock: `now` in seconds since 1970, and what waits on it (`what`, `due`, `within`)."""

    now: float
    rate: float
    frozen: bool
    waiting: list[dict[str, Any]]
    hint: str | None
    happened: list[dict[str, Any]] = field(default_factory=list)
    """The journal's entries while the clock was moved."""


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """An isolated account: sign with its SecretId to land in it."""

    secret_id: str
    sub_app_id: int | None
    seed: int | str
    default: bool
    events: int
    secret_key: str = ""
    """Known only from the call that made the account."""


@dataclass(frozen=True, slots=True)
class Media:
    """A media file that was declared: `duration` in seconds, `size` in bytes, `created_at` in seconds since 1970."""

    file_id: str
    name: str
    duration: float
    width: int
    height: int
    size: int
    created_at: float
    video: str | None = None
    fails_with: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault in force: `when` and `scope` as they were given, `seen` and `fired` as often as it looked and struck."""

    id: str
    fault: str
    recipe: str | None
    parameters: dict[str, Any]
    when: dict[str, Any]
    scope: dict[str, Any]
    seen: int
    fired: int


@dataclass(frozen=True, slots=True)
class Call(Generic[Answer]):
    """A call of the control API, and how to read its answer."""

    method: str
    path: str
    read: Callable[[Any], Answer]
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    patience: float = 0.0
    """Seconds that the server may take on purpose."""

    def target(self, whom: Mapping[str, Any]) -> str:
        query = {name: value for name, value in {**whom, **self.query}.items() if value is not None}
        return self.path + ("?" + urlencode(query) if query else "")

    def encoded(self) -> bytes | None:
        return None if self.body is None else json.dumps(self.body).encode()

    def answer(self, status: int, raw: bytes) -> Answer:
        """What the server answered. Raises MockVodError, and WaitTimeout for a wait in vain."""
        try:
            data = json.loads(raw) if raw else {}
        except ValueError:
            data = {}
        if status < 400:
            return self.read(data)
        error = data.get("error") if isinstance(data, dict) else None
        if not isinstance(error, dict):
            raise MockVodError(status, "no_mockvod", f"{self.path} answered status {status}: is this a mockvod?")
        if status == 408:
            raise WaitTimeout(_told(error["message"], data), data)
        raise MockVodError(status, error["code"], error["message"], error["field"])


ROOT = "/mockvod/v1"


def emit(wishes: Mapping[str, Any]) -> Call[list[Event]]:
    given = {name: value for name, value in wishes.items() if value is not None}
    return Call("POST", f"{ROOT}/events", _events, body=given)


def events(
    state: States | None,
    task_id: str | None,
    file_id: str | None,
    event_type: str | None,
    limit: int,
    cursor: str | None,
) -> Call[tuple[list[Event], str | None]]:
    query = {
        "state": None if state is None else ",".join(_several(state)),
        "task_id": task_id,
        "file_id": file_id,
        "event_type": event_type,
        "limit": limit,
        "cursor": cursor,
    }
    return Call("GET", f"{ROOT}/events", lambda data: (_events(data), data["next"]), query=query)


def event(event_id: str) -> Call[Event]:
    return Call("GET", f"{ROOT}/events/{quote(event_id, safe='')}", event_of)


def redeliver(event_id: str) -> Call[Event]:
    return Call("POST", f"{ROOT}/events/{quote(event_id, safe='')}/redeliver", event_of)


def wait_for(
    state: States,
    count: int,
    timeout: float,
    event_id: str | None,
    task_id: str | None,
    file_id: str | None,
    event_type: str | None,
    since: int,
) -> Call[list[Event]]:
    body = {
        "state": list(_several(state)),
        "count": count,
        "timeout": timeout,
        "id": event_id,
        "task_id": task_id,
        "file_id": file_id,
        "event_type": event_type,
        "since": since,
    }
    return Call("POST", f"{ROOT}/wait", _events, body=_given(body), patience=timeout)


def wait_until_settled(quiet: float, timeout: float) -> Call[None]:
    body = {"settled": True, "quiet": quiet, "timeout": timeout}
    return Call("POST", f"{ROOT}/wait", _nothing, body=body, patience=timeout)


def declare_media(wishes: Mapping[str, Any]) -> Call[Media]:
    return Call("POST", f"{ROOT}/media", _media, body=_given(wishes))


def media() -> Call[list[Media]]:
    return Call("GET", f"{ROOT}/media", lambda data: [_media(one) for one in data["media"]])


def declare_procedure(name: str, snapshots: Sequence[Mapping[str, Any]]) -> Call[None]:
    body = {"snapshots": [dict(one) for one in snapshots]}
    return Call("PUT", f"{ROOT}/procedures/{quote(name, safe='')}", _nothing, body=body)


def journal(since: int, limit: int) -> Call[list[dict[str, Any]]]:
    return Call("GET", f"{ROOT}/journal", lambda data: data["entries"], query={"since": since, "limit": limit})


def journal_end() -> Call[int]:
    """The sequence number of the newest entry."""
    return Call("GET", f"{ROOT}/journal", lambda data: data["next"], query={"since": 2**62, "limit": 1})


def clock() -> Call[ClockState]:
    return Call("GET", f"{ROOT}/clock", _clock)


def move_clock(**change: Any) -> Call[ClockState]:
    return Call("POST", f"{ROOT}/clock", _clock, body=change, patience=60.0)


def config(changes: Mapping[str, Any]) -> Call[dict[str, Any]]:
    if not changes:
        return Call("GET", f"{ROOT}/config", dict)
    return Call("PATCH", f"{ROOT}/config", dict, body=changes)


def stats() -> Call[dict[str, Any]]:
    return Call("GET", f"{ROOT}/stats", dict)


def diagnosis(probe: bool) -> Call[Diagnosis]:
    return Call("GET", f"{ROOT}/diagnosis", _diagnosis, query={"probe": "true"} if probe else {}, patience=30.0)


def report() -> Call[Report]:
    return Call("GET", f"{ROOT}/report", _report)


def reset() -> Call[dict[str, int]]:
    return Call("POST", f"{ROOT}/reset", dict)


def fault(
    name: str, when: Mapping[str, Any] | None, scope: Mapping[str, Any] | None, parameters: Mapping[str, Any]
) -> Call[Fault]:
    body = _given({"when": when, "scope": scope}) | {"fault": name, **parameters}
    return Call("POST", f"{ROOT}/faults", lambda data: _faults(data)[0], body=body)


def recipe(name: str, scope: Mapping[str, Any] | None) -> Call[list[Fault]]:
    return Call("POST", f"{ROOT}/faults", _faults, body=_given({"recipe": name, "scope": scope}))


def faults() -> Call[list[Fault]]:
    return Call("GET", f"{ROOT}/faults", _faults)


def clear_faults(fault_id: str | None) -> Call[list[Fault]]:
    one = "" if fault_id is None else f"/{quote(fault_id, safe='')}"
    return Call("DELETE", f"{ROOT}/faults{one}", _faults)


def make_account(wishes: Mapping[str, Any]) -> Call[AccountInfo]:
    return Call("POST", f"{ROOT}/accounts", _account, body=_given(wishes))


def accounts() -> Call[list[AccountInfo]]:
    return Call("GET", f"{ROOT}/accounts", lambda data: [_account(one) for one in data["accounts"]])


def delete_account(secret_id: str) -> Call[AccountInfo]:
    return Call("DELETE", f"{ROOT}/accounts/{quote(secret_id, safe='')}", _account)


def ready() -> Call[bool]:
    return Call("GET", "/mockvod/readyz", lambda data: data.get("status") == "ready")


# --- reading


def event_of(data: Mapping[str, Any]) -> Event:
    return Event(**{name: data[name] for name in Event.__dataclass_fields__ if name in data})


def _events(data: Mapping[str, Any]) -> list[Event]:
    return [event_of(one) for one in data["events"]]


def _diagnosis(data: Mapping[str, Any]) -> Diagnosis:
    return Diagnosis([Cause(**one) for one in data["findings"]], data["probe"])


def _report(data: Mapping[str, Any]) -> Report:
    return Report([Finding(**one) for one in data["findings"]], data["since"], data["complete"])


def _clock(data: Mapping[str, Any]) -> ClockState:
    return ClockState(**{name: data[name] for name in ClockState.__dataclass_fields__ if name in data})


def _media(data: Mapping[str, Any]) -> Media:
    return Media(**{name: data[name] for name in Media.__dataclass_fields__ if name in data})


def _account(data: Mapping[str, Any]) -> AccountInfo:
    return AccountInfo(**data)


def _faults(data: Mapping[str, Any]) -> list[Fault]:
    return [Fault(**{name: one[name] for name in Fault.__dataclass_fields__}) for one in data["faults"]]


def _nothing(_: Any) -> None:
    return None


def _several(state: States) -> Sequence[str]:
    return [state] if isinstance(state, str) else list(state)


def _given(wishes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in wishes.items() if value is not None}


def _told(message: str, answer: Mapping[str, Any]) -> str:
    """The time-out's message with the timelines of the events that were seen."""
    lines = [message]
    for one in answer.get("seen", ()):
        lines += [f"  {line}" for line in str(event_of(one)).splitlines()]
    return "\n".join(lines)


def line_of(entry: Mapping[str, Any]) -> str:
    """An entry of a timeline as a person reads it."""
    from datetime import UTC, datetime

    at = datetime.fromtimestamp(entry["at"], UTC).strftime("%H:%M:%S.%f")[:-3]
    beside = {name: value for name, value in entry.items() if name not in {"seq", "at", "what", "event", "sub_app_id"}}
    attempt = beside.pop("attempt", None)
    if attempt:
        outcome = attempt["error"] or f"status {attempt['status']}"
        beside = {"": f"{attempt['number']} to {attempt['url']}: {outcome} after {attempt['duration']:.3f} s"}
    told = ", ".join(f"{name} {value}".strip() for name, value in beside.items())
    return f"  {at}  {entry['what']:<12}{told}".rstrip()
