"""Normal callback: deliveries of events to a callback address, made of attempts."""

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientOSError,
    ClientPayloadError,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    ClientSSLError,
    ClientTimeout,
    ServerDisconnectedError,
)
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from mockvod.engine.clock import Clock, Deadline, ExternalCall, Timer
from mockvod.engine.events import Event, Events
from mockvod.engine.exchanges import BODY_KEPT, Exchange, Exchanges, shown
from mockvod.engine.hooks import Hooks, Posting
from mockvod.settings import AccountSettings
from mockvod.wire.events import sign, with_sign

log = logging.getLogger("mockvod.normal")

ANSWER_HEAD = 256  # bytes of an answer kept to be looked at
LARGE = 1024 * 1024  # bytes above which aiohttp wants a body in pieces, and warns
ANSWER_LIMIT = 1024 * 1024  # bytes after which an answer counts as endless
SIGN_LIFETIME = 600  # seconds from now to T: ten minutes by default, 266/55244

_NO_LIMIT: Final = ClientTimeout(total=None, sock_connect=None, connect=None)  # the clock's time-out is the only one

EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})


class Attempt(NamedTuple):
    """One POST to a callback address, and what came of it: a status, or an error."""

    number: int
    url: str
    started_at: float
    """Seconds since 1970 on the account's clock."""
    duration: float
    """Seconds on the account's clock."""
    status: int | None = None
    error: str | None = None
    """Class of the failure and what it said; None when an HTTP status arrived and the answer was read."""
    answer: str = ""
    """The first bytes of the answer."""

    @property
    def succeeded(self) -> bool:
        return self.error is None and self.status is not None and 200 <= self.status < 300

    @property
    def outcome(self) -> str:
        """In a few words: `status 200`, `timeout: …`."""
        return self.error if self.error is not None else f"status {self.status}"

    def as_json(self) -> dict[str, Any]:
        return self._asdict()


class Target(NamedTuple):
    """Where a delivery goes, fixed when it begins."""

    url: str
    sign_key: str = ""


class EventDelivery:
    """The way of one event to all its targets: it has ended when each delivery has."""

    __slots__ = ("bodies", "event", "failure", "on_delivered", "open")

    def __init__(
        self, event: Event, bodies: list[tuple[Target, bytes]], on_delivered: Callable[[], None] | None = None
    ) -> None:
        self.event = event
        self.bodies = bodies
        self.on_delivered = on_delivered
        """Called when every target has accepted the event, in place of the hook."""
        self.open = len(bodies)
        self.failure = ""


class Delivery:
    """One event on its way to one target."""

    __slots__ = ("attempts", "body", "course", "target")

    def __init__(self, course: EventDelivery, target: Target, body: bytes) -> None:
        self.course = course
        self.target = target
        self.body = body
        self.attempts = 0


class Deliveries:
    """All deliveries of one application; owns the attempts under way and the pauses between them.

    An event ends `delivered` when every target answered 2xx, else `failed`. An attempt that times out or does not
    get an answer is made again after a pause; one that got a status is not, unless the settings say so: document
    266/7829 knows retries for time-outs only. At most `callback_concurrency` attempts are under way at once; a pause
    takes up no place.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        events: Events,
        config: Callable[[], AccountSettings],
        session: Callable[[], ClientSession],
    ) -> None:
        self._name = name
        self._clock = clock
        self._events = events
        self._config = config
        self._session = session
        self.hooks = Hooks()
        """What misbehaves on purpose; whoever makes the deliveries says it."""
        self.exchanges = Exchanges()
        self._ready: deque[Delivery] = deque()
        self._senders: set[asyncio.Task[None]] = set()
        self._pauses: dict[Delivery, Timer] = {}
        self._closed = False

    @property
    def under_way(self) -> int:
        """Deliveries that have not ended."""
        return len(self._ready) + len(self._senders) + len(self._pauses)

    def deliver(
        self,
        event: Event,
        bodies: list[tuple[Target, bytes]],
        detail: Mapping[str, Any] = EMPTY,
        on_delivered: Callable[[], None] | None = None,
    ) -> None:
        """Begin to deliver *event*: to each target its body."""
        self._events.note(event, "delivering", {"url": " ".join([target.url for target, _ in bodies]), **detail})
        course = EventDelivery(event, bodies, on_delivered)
        for target, body in bodies:
            self._ready.append(Delivery(course, target, body))
        self.pump()

    def pump(self) -> None:
        """Start what may start."""
        while self._ready and len(self._senders) < self._config().callback_concurrency and not self._closed:
            self._clock.begin_work()
            sender = asyncio.create_task(self._send(self._ready.popleft()))
            self._senders.add(sender)
            sender.add_done_callback(self._ended)

    def close(self) -> None:
        """End everything under way; `aclose` waits until it has ended."""
        self._closed = True
        self._ready.clear()
        for pause in self._pauses.values():
            pause.cancel()
        self._pauses.clear()
        for sender in self._senders:
            sender.cancel()

    async def aclose(self) -> None:
        self.close()
        await asyncio.gather(*self._senders, return_exceptions=True)

    def _ended(self, sender: asyncio.Task[None]) -> None:
        self._senders.discard(sender)
        if not sender.cancelled() and (error := sender.exception()) is not None:
            log.error("a delivery of %s broke off", self._name, exc_info=error)
        self.pump()
        self._clock.end_work()

    async def _send(self, delivery: Delivery) -> None:
        """Make one attempt after another while there are any to make."""
        await self._attempt(delivery)
        while self._ready and len(self._senders) <= self._config().callback_concurrency and not self._closed:
            await self._attempt(self._ready.popleft())

    async def _attempt(self, delivery: Delivery) -> None:
        delivery.attempts += 1
        config = self._config()
        attempt = await self._post(delivery, config)
        if self._closed:
            return
        course = delivery.course
        self._events.note(course.event, "attempt", attempt)
        if not attempt.succeeded:
            log.info("%s: attempt %s to %s: %s", course.event.id, attempt.number, attempt.url, attempt.outcome)
            again = attempt.error is not None or config.callback_retry_on_status
            if again and delivery.attempts <= config.callback_retries:
                self._pause(delivery, config.callback_pause)
                return
            course.failure = attempt.outcome
        course.open -= 1
        if not course.open:
            if course.failure:
                self._events.note(course.event, "failed", {"reason": course.failure})
            else:
                self._delivered(course)

    def _delivered(self, course: EventDelivery) -> None:
        self._events.note(course.event, "delivered")
        if course.on_delivered is not None:
            course.on_delivered()
        elif (hook := self.hooks.callback) is not None:
            hook.delivered(course.event, lambda then: self.deliver(course.event, course.bodies, on_delivered=then))

    def _pause(self, delivery: Delivery, seconds: float) -> None:
        def again() -> None:
            del self._pauses[delivery]
            self._ready.append(delivery)
            self.pump()

        what = f"attempt {delivery.attempts + 1} of {delivery.course.event.id} is made"
        self._pauses[delivery] = self._clock.at(self._clock.now() + seconds, again, what)

    async def _post(self, delivery: Delivery, config: AccountSettings) -> Attempt:
        clock = self._clock
        started, started_at = clock.now(), clock.epoch()
        status: int | None = None
        error: str | None = None
        answer = b""
        response: ClientResponse | None = None
        url: URL | str = delivery.target.url
        body, headers = delivery.body, _headers(config.callback_user_agent)
        deadline = Deadline(clock, started + config.callback_timeout, f"an answer of {delivery.target.url}")
        call = clock.external_call()
        try:
            expires = int(started_at) + SIGN_LIFETIME
            url, body = _signed(delivery, config, expires)
            data: bytes | BytesIO | AsyncIterator[bytes] = body if len(body) <= LARGE else BytesIO(body)
            if (hook := self.hooks.callback) is not None:
                url, body, pieces, headers = _misbehaving(hook, clock, delivery, config, expires, call)
                data = body if pieces is None else pieces
            with call:
                async with self._session().post(
                    url,
                    data=data,
                    headers=headers,
                    allow_redirects=False,
                    timeout=_NO_LIMIT,
                    ssl=_tls(config.callback_ca) if config.callback_ca else True,
                ) as response:
                    status = response.status
                    answer = await _read(response)
        except asyncio.CancelledError:
            if not deadline.expired:
                raise
            error = f"timeout: no complete answer within {config.callback_timeout:g} s"
        except (ClientError, OSError, ValueError) as problem:
            error = _words(problem)
        except Exception as mistake:
            log.exception("an attempt of %s failed, which is a mistake of mockvod", self._name)
            error = f"mistake of mockvod: {mistake!r}"
        finally:
            deadline.end()
        self.exchanges.add(
            Exchange(
                delivery.course.event.number,
                started_at,
                delivery.attempts,
                str(url),
                list((headers if response is None else response.request_info.headers).items()),
                body[:BODY_KEPT],
                None if response is None else response.reason or "",
                () if response is None else shown(response.raw_headers),
            )
        )
        return Attempt(
            delivery.attempts,
            delivery.target.url,
            started_at,
            round(clock.now() - started, 6),
            status,
            error,
            answer[:ANSWER_HEAD].decode("utf-8", "replace"),
        )


def _signed(delivery: Delivery, config: AccountSettings, expires: int) -> tuple[URL, bytes]:
    """URL and body of one attempt, with Sign and T where there is a SignKey."""
    target = delivery.target
    url = _url(target.url)
    if not target.sign_key:
        return url, delivery.body
    if config.sign_in == "query":
        return url.update_query(Sign=sign(target.sign_key, expires), T=str(expires)), delivery.body
    return url, with_sign(delivery.body, sign_key=target.sign_key, expires=expires)


def _misbehaving(
    hook: Posting, clock: Clock, delivery: Delivery, config: AccountSettings, expires: int, call: ExternalCall
) -> tuple[URL, bytes, AsyncIterator[bytes] | None, CIMultiDictProxy[str]]:
    """URL, body and headers of one attempt, as the active faults have them; the body in pieces where it is slow."""
    event, target = delivery.course.event, delivery.target
    sending = hook.prepare(event, target.sign_key, expires)
    signed_so = Delivery(delivery.course, Target(target.url, sending.sign_key), delivery.body)
    url, body = _signed(signed_so, config, sending.expires)
    body, headers = sending.body(body), _headers(config.callback_user_agent)
    if not sending.in_pieces:
        return url, body, None, headers
    whole = CIMultiDict(headers)
    whole["Content-Length"] = str(len(body))
    return url, body, sending.pieces(body, clock, call), CIMultiDictProxy(whole)


@lru_cache(maxsize=256)
def _url(text: str) -> URL:
    return URL(text)


@lru_cache(maxsize=16)
def _headers(user_agent: str) -> CIMultiDictProxy[str]:
    # The answer is shown as it comes, so it must not come compressed.
    headers = {"Content-Type": "application/json", "User-Agent": user_agent, "Accept-Encoding": "identity"}
    return CIMultiDictProxy(CIMultiDict(headers))


async def _read(response: ClientResponse) -> bytes:
    """The first bytes of an answer, read to its end so that the connection can be used again."""
    content = response.content
    if content.is_eof():  # all of it came with the status line, as short answers do
        return content.read_nowait()
    head = b""
    size = 0
    async for chunk in content.iter_any():
        if len(head) < ANSWER_HEAD:
            head += chunk
        size += len(chunk)
        if size > ANSWER_LIMIT:
            raise ClientPayloadError(f"the answer goes on after {ANSWER_LIMIT} bytes")
    return head


def _words(problem: Exception) -> str:
    """The failure's class in one word, and what it said."""
    kinds: tuple[tuple[type[Exception], str], ...] = (
        (ClientConnectorDNSError, "name not found"),
        (ClientSSLError, "TLS"),
        (ClientConnectorError, "cannot connect"),
        (ServerDisconnectedError, "connection closed"),
        (ClientOSError, "connection reset"),
        (ClientPayloadError, "broken answer"),
        (ClientResponseError, "no HTTP answer"),
    )
    kind = next((words for kind, words in kinds if isinstance(problem, kind)), type(problem).__name__)
    said = problem.message if isinstance(problem, ClientResponseError) else str(problem)  # its status is no status
    if isinstance(problem, ClientConnectorCertificateError):
        said = f"{problem.certificate_error}; callback-ca is the authority that {problem.host} is checked against"
    return f"{kind}: {' '.join(said.split())}"[:500]


def _tls(authority: str) -> ssl.SSLContext:
    """Certificate checks against *authority*, a PEM file, as it is now."""
    return _tls_of(authority, Path(authority).stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _tls_of(authority: str, _: int) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority)
