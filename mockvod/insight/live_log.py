"""The live log of `mockvod serve`: a line for every step of an event, for refused calls, for the clock and resets."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from mockvod.engine.attempt import Attempt
from mockvod.engine.clock import call_in_real_time, monotonic
from mockvod.engine.consumers import CALLER, Refusal
from mockvod.engine.events import event_id
from mockvod.engine.journal import Entry, Record
from mockvod.insight.plural import count
from mockvod.redaction import redacted
from mockvod.service.life import Life
from mockvod.service.world import World
from mockvod.settings import ApplicationSettings

log = logging.getLogger("mockvod.live")

MOST_LINES: Final = 20
"""Lines in one second. Above that rate there is one line per second, with counts."""

NAMED: Final = 3
"""Most events that one line names."""


class LiveLog:
    """Logs what happens in all accounts of *world*. One line for several events that a call handled together."""

    def __init__(self, world: World) -> None:
        self._window_ends = 0.0
        self._lines = 0
        self._limit = MOST_LINES
        self._more: Counter[str] = Counter()
        world.observe(self._observe)
        world.refusals.listener = self._refused

    def _observe(self, life: Life, record: Record) -> None:
        known = _STEPS.get(record.what)
        if known is None or (record.what == "attempt" and _succeeded(record)):
            return
        kind, describe = known
        if kind == "emitted" and _detail(record).get("redelivery"):
            kind = "redelivered"
        if self._has_room(kind, 1 if isinstance(record, Entry) else len(record.events)):
            step = Step(life, record, kind, _detail(record))
            identity = life.identity
            whose = f"{identity.name}: " if identity.declared else ""
            fields = {
                "what": kind,
                "account": identity.secret_id,
                "sub_app_id": record.sub_app_id,
                "events": [event_id(number) for number in step.numbers],
                "detail": {name: redacted(one) if isinstance(one, str) else one for name, one in step.detail.items()},
            }
            self._write(whose + describe(step), fields)

    def _refused(self, refusal: Refusal) -> None:
        if refusal.kind != "tls" and self._has_room("refused", 1):  # the connection logs a warning of its own
            call = refusal.action or "a call"
            message = f"refused {call} by {refusal.caller}: {refusal.code}: {refusal.message}"
            facts = {"action": refusal.action, "code": refusal.code, "reason": refusal.message}
            self._write(message, {"what": "refused", **refusal.caller._asdict(), **facts})

    def _write(self, message: str, fields: Mapping[str, Any]) -> None:
        log.info("%s", redacted(message), extra={"fields": fields})

    # --- the rate

    def _has_room(self, kind: str, number: int) -> bool:
        """Whether there may be another line now. If not, *number* of *kind* are counted for the next summary."""
        now = monotonic()
        if now >= self._window_ends:
            self._window_ends, self._lines = now + 1.0, 0
            self._limit = MOST_LINES
        self._lines += 1
        if self._lines <= self._limit:
            return True
        if not self._more:
            call_in_real_time(max(0.0, self._window_ends - now), self._summarize)
        self._more[kind] += number
        return False

    def _summarize(self) -> None:
        counts = dict(self._more)
        self._more.clear()
        text = ", ".join(f"{number} {kind}" for kind, number in counts.items())
        self._write(f"in the last second also: {text}", {"what": "summary", "counts": counts})
        # As long as the rate stays high, the summaries are the only lines.
        self._window_ends, self._lines, self._limit = monotonic() + 1.0, 0, 0


class Step(NamedTuple):
    """What a journal record says about one event, several, or none."""

    life: Life
    record: Record
    kind: str
    detail: Mapping[str, Any]

    @property
    def numbers(self) -> Sequence[int]:
        record = self.record
        if not isinstance(record, Entry):
            return record.events
        return () if record.event is None else (record.event,)

    @property
    def events(self) -> str:
        """`evt_000001 (FileUploaded)`, `evt_000001, evt_000002, evt_000003 and 14 more of application 7`."""
        numbers = self.numbers
        names = ", ".join(map(event_id, numbers[:NAMED]))
        if len(numbers) > NAMED:
            names += f" and {len(numbers) - NAMED} more"
        elif len(numbers) == 1 and (event := self.life.events.find(numbers[0])) is not None:
            names += f" ({event.event_type})"
        return names + self.of

    @property
    def of(self) -> str:
        return "" if self.record.sub_app_id is None else f" of application {self.record.sub_app_id}"


def _detail(record: Record) -> Mapping[str, Any]:
    """What the record says besides events and state, as JSON."""
    detail = record.detail if isinstance(record, Entry) else record.details[0]
    if isinstance(detail, Attempt):
        return detail.as_json()
    return detail if isinstance(detail, Mapping) else {}


def _succeeded(record: Record) -> bool:
    return isinstance(record, Entry) and isinstance(record.detail, Attempt) and record.detail.succeeded


def _queued(step: Step) -> str:
    return f"{step.kind} {step.events}, to the queue"


def _delivering(step: Step) -> str:
    return f"{step.kind} {step.events}, pushed to {step.detail.get('url')}"


def _scheduled(step: Step) -> str:
    return f"scheduled {step.events}, due in {float(step.detail.get('due', 0)) - step.life.clock.epoch():.3g} s"


def _leased(step: Step) -> str:
    return f"pulled {step.events}, by {CALLER.get().printable()}"


def _lease_ended(step: Step) -> str:
    return f"{step.events} was not confirmed in time: redelivered"


def _attempt(step: Step) -> str:
    detail = step.detail
    outcome = detail["error"] or f"status {detail['status']}"
    return f"attempt {detail['number']} to push {step.events} to {detail['url']} failed: {outcome}"


def _ended(step: Step) -> str:
    reason = step.detail.get("reason") or step.detail.get("message")
    return f"{step.kind} {step.events}{f': {reason}' if reason else ''}"


def _clock(step: Step) -> str:
    changes = [name if value is True else f"{name} {value:g}" for name, value in step.detail.items()]
    return f"clock: {', '.join(changes)}"


def _reset(step: Step) -> str:
    discarded = ", ".join(count(number, what.removesuffix("s"), what) for what, number in step.detail.items() if number)
    return f"reset of {step.life.name}" + (f", discarded: {discarded}" if discarded else "")


def _configured(step: Step) -> str:
    shown = ", ".join(f"{name.replace('_', '-')} = {value}" for name, value in step.detail.items())
    return f"settings{step.of} changed: {shown}"


_STEPS: Final[Mapping[str, tuple[str, Callable[[Step], str]]]] = {
    "scheduled": ("scheduled", _scheduled),
    "queued": ("emitted", _queued),
    "leased": ("pulled", _leased),
    "lease_ended": ("redelivered", _lease_ended),
    "confirmed": ("confirmed", _ended),
    "delivering": ("emitted", _delivering),
    "attempt": ("failed attempts", _attempt),
    "delivered": ("delivered", _ended),
    "failed": ("failed", _ended),
    "expired": ("expired", _ended),
    "dropped": ("dropped", _ended),
    "clock": ("clock changes", _clock),
    "reset": ("resets", _reset),
    "configured": ("changes of settings", _configured),
}
"""By the journal's name: how a summary counts it, and how a line describes it."""


# --- the start


def start_lines(world: World, url: str) -> Iterator[tuple[int, str]]:
    """Level and text of the lines that say at the start what the server does."""
    settings = world.settings
    application = world.default.life.existing_application()
    mine: ApplicationSettings = application.settings if application else world.default.life.application_settings
    if settings.console:
        yield logging.INFO, f"console at {url}/mockvod/; an event is at {url}/mockvod/#/events/evt_000001"
    if mine.effective_mode == "PULL":
        unused = f"; the callback URL {mine.callback_url} is not used" if mine.callback_url else ""
        yield logging.INFO, f"mode PULL: events wait in the queue for PullEvents{unused}"
    elif mine.callback_url:
        yield logging.INFO, f"mode PUSH: events are pushed to {redacted(mine.callback_url)}"
    else:
        yield logging.WARNING, "mode PUSH without a callback URL: every event fails. Set callback-url, or mode PULL"
    if faults := [one.fault.name for one in world.default.life.faults]:
        yield logging.INFO, f"{count(faults, 'active fault', 'active faults')}: {', '.join(faults[:10])}"
    for name, origin in world.origins.items():
        value, default = getattr(settings, name), type(settings).model_fields[name].default
        if value != default:
            extra = type(settings).model_fields[name].json_schema_extra
            secret = isinstance(extra, dict) and extra.get("secret")
            yield logging.INFO, f"{name.replace('_', '-')} = {'***' if secret else redacted(str(value))} ({origin})"
