"""Typed clients of the control API: `Client` blocks, `AsyncClient` is awaited, and both have the same calls."""

import http.client
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urlsplit

from mockvod.testing import calls
from mockvod.testing.advice import Diagnosis, Report
from mockvod.testing.calls import AccountInfo, Call, ClockState, Event, Fault, Media, States, Unreachable, WaitTimeout

if TYPE_CHECKING:
    from aiohttp import ClientSession

DEFAULT_URL = "http://127.0.0.1:8266"
PATIENCE = 30.0
"""Seconds for an answer, beside those that the server takes on purpose."""

Answer = TypeVar("Answer")


class _Base:
    """Which server, and on whose behalf."""

    def __init__(self, url: str = DEFAULT_URL, *, secret_id: str | None = None, sub_app_id: int | None = None) -> None:
        self.url = url.rstrip("/")
        self.secret_id = secret_id
        self.sub_app_id = sub_app_id

    @property
    def _whom(self) -> Mapping[str, Any]:
        return {"secret_id": self.secret_id, "sub_app_id": self.sub_app_id}


def _addressed(call: Call[Answer], whom: Mapping[str, Any]) -> str:
    unaddressed = call.path.startswith((calls.ROOT + "/accounts", "/mockvod/readyz"))
    return call.target({} if unaddressed else whom)


class Client(_Base):
    """Calls the control API of a running server.

    *secret_id* chooses an account, *sub_app_id* an application; without them the default ones are meant. Several
    threads may use it; connections are kept until `close`, which the end of a `with` block does. Raises MockVodError
    with the server's words, WaitTimeout, Unreachable.
    """

    def __init__(self, url: str = DEFAULT_URL, *, secret_id: str | None = None, sub_app_id: int | None = None) -> None:
        super().__init__(url, secret_id=secret_id, sub_app_id=sub_app_id)
        self._idle: list[http.client.HTTPConnection] = []
        self.clock = ClockOf(self)

    def emit(self, **wishes: Any) -> list[Event]:
        """Let events happen: `count`, `file_id`, `task_id`, `definition`, `time_offsets`, `failed`, `err_code`,
        `snapshots`, `event`, `event_type`, `set`, `delay`, as POST /mockvod/v1/events takes them.
        """
        return self._send(calls.emit(wishes))

    def events(
        self,
        *,
        state: States | None = None,
        task_id: str | None = None,
        file_id: str | None = None,
        event_type: str | None = None,
    ) -> list[Event]:
        """Every event that fits, oldest first."""
        found: list[Event] = []
        cursor: str | None = None
        while True:
            page, cursor = self._send(calls.events(state, task_id, file_id, event_type, 1000, cursor))
            found += page
            if cursor is None:
                return found

    def event(self, event_id: str) -> Event:
        """One event with its timeline, attempts and content."""
        return self._send(calls.event(event_id))

    def redeliver(self, event_id: str) -> Event:
        """Send an event that is over once more."""
        return self._send(calls.redeliver(event_id))

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
    ) -> list[Event]:
        """Wait until *count* events have come into *state* (or any of several), in real seconds at most *timeout*.

        Sees what happened before the call; *since* (an entry's `seq`) leaves out what happened up to there. Raises
        WaitTimeout with the timelines of what was seen instead.
        """
        return self._send(calls.wait_for(state, count, timeout, event_id, task_id, file_id, event_type, since))

    def wait_until_settled(self, *, quiet: float = 0.2, timeout: float = 5.0) -> None:
        """Wait until nothing more happens by itself: exact and at once under a frozen clock, else *quiet* seconds."""
        self._send(calls.wait_until_settled(quiet, timeout))

    def declare_media(self, **wishes: Any) -> Media:
        """Let there be a media file: `file_id`, `name`, `duration`, `width`, `height`, `size`, `video`, `fails_with`,
        all optional, as POST /mockvod/v1/media takes them.
        """
        return self._send(calls.declare_media(wishes))

    def media(self) -> list[Media]:
        """The media files that were declared."""
        return self._send(calls.media())

    def declare_procedure(self, name: str, *snapshots: Mapping[str, Any]) -> None:
        """Let there be a procedure for ProcessMediaByProcedure: each of *snapshots* has `ext_time_offsets`, such as
        `3.5s` and `10%`, and `definition`, which is 10 where it is not given.
        """
        self._send(calls.declare_procedure(name, snapshots))

    def journal(self, *, since: int = 0, limit: int = 1000) -> list[dict[str, Any]]:
        """What happened after entry *since*, in order."""
        return self._send(calls.journal(since, limit))

    def journal_end(self) -> int:
        """The newest entry's `seq`: give it as `since` to look at what comes next only."""
        return self._send(calls.journal_end())

    def config(self, **changes: Any) -> dict[str, Any]:
        """The settings in force, after *changes*."""
        return self._send(calls.config(changes))

    def stats(self) -> dict[str, Any]:
        """Events by state, applications by what they hold."""
        return self._send(calls.stats())

    def diagnosis(self, *, probe: bool = False) -> Diagnosis:
        """Why nothing arrives, the likeliest cause first; *probe* also has the server look at the callback URL."""
        return self._send(calls.diagnosis(probe))

    def report(self) -> Report:
        """How the consumer behaves; `report().assert_ok()` fails a test where it does not."""
        return self._send(calls.report())

    def fault(
        self,
        name: str,
        *,
        when: Mapping[str, Any] | None = None,
        scope: Mapping[str, Any] | None = None,
        **parameters: Any,
    ) -> Fault:
        """Let something misbehave: `fault("duplicate", copies=2, when={"probability": 0.1})`.

        *when* is one of `always`, `probability`, `nth`, `first`, `every`, `until`; *scope* names whom it strikes.
        """
        return self._send(calls.fault(name, when, scope, parameters))

    def recipe(self, name: str, *, scope: Mapping[str, Any] | None = None) -> list[Fault]:
        """Put the faults of a recipe in force, such as `flaky-network`."""
        return self._send(calls.recipe(name, scope))

    def faults(self) -> list[Fault]:
        """The faults in force."""
        return self._send(calls.faults())

    def clear_faults(self, fault_id: str | None = None) -> list[Fault]:
        """Let one fault be over, or all; answers which they were."""
        return self._send(calls.clear_faults(fault_id))

    def reset(self) -> dict[str, int]:
        """Begin anew: this account, or all when the client is nobody's. Answers what was thrown away."""
        return self._send(calls.reset())

    def accounts(self) -> list[AccountInfo]:
        return self._send(calls.accounts())

    def make_account(self, **wishes: Any) -> AccountInfo:
        """An isolated account: `secret_id`, `secret_key`, `sub_app_id`, `seed`, `frozen`, `config`, all optional."""
        return self._send(calls.make_account(wishes))

    def delete_account(self, secret_id: str) -> AccountInfo:
        return self._send(calls.delete_account(secret_id))

    def ready(self) -> bool:
        """Whether the server accepts requests. Raises Unreachable when nothing answers."""
        return self._send(calls.ready())

    def close(self) -> None:
        """Close the connections that no call is using."""
        while self._idle:
            self._idle.pop().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, call: Call[Answer]) -> Answer:
        try:
            status, raw = self._exchange(call)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(self.url, error) from None
        try:
            return call.answer(status, raw)
        except WaitTimeout as error:
            if _in_a_running_loop():
                error.add_note(
                    "the event loop of this thread stood still during the wait, and with it all that runs in it; "
                    "in asynchronous tests use AsyncClient (the fixture mockvod_async)"
                )
            raise

    def _exchange(self, call: Call[Any]) -> tuple[int, bytes]:
        while True:
            try:
                connection, kept = self._idle.pop(), True
            except IndexError:
                connection, kept = self._connection(), False
            try:
                answered = self._ask(connection, call)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                connection.close()
                if not kept:
                    raise
                continue  # the server has closed it meanwhile: once more, on another one
            except BaseException:
                connection.close()
                raise
            self._idle.append(connection)
            return answered

    def _connection(self) -> http.client.HTTPConnection:
        where = urlsplit(self.url)
        kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
        return kind(where.hostname or "", where.port)

    def _ask(self, connection: http.client.HTTPConnection, call: Call[Any]) -> tuple[int, bytes]:
        connection.timeout = PATIENCE + call.patience
        if connection.sock is not None:
            connection.sock.settimeout(connection.timeout)
        body = call.encoded()
        headers = {} if body is None else {"Content-Type": "application/json"}
        connection.request(call.method, _addressed(call, self._whom), body=body, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()


def _in_a_running_loop() -> bool:
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class ClockOf:
    """The clock of a client's account."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __call__(self) -> ClockState:
        return self._client._send(calls.clock())  # noqa: SLF001 - one thing in two pieces

    def freeze(self) -> ClockState:
        return self._move(freeze=True)

    def advance(self, seconds: float) -> ClockState:
        """Move on through every due moment; returns when all that became due has settled, with what happened."""
        return self._move(advance=seconds)

    def set(self, epoch: float) -> ClockState:
        """Show *epoch*, seconds since 1970."""
        return self._move(set=epoch)

    def scale(self, rate: float) -> ClockState:
        return self._move(scale=rate)

    def release(self) -> ClockState:
        """Run with the system again, and show its time."""
        return self._move(release=True)

    def _move(self, **change: Any) -> ClockState:
        return self._client._send(calls.move_clock(**change))  # noqa: SLF001 - a part of the client


class AsyncClient(_Base):
    """As Client, awaited.

    In an `async with` block it keeps connections until the block ends, and belongs to the event loop of the block.
    Without one each call makes a connection of its own and closes it, in whichever loop it is awaited.
    """

    def __init__(self, url: str = DEFAULT_URL, *, secret_id: str | None = None, sub_app_id: int | None = None) -> None:
        super().__init__(url, secret_id=secret_id, sub_app_id=sub_app_id)
        self._session: ClientSession | None = None
        self.clock = AsyncClockOf(self)

    async def emit(self, **wishes: Any) -> list[Event]:
        """As Client.emit."""
        return await self._send(calls.emit(wishes))

    async def events(
        self,
        *,
        state: States | None = None,
        task_id: str | None = None,
        file_id: str | None = None,
        event_type: str | None = None,
    ) -> list[Event]:
        """As Client.events."""
        found: list[Event] = []
        cursor: str | None = None
        while True:
            page, cursor = await self._send(calls.events(state, task_id, file_id, event_type, 1000, cursor))
            found += page
            if cursor is None:
                return found

    async def event(self, event_id: str) -> Event:
        """As Client.event."""
        return await self._send(calls.event(event_id))

    async def redeliver(self, event_id: str) -> Event:
        """As Client.redeliver."""
        return await self._send(calls.redeliver(event_id))

    async def wait_for(
        self,
        state: States,
        *,
        count: int = 1,
        timeout: float = 5.0,  # noqa: ASYNC109 - the server's time-out, which says what it saw
        event_id: str | None = None,
        task_id: str | None = None,
        file_id: str | None = None,
        event_type: str | None = None,
        since: int = 0,
    ) -> list[Event]:
        """As Client.wait_for."""
        return await self._send(calls.wait_for(state, count, timeout, event_id, task_id, file_id, event_type, since))

    async def wait_until_settled(self, *, quiet: float = 0.2, timeout: float = 5.0) -> None:  # noqa: ASYNC109
        """As Client.wait_until_settled."""
        await self._send(calls.wait_until_settled(quiet, timeout))

    async def declare_media(self, **wishes: Any) -> Media:
        """As Client.declare_media."""
        return await self._send(calls.declare_media(wishes))

    async def media(self) -> list[Media]:
        """As Client.media."""
        return await self._send(calls.media())

    async def declare_procedure(self, name: str, *snapshots: Mapping[str, Any]) -> None:
        """As Client.declare_procedure."""
        await self._send(calls.declare_procedure(name, snapshots))

    async def journal(self, *, since: int = 0, limit: int = 1000) -> list[dict[str, Any]]:
        """As Client.journal."""
        return await self._send(calls.journal(since, limit))

    async def journal_end(self) -> int:
        """As Client.journal_end."""
        return await self._send(calls.journal_end())

    async def config(self, **changes: Any) -> dict[str, Any]:
        """As Client.config."""
        return await self._send(calls.config(changes))

    async def stats(self) -> dict[str, Any]:
        """As Client.stats."""
        return await self._send(calls.stats())

    async def diagnosis(self, *, probe: bool = False) -> Diagnosis:
        """As Client.diagnosis."""
        return await self._send(calls.diagnosis(probe))

    async def report(self) -> Report:
        """As Client.report."""
        return await self._send(calls.report())

    async def fault(
        self,
        name: str,
        *,
        when: Mapping[str, Any] | None = None,
        scope: Mapping[str, Any] | None = None,
        **parameters: Any,
    ) -> Fault:
        """As Client.fault."""
        return await self._send(calls.fault(name, when, scope, parameters))

    async def recipe(self, name: str, *, scope: Mapping[str, Any] | None = None) -> list[Fault]:
        """As Client.recipe."""
        return await self._send(calls.recipe(name, scope))

    async def faults(self) -> list[Fault]:
        """As Client.faults."""
        return await self._send(calls.faults())

    async def clear_faults(self, fault_id: str | None = None) -> list[Fault]:
        """As Client.clear_faults."""
        return await self._send(calls.clear_faults(fault_id))

    async def reset(self) -> dict[str, int]:
        """As Client.reset."""
        return await self._send(calls.reset())

    async def accounts(self) -> list[AccountInfo]:
        return await self._send(calls.accounts())

    async def make_account(self, **wishes: Any) -> AccountInfo:
        """As Client.make_account."""
        return await self._send(calls.make_account(wishes))

    async def delete_account(self, secret_id: str) -> AccountInfo:
        return await self._send(calls.delete_account(secret_id))

    async def ready(self) -> bool:
        """As Client.ready."""
        return await self._send(calls.ready())

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def __aenter__(self) -> Self:
        self._session = _session()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _send(self, call: Call[Answer]) -> Answer:
        from aiohttp import ClientError

        try:
            if self._session is not None:
                status, raw = await self._exchange(self._session, call)
            else:
                async with _session() as session:
                    status, raw = await self._exchange(session, call)
        except (ClientError, TimeoutError) as error:
            raise Unreachable(self.url, error) from None
        return call.answer(status, raw)

    async def _exchange(self, session: "ClientSession", call: Call[Any]) -> tuple[int, bytes]:
        from aiohttp import ClientTimeout
        from yarl import URL

        async with session.request(
            call.method,
            URL(self.url + _addressed(call, self._whom), encoded=True),
            data=call.encoded(),
            headers={"Content-Type": "application/json"},
            timeout=ClientTimeout(total=PATIENCE + call.patience),
        ) as response:
            return response.status, await response.read()


def _session() -> "ClientSession":
    from aiohttp import ClientSession, TCPConnector

    return ClientSession(connector=TCPConnector(limit=0))


class AsyncClockOf:
    """As ClockOf, awaited."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def __call__(self) -> ClockState:
        return await self._client._send(calls.clock())  # noqa: SLF001 - one thing in two pieces

    async def freeze(self) -> ClockState:
        return await self._move(freeze=True)

    async def advance(self, seconds: float) -> ClockState:
        """As ClockOf.advance."""
        return await self._move(advance=seconds)

    async def set(self, epoch: float) -> ClockState:
        """As ClockOf.set."""
        return await self._move(set=epoch)

    async def scale(self, rate: float) -> ClockState:
        return await self._move(scale=rate)

    async def release(self) -> ClockState:
        """As ClockOf.release."""
        return await self._move(release=True)

    async def _move(self, **change: Any) -> ClockState:
        return await self._client._send(calls.move_clock(**change))  # noqa: SLF001 - a part of the client
