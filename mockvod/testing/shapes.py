"""What calls of the control API return, and the errors they raise."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Self, TypeVar, get_args

State = Literal["scheduled", "queued", "leased", "confirmed", "delivering", "delivered", "failed", "expired", "dropped"]
STATES: tuple[State, ...] = get_args(State)
TERMINAL: tuple[State, ...] = ("confirmed", "delivered", "failed", "expired", "dropped")
States = State | Collection[State] | str
"""One state, several, or several in one string with commas."""
Entry = dict[str, Any]
"""An entry of the journal: `seq`, `at` (epoch seconds), `what`, `event`, `sub_app_id`, and what else is known."""

Shape = TypeVar("Shape")


def read(kind: type[Shape], data: Mapping[str, Any]) -> Shape:
    """A dataclass from the fields of *data* that it has; a newer server may send more."""
    return kind(**{name: data[name] for name in kind.__dataclass_fields__ if name in data})  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Event:
    """A notification: its state and what it is about."""

    id: str
    state: str
    event_type: str
    task_id: str | None
    file_id: str | None
    sub_app_id: int | None
    created_at: float
    """Seconds since 1970 on the account's clock."""
    timeline: list[Entry] = field(default_factory=list)
    """Its journal entries; only `Client.event` fills these three."""
    attempts: list[dict[str, Any]] = field(default_factory=list)
    """POSTs to the callback URL: `number`, `url`, `started_at`, `duration` (seconds), `status`, `error`, `answer`."""
    content: dict[str, Any] = field(default_factory=dict)
    """The EventContent that is sent."""

    def __str__(self) -> str:
        return "\n".join([f"{self.id} {self.event_type}: {self.state}", *map(entry_line, self.timeline)])


def entry_line(entry: Mapping[str, Any]) -> str:
    """A journal entry as one line of text: time of day, what happened, details."""
    at = datetime.fromtimestamp(entry["at"], UTC).strftime("%H:%M:%S.%f")[:-3]
    details = {name: value for name, value in entry.items() if name not in {"seq", "at", "what", "event", "sub_app_id"}}
    if attempt := details.pop("attempt", None):
        outcome = attempt["error"] or f"status {attempt['status']}"
        details = {"": f"{attempt['number']} to {attempt['url']}: {outcome} after {attempt['duration']:.3f} s"}
    text = ", ".join(f"{name} {value}".strip() for name, value in details.items())
    return f"  {at}  {entry['what']:<12}{text}".rstrip()


@dataclass(frozen=True, slots=True)
class ClockState:
    """An account's clock."""

    now: float
    """Seconds since 1970."""
    rate: float
    """Seconds of the clock in a real second; 0 when frozen."""
    frozen: bool
    waiting: list[dict[str, Any]]
    """What is due later: `what`, `due` (epoch seconds), `within` (seconds of the clock)."""
    hint: str | None
    """What a frozen clock is holding up."""
    happened: list[Entry] = field(default_factory=list)
    """The first journal entries written while the clock moved."""
    happened_more: bool = False
    """Whether there were more; `journal` has them."""
    fired: int = 0
    """How many timers fired in the move."""
    completed: bool = True
    """Whether the clock came as far as it should."""
    reason: str | None = None
    """Why it did not: interrupted by another move, or one move would take too long."""


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """An account. Requests signed with its SecretId belong to it."""

    secret_id: str
    sub_app_id: int | None
    seed: int | str
    default: bool
    events: int
    secret_key: str = ""
    """Known only to `make_account`, which returns it."""


@dataclass(frozen=True, slots=True)
class Media:
    """A declared media file: `duration` in seconds, `size` in bytes, `created_at` in seconds since 1970."""

    file_id: str
    name: str
    duration: float
    width: int
    height: int
    size: int
    created_at: float
    video: str | None = None
    fails_with: str | None = None
    reviews: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload: `state` is under_way or finished, `size` in bytes, `at` in real seconds since 1970."""

    file_id: str
    name: str
    media_type: str
    state: str
    size: int
    at: float
    media_url: str
    """Empty while it is under way."""
    event: str | None = None
    """Id of the event NewFileUpload. Only `Client.upload` fills it, and only if the switch of the event is ON."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An active fault. `seen` counts the items in its scope, `fired` those it applied to."""

    id: str
    fault: str
    recipe: str | None
    parameters: dict[str, Any]
    when: dict[str, Any]
    scope: dict[str, Any]
    seen: int
    fired: int


@dataclass(frozen=True, slots=True)
class Finding:
    """A reason why nothing arrives, or a trait of the consumer: `severity` is ok, notice, warning or problem.

    `message` says what is wrong and what to do, `evidence` has the facts behind it.
    """

    code: str
    severity: str
    message: str
    evidence: dict[str, Any]

    def __str__(self) -> str:
        shown = {name: value for name, value in self.evidence.items() if value and name in {"events", "entries"}}
        text = "; ".join(f"{name} {', '.join(map(str, value))}" for name, value in shown.items())
        return f"{self.severity}: {self.code}: {self.message}" + (
            f" [{text}]" if text and self.severity != "ok" else ""
        )


BAD = {"warning", "problem"}
"""Severities of findings that something is wrong."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why nothing arrives, the most likely cause first. docs/diagnosis.md explains each code."""

    findings: list[Finding]
    probe: dict[str, Any] | None = None
    """The result of connecting to the callback URL, if requested."""

    @property
    def ok(self) -> bool:
        return not self.findings and (self.probe is None or self.probe["ok"])

    def __str__(self) -> str:
        return "\n".join(map(str, self.findings)) or "no problem found"


@dataclass(frozen=True, slots=True)
class Report:
    """How the consumer behaves, trait by trait. docs/consumer.md explains each code."""

    findings: list[Finding]
    since: int
    """The oldest journal entry examined."""
    complete: bool
    """Whether that covers everything since the account was made or reset."""

    def __getitem__(self, code: str) -> Finding:
        for finding in self.findings:
            if finding.code == code:
                return finding
        raise KeyError(f"unknown trait {code!r}; must be one of {', '.join(one.code for one in self.findings)}")

    def assert_ok(self, ignore: Collection[str] = ()) -> None:
        """Raise AssertionError listing every warning and problem whose code is not in *ignore*.

        Raises KeyError for a code in *ignore* that does not exist.
        """
        ignored = {self[code].code for code in ([ignore] if isinstance(ignore, str) else ignore)}
        bad = [one for one in self.findings if one.severity in BAD and one.code not in ignored]
        if bad:
            raise AssertionError("\n".join(["the consumer has problems:", *map(str, bad)]))

    def __str__(self) -> str:
        lines = [] if self.complete else [f"from journal entry {self.since}; older entries have been evicted"]
        return "\n".join([*lines, *map(str, self.findings)])


class MockVodError(Exception):
    """The server rejected a call. `field` is the argument at fault, if the error is about one."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field


class WaitTimeout(MockVodError):
    """A wait timed out.

    The first line of the message ends with the most likely cause. `reasons` are about the events, `seen` are those that
    match but did not reach the state, `findings` is the diagnosis of the account.
    """

    def __init__(self, message: str, reasons: list[str], seen: list[Event], findings: Sequence[Finding] = ()) -> None:
        causes = [f"{one.code}: {one.message}" for one in findings if one.severity in BAD]
        first = "; likely cause: ".join([message, *causes[:1]])
        timelines = [f"  {line}" for event in seen for line in str(event).splitlines()]
        super().__init__(408, "timeout", "\n".join([first, *timelines, *(f"  {cause}" for cause in causes[1:])]))
        self.reasons = reasons
        self.seen = seen
        self.findings = list(findings)
        self._summary = message

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """From the body of a 408 response."""
        seen = [read(Event, one) for one in data.get("seen", ())]
        return cls(data["error"]["message"], list(data.get("reasons", ())), seen)

    def explained(self, diagnosis: Diagnosis) -> "WaitTimeout":
        """The same with the findings of *diagnosis*."""
        return WaitTimeout(self._summary, self.reasons, self.seen, diagnosis.findings)


class Unreachable(MockVodError):
    """No mockvod server responds at the address, or the connection broke."""

    def __init__(self, url: str, reason: object) -> None:
        text = getattr(reason, "strerror", None) or reason  # without the number of the error
        super().__init__(0, "unreachable", f"no mockvod server at {url} ({text}); start one with `mockvod serve`")
