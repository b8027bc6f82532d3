"""The calls of the control API, once for both clients: nothing here opens a connection.

A call is a method that returns a `Call`. The `method` descriptor sends it: blocking on a `Client`, awaited on an
`AsyncClient`, with the same parameters for callers, type checkers and editors.
"""

import json
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial, wraps
from types import FunctionType
from typing import Any, Concatenate, Final, Generic, ParamSpec, Protocol, TypeVar, Unpack, cast, overload
from urllib.parse import quote, urlencode

from mockvod.testing.options import Config, Duration, FaultName, FaultParameters, RecipeName, Scope, When
from mockvod.testing.shapes import (
    AccountInfo,
    ClockState,
    Diagnosis,
    Entry,
    Event,
    Fault,
    Finding,
    Media,
    MockVodError,
    Report,
    States,
    Upload,
    WaitTimeout,
    read,
)

ROOT: Final = "/mockvod/v1"

Result = TypeVar("Result")
Params = ParamSpec("Params")


@dataclass(frozen=True, slots=True)
class Call(Generic[Result]):
    """A request of the control API, and how to read its response."""

    method: str
    path: str
    parse: "Callable[[Any], Result | Call[Result]]"
    """Makes the result of the response's JSON, or the call that continues this one."""
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    timeout: float = 0.0
    """Seconds that the server may take on purpose."""
    scoped: bool = True
    """Whether it is about the client's account and application."""
    arguments: Mapping[str, str] = field(default_factory=dict)
    """The Python names of fields that are called otherwise."""
    about: WaitTimeout | None = None
    """The timeout that this call diagnoses. It is raised whether or not the call succeeds."""

    def target(self, scope: Mapping[str, Any]) -> str:
        query = _given({**scope, **self.query} if self.scoped else self.query)
        return self.path + ("?" + urlencode(query) if query else "")

    def encoded(self) -> bytes | None:
        """The body. Raises TypeError naming the argument that JSON has no form for."""
        if self.body is None:
            return None
        try:
            return json.dumps(self.body).encode()
        except (TypeError, ValueError) as error:
            raise TypeError(f"{self._culprit()}: {error}") from None

    def _culprit(self) -> str:
        for name, value in (self.body or {}).items():
            try:
                json.dumps(value)
            except (TypeError, ValueError):
                return self.arguments.get(name, name)
        return "the arguments"

    def result(self, status: int, raw: bytes) -> "Result | Call[Result]":
        """The result of a response, or the next call to send. Raises MockVodError, WaitTimeout."""
        __tracebackhide__ = True  # pytest shows the test's own line
        try:
            data = json.loads(raw) if raw else {}
        except ValueError:
            data = {}
        if status < 400:
            return self.parse(data)
        if self.about is not None:
            raise self.about
        error = data.get("error") if isinstance(data, dict) else None
        if not isinstance(error, dict):
            raise MockVodError(status, "no_mockvod", f"{self.path} returned status {status}: is this a mockvod server?")
        if status == 408:
            return _diagnosed(WaitTimeout.read(data))
        name, message = error["field"], error["message"]
        if name in self.arguments:
            message = re.sub(rf"\b{re.escape(name)}\b", self.arguments[name], message, count=1)
            name = self.arguments[name]
        raise MockVodError(status, error["code"], message, name)


class Blocking(Protocol):
    """Sends a call and waits for its result."""

    def _send(self, call: Call[Result], /) -> Result: ...


class Awaitable(Protocol):
    """Sends a call in a coroutine."""

    async def _send(self, call: Call[Result], /) -> Result: ...


class method(Generic[Params, Result]):  # noqa: N801 - used like `property`
    """Makes a method that builds a `Call` one that sends it, as its object does: blocking or awaited."""

    def __init__(self, build: Callable[Concatenate[Any, Params], Call[Result]]) -> None:
        @wraps(build)
        def send(sender: Any, *args: Params.args, **kwargs: Params.kwargs) -> Any:
            __tracebackhide__ = True
            return sender._send(build(sender, *args, **kwargs))  # noqa: SLF001 - the protocols above

        self._function = cast("FunctionType", send)
        self.__doc__ = build.__doc__

    @overload
    def __get__(self, sender: None, owner: type) -> "method[Params, Result]": ...
    @overload
    def __get__(self, sender: Blocking, owner: type) -> Callable[Params, Result]: ...
    @overload
    def __get__(self, sender: Awaitable, owner: type) -> Callable[Params, Coroutine[Any, Any, Result]]: ...
    def __get__(self, sender: object, owner: type) -> Any:
        return self._function.__get__(sender, owner)


class ClockCalls:
    """The clock of an account: leases, polls, retries, timeouts, delays and retention run on it."""

    @method
    def __call__(self) -> Call[ClockState]:
        """The time, and what is due."""
        return Call("GET", f"{ROOT}/clock", partial(read, ClockState))

    @method
    def freeze(self) -> Call[ClockState]:
        """Stop the clock."""
        return _move(freeze=True)

    @method
    def advance(self, seconds: Duration) -> Call[ClockState]:
        """Move forward by *seconds* (also `"5m"`), through every moment at which something is due.

        Returns when all of that has settled; `happened` lists it.
        """
        return _move("seconds", advance=seconds)

    @method
    def set(self, epoch: float) -> Call[ClockState]:
        """Jump to *epoch*, in seconds since 1970: forward through every due moment, backward at once."""
        return _move("epoch", set=epoch)

    @method
    def scale(self, rate: float) -> Call[ClockState]:
        """Run *rate* times as fast as real time."""
        return _move("rate", scale=rate)

    @method
    def release(self) -> Call[ClockState]:
        """Return to real time."""
        return _move(release=True)


class Calls:
    """The calls of both clients."""

    # Events

    @method
    def emit(
        self,
        *,
        count: int | None = None,
        file_id: str | None = None,
        task_id: str | None = None,
        definition: int | None = None,
        time_offsets: list[int] | None = None,
        failed: list[int] | None = None,
        err_code: int | None = None,
        snapshots: list[dict[str, Any]] | None = None,
        event: Mapping[str, Any] | None = None,
        event_type: str | None = None,
        set: Mapping[str, Any] | None = None,  # noqa: A002 - the control API's name
        delay: Duration | None = None,
    ) -> Call[list[Event]]:
        """Emit *count* events (default 1); what is not given is made up plausibly.

        Without *event* and *event_type* they are the results of snapshot tasks:
        *file_id*, *task_id*, *definition* (template, default 10), *time_offsets* in milliseconds, *failed* (those of
        the offsets that fail) with *err_code*; *snapshots* is the exact SnapshotInfoSet instead of these three.

        *event* is a whole EventContent. *event_type* emits the documented example of that type, changed by *set*:
        values by path, such as `{"FileUploadEvent.FileId": "1"}`.

        *delay* is in seconds of the account's clock. Raises MockVodError `contradiction`, `bad_event`, `backlog_full`.
        """
        return Call("POST", f"{ROOT}/events", _events, body=_given(locals()))

    @method
    def events(
        self,
        *,
        state: States | None = None,
        task_id: str | None = None,
        file_id: str | None = None,
        event_type: str | None = None,
        limit: int | None = None,
    ) -> Call[list[Event]]:
        """The events that match, oldest first: all of them, or the newest *limit*, without timeline and content."""
        query = _given(locals()) | {"limit": 1000}
        if state is not None:
            query["state"] = ",".join(_several(state))
        if limit is not None:
            query |= {"order": "newest", "limit": min(limit, 1000)}
        return _page(query, [], limit)

    @method
    def event(self, event_id: str) -> Call[Event]:
        """One event with its timeline, attempts and content. Raises MockVodError `no_such_event`."""
        return Call("GET", f"{ROOT}/events/{_segment(event_id)}", partial(read, Event), arguments={"id": "event_id"})

    @method
    def redeliver(self, event_id: str) -> Call[Event]:
        """Deliver an event again that has reached a terminal state. Raises MockVodError otherwise."""
        path = f"{ROOT}/events/{_segment(event_id)}/redeliver"
        return Call("POST", path, partial(read, Event), arguments={"id": "event_id"})

    @method
    def wait_for(
        self,
        state: States,
        *,
        count: int = 1,
        timeout: float = 5.0,
        event_id: str | None = None,
        task_id: str | None = None,
        file_id: str | None = None,
        event_type: str | None = None,
        since: int = 0,
    ) -> Call[list[Event]]:
        """Wait until *count* matching events have reached *state*, or any of several states; return them.

        Events that reached it before the call count, unless *since* excludes journal entries up to that `seq`.
        *timeout* is in real seconds. Raises WaitTimeout.
        """
        body = _given(locals()) | {"state": _several(state)}
        if event_id is not None:
            body["id"] = body.pop("event_id")
        return Call("POST", f"{ROOT}/wait", _events, body=body, timeout=timeout, arguments={"id": "event_id"})

    @method
    def wait_until_settled(self, *, quiet: float = 0.2, timeout: float = 5.0) -> Call[None]:
        """Wait until nothing more happens by itself. Raises WaitTimeout after *timeout* real seconds.

        Exact and immediate on a frozen clock; otherwise until nothing has happened for *quiet* seconds.
        """
        body = {"settled": True, "quiet": quiet, "timeout": timeout}
        return Call("POST", f"{ROOT}/wait", _nothing, body=body, timeout=timeout)

    @method
    def journal(self, *, since: int = 0, limit: int = 1000) -> Call[list[Entry]]:
        """Up to *limit* journal entries after the one with `seq` *since*, oldest first.

        An entry has `seq`, `at` (seconds since 1970 on the account's clock), `what`, mostly `event` and `sub_app_id`,
        and further fields that depend on `what`.
        """
        return Call("GET", f"{ROOT}/journal", lambda data: data["entries"], query={"since": since, "limit": limit})

    @method
    def journal_end(self) -> Call[int]:
        """The `seq` of the newest journal entry: pass it as `since` to see only what happens next."""
        return Call("GET", f"{ROOT}/journal", lambda data: data["next"], query={"since": 2**62, "limit": 1})

    # Media

    @method
    def declare_media(
        self,
        *,
        file_id: str | None = None,
        name: str | None = None,
        duration: Duration | None = None,
        width: int | None = None,
        height: int | None = None,
        size: int | None = None,
        video: str | None = None,
        fails_with: str | None = None,
        reviews: Mapping[str, str] | None = None,
    ) -> Call[Media]:
        """Declare a media file; what is not given is made up plausibly.

        *duration* is in seconds, *width* and *height* in pixels, *size* in bytes. *video* is the path of a video file
        on the server's machine, whose frames become the pictures. Every job on the file fails with the ErrCodeExt
        *fails_with*, such as `SourceFileError.ContentMalformed`. *reviews* are the suggestions of content reviews, such
        as `{"Porn": "block"}`.
        """
        return Call("POST", f"{ROOT}/media", partial(read, Media), body=_given(locals()))

    @method
    def media(self) -> Call[list[Media]]:
        """The declared media files."""
        return Call("GET", f"{ROOT}/media", _each(Media, "media"))

    @method
    def upload(
        self,
        *,
        name: str | None = None,
        media_type: str | None = None,
        file_id: str | None = None,
        size: int | None = None,
        procedure: str | None = None,
        source_context: str | None = None,
        session_context: str | None = None,
    ) -> Call[Upload]:
        """Say that a media file was uploaded, as if a client had done it; what is not given is made up plausibly.

        *media_type* is the extension of the file (default mp4), *size* in bytes. The *procedure* with this name starts.
        NewFileUpload is emitted if `upload_media_complete_event_switch` is ON.
        """
        return Call("POST", f"{ROOT}/uploads", partial(read, Upload), body=_given(locals()))

    @method
    def uploads(self) -> Call[list[Upload]]:
        """The newest 1,000 uploads that have become media files, oldest first, then those under way."""
        return Call("GET", f"{ROOT}/uploads", _each(Upload, "uploads"))

    @method
    def storage_host(self) -> Call[str]:
        """The host name that uploads without a StorageRegion are stored at. It stays the same for a seed."""
        return Call("GET", f"{ROOT}/uploads", lambda data: str(data["storage_host"]))

    @method
    def declare_procedure(self, name: str, *snapshots: Mapping[str, Any]) -> Call[None]:
        """Declare a procedure for ProcessMediaByProcedure.

        Each of *snapshots* has `ext_time_offsets`, such as `["3.5s", "10%"]`, and `definition` (template, default 10).
        """
        body = {"snapshots": [dict(one) for one in snapshots]}
        return Call("PUT", f"{ROOT}/procedures/{_segment(name)}", _nothing, body=body)

    # Settings and insight

    @method
    def config(self, /, **changes: Unpack[Config]) -> Call[dict[str, Any]]:
        """The settings of the account and its application by name, after *changes*.

        Durations are in seconds. Raises MockVodError with the name of the setting as `field`.
        """
        if not changes:
            return Call("GET", f"{ROOT}/config", dict)
        return Call("PATCH", f"{ROOT}/config", dict, body=changes)

    @method
    def stats(self) -> Call[dict[str, Any]]:
        """Counts: `counts` of events by state, `evicted`, `pending_bytes`, `applications` with what each holds."""
        return Call("GET", f"{ROOT}/stats", dict)

    @method
    def diagnosis(self, *, probe: bool = False) -> Call[Diagnosis]:
        """Why nothing arrives, the most likely cause first. *probe*: the server also connects to the callback URL."""
        return Call("GET", f"{ROOT}/diagnosis", _diagnosis, query={"probe": "true"} if probe else {}, timeout=30.0)

    @method
    def report(self) -> Call[Report]:
        """How the consumer behaves: what it confirms, acknowledges and gives up.

        `report().assert_ok()` fails a test if there is a problem.
        """
        return Call("GET", f"{ROOT}/report", _report)

    # Faults

    @method
    def fault(
        self,
        /,
        name: FaultName,
        *,
        when: When | None = None,
        scope: Scope | None = None,
        **parameters: Unpack[FaultParameters],
    ) -> Call[Fault]:
        """Activate a fault: `fault("duplicate", copies=2, when={"probability": 0.1})`. docs/faults.md lists them all.

        *when* has one of `always`, `probability`, `nth`, `first`, `every`, `until`; without it the fault always
        applies. *scope* limits it by `sub_app_id`, `event_type`, `action` or `file_id`.
        """
        body = {"when": when, "scope": scope, "fault": name, **parameters}
        return Call(
            "POST", f"{ROOT}/faults", lambda data: _faults(data)[0], body=_given(body), arguments={"fault": "name"}
        )

    @method
    def recipe(self, name: RecipeName, *, scope: Scope | None = None) -> Call[list[Fault]]:
        """Activate the faults of a recipe, such as `flaky-network`."""
        body = _given({"recipe": name, "scope": scope})
        return Call("POST", f"{ROOT}/faults", _faults, body=body, arguments={"recipe": "name"})

    @method
    def faults(self) -> Call[list[Fault]]:
        """The active faults."""
        return Call("GET", f"{ROOT}/faults", _faults)

    @method
    def clear_faults(self, fault_id: str | None = None) -> Call[list[Fault]]:
        """Remove one fault, or all; return those removed."""
        path = f"{ROOT}/faults" + ("" if fault_id is None else f"/{_segment(fault_id)}")
        return Call("DELETE", path, _faults, arguments={"id": "fault_id"})

    # Accounts

    @method
    def reset(self) -> Call[dict[str, int]]:
        """Reset the client's application if it has a `sub_app_id`, else its account; without both, all accounts.

        A reset of an application keeps the clock and the account's settings. Returns counts of what was discarded.
        """
        return Call("POST", f"{ROOT}/reset", dict)

    @method
    def accounts(self) -> Call[list[AccountInfo]]:
        """All accounts, the default one first."""
        return Call("GET", f"{ROOT}/accounts", _each(AccountInfo, "accounts"), scoped=False)

    @method
    def make_account(
        self,
        *,
        secret_id: str | None = None,
        secret_key: str | None = None,
        sub_app_id: int | None = None,
        seed: int | None = None,
        frozen: bool | None = None,
        config: Config | None = None,
    ) -> Call[AccountInfo]:
        """Make an isolated account; what is not given is made up.

        Its clock starts *frozen* on request. *config* has the settings that differ from the server's. The same *seed*
        gives the same ids.
        """
        return Call("POST", f"{ROOT}/accounts", partial(read, AccountInfo), body=_given(locals()), scoped=False)

    @method
    def apply_scenario(self, scenario: Mapping[str, Any]) -> Call[dict[str, int]]:
        """Apply a scenario: all of it, or nothing; return counts of its parts. See docs/scenarios.md.

        Raises MockVodError `bad_scenario`, with the first problem.
        """
        return Call("PUT", f"{ROOT}/scenario", dict, body=scenario, scoped=False)

    @method
    def delete_account(self, secret_id: str) -> Call[AccountInfo]:
        """Delete an account and everything in it. Raises MockVodError `no_such_account`."""
        return Call("DELETE", f"{ROOT}/accounts/{_segment(secret_id)}", partial(read, AccountInfo), scoped=False)

    @method
    def server_info(self) -> Call[dict[str, Any]]:
        """The server's version, seed and optional packages, and the path of its console."""
        return Call("GET", f"{ROOT}/server", dict, scoped=False)

    @method
    def ready(self) -> Call[bool]:
        """Whether the server accepts requests. Raises Unreachable if there is none."""
        return Call("GET", "/mockvod/readyz", lambda data: data.get("status") == "ready", scoped=False)


def _move(argument: str = "", **change: Any) -> Call[ClockState]:
    arguments = dict.fromkeys(change, argument) if argument else {}
    return Call("POST", f"{ROOT}/clock", partial(read, ClockState), body=change, timeout=60.0, arguments=arguments)


def _page(query: Mapping[str, Any], before: list[Event], limit: int | None) -> Call[list[Event]]:
    def parse(data: Any) -> list[Event] | Call[list[Event]]:
        found = before + _events(data)
        if data["next"] and (limit is None or len(found) < limit):
            return _page({**query, "cursor": data["next"]}, found, limit)
        return found if limit is None else found[:limit][::-1]

    return Call("GET", f"{ROOT}/events", parse, query=query)


def _each(kind: type[Result], member: str) -> Callable[[Any], list[Result]]:
    """Reads the list *member* of a response."""
    return lambda data: [read(kind, one) for one in data[member]]


_events = _each(Event, "events")
_faults = _each(Fault, "faults")
_findings = _each(Finding, "findings")


def _diagnosis(data: Any) -> Diagnosis:
    return Diagnosis(_findings(data), data["probe"])


def _report(data: Any) -> Report:
    return Report(_findings(data), data["since"], data["complete"])


def _diagnosed(timeout: WaitTimeout) -> Call[Any]:
    """The call that raises *timeout* with the diagnosis of its account."""

    def parse(data: Any) -> Any:
        __tracebackhide__ = True
        raise timeout.explained(_diagnosis(data))

    return Call("GET", f"{ROOT}/diagnosis", parse, about=timeout)


def _nothing(_: Any) -> None:
    return None


def _several(state: States) -> list[str]:
    return state.split(",") if isinstance(state, str) else list(state)


def _segment(text: str) -> str:
    """One segment of a path."""
    return quote(text, safe="")


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that a caller of a method gave, from its `locals()` before any other name is bound."""
    return {name: value for name, value in values.items() if value is not None and name != "self"}
