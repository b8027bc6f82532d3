"""Normal callback: deliveries of events to callback URLs, made of attempts."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from mockvod.engine.attempt import Attempt
from mockvod.engine.clock import Clock, Deadline, ExternalCall, Timer
from mockvod.engine.events import Event, Events
from mockvod.engine.exchanges import BODY_KEPT, Exchange, Exchanges
from mockvod.engine.hooks import Hooks
from mockvod.engine.lifetime import LifeEnded
from mockvod.engine.push_client import BODY_HEAD, PushClient, Request, Response
from mockvod.redaction import redacted
from mockvod.settings import AccountSettings
from mockvod.wire.events import sign, with_sign

log = logging.getLogger("mockvod.push")

SIGN_LIFETIME: Final = 600
"""Seconds from an attempt to its T: ten minutes by default, 266/55244."""
NO_DETAIL: Final[Mapping[str, Any]] = MappingProxyType({})


class Target(NamedTuple):
    """Where a delivery goes, fixed when it begins."""

    url: str
    sign_key: str = ""

    @property
    def shown(self) -> str:
        """The URL without its password."""
        return redacted(self.url)


@dataclass(slots=True, eq=False)
class EventDelivery:
    """The delivery of one event to all its targets. It ends when the last of them ends."""

    event: Event
    bodies: list[tuple[Target, bytes]]
    on_delivered: Callable[[], None] | None
    """Called instead of the hook when every target has accepted the event."""
    open: int
    """Targets whose delivery has not ended."""
    failure: str = ""


@dataclass(slots=True, eq=False)
class Delivery:
    """The delivery of one event to one target."""

    parent: EventDelivery
    target: Target
    body: bytes
    attempts: int = 0


class Deliveries:
    """All deliveries of one application. It owns the attempts under way and the pauses between them.

    An event ends `delivered` when every target responded with 2xx, else `failed`. An attempt that times out or gets no
    response is repeated after a pause; one that gets a status outside 2xx is repeated only if the settings say so,
    because document 266/7829 describes retries for timeouts only. At most `callback_concurrency` attempts are under way
    at once; a pause does not count.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        events: Events,
        config: Callable[[], AccountSettings],
        client: PushClient,
    ) -> None:
        self._name = name
        self._clock = clock
        self._events = events
        self._config = config
        self._client = client
        self.hooks = Hooks()
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
        detail: Mapping[str, Any] = NO_DETAIL,
        on_delivered: Callable[[], None] | None = None,
    ) -> None:
        """Begin to deliver *event* to each target of *bodies*; *detail* goes into the journal. Raises LifeEnded."""
        self._clock.check_alive()
        if self._closed:
            raise LifeEnded(self._name, "reset")
        self._events.note(event, "delivering", {"url": " ".join([target.shown for target, _ in bodies]), **detail})
        parent = EventDelivery(event, bodies, on_delivered, open=len(bodies))
        for target, body in bodies:
            self._ready.append(Delivery(parent, target, body))
        self.pump()

    def pump(self) -> None:
        """Start attempts while there are deliveries waiting and `callback_concurrency` allows it."""
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
            log.error("unhandled exception in a delivery of %s (a bug in mockvod)", self._name, exc_info=error)
        self.pump()
        self._clock.end_work()

    async def _send(self, delivery: Delivery) -> None:
        """Make one attempt after another while deliveries are waiting."""
        await self._attempt(delivery)
        while self._ready and len(self._senders) <= self._config().callback_concurrency and not self._closed:
            await self._attempt(self._ready.popleft())

    async def _attempt(self, delivery: Delivery) -> None:
        delivery.attempts += 1
        config = self._config()
        attempt = await self._post(delivery, config)
        if self._closed:
            return
        parent = delivery.parent
        self._events.note(parent.event, "attempt", attempt)
        if not attempt.succeeded:
            retry = attempt.error is not None or config.callback_retry_on_status
            if retry and delivery.attempts <= config.callback_retries:
                self._pause(delivery, config.callback_pause)
                return
            parent.failure = attempt.outcome
        parent.open -= 1
        if not parent.open:
            if parent.failure:
                self._events.note(parent.event, "failed", {"reason": parent.failure})
            else:
                self._delivered(parent)

    def _delivered(self, parent: EventDelivery) -> None:
        self._events.note(parent.event, "delivered")
        if parent.on_delivered is not None:
            parent.on_delivered()
        elif (hook := self.hooks.callback) is not None:
            hook.delivered(parent.event, lambda then: self.deliver(parent.event, parent.bodies, on_delivered=then))

    def _pause(self, delivery: Delivery, seconds: float) -> None:
        def resume() -> None:
            del self._pauses[delivery]
            self._ready.append(delivery)
            self.pump()

        what = f"attempt {delivery.attempts + 1} of {delivery.parent.event.id} is made"
        self._pauses[delivery] = self._clock.at(self._clock.now() + seconds, resume, what)

    async def _post(self, delivery: Delivery, config: AccountSettings) -> Attempt:
        clock, url = self._clock, delivery.target.shown
        started, started_at = clock.now(), clock.epoch()
        request: Request | None = None
        response = Response()
        deadline = Deadline(clock, started + config.callback_timeout, f"a response of {url}")
        call = clock.external_call()
        try:
            request = self._request(delivery, config, int(started_at) + SIGN_LIFETIME, call)
            with call:
                await self._client.post(request, response, authority=config.callback_ca)
        except asyncio.CancelledError:
            if not deadline.expired:
                raise
            response.error = f"timeout: no complete response within {config.callback_timeout:g} s"
        except Exception as error:
            log.exception("unhandled exception in a delivery of %s (a bug in mockvod)", self._name)
            response.error = f"bug in mockvod: {error!r}"
        finally:
            deadline.end()
        if request is not None:
            self._keep(request, response, delivery, started_at)
        return Attempt(
            delivery.attempts,
            url,
            started_at,
            round(clock.now() - started, 6),
            response.status,
            response.error,
            response.body[:BODY_HEAD].decode("utf-8", "replace"),
        )

    def _keep(self, request: Request, response: Response, delivery: Delivery, started_at: float) -> None:
        self.exchanges.add(
            Exchange(
                delivery.parent.event.number,
                started_at,
                delivery.attempts,
                str(request.url),
                response.sent_headers or request.headers,
                request.body[:BODY_KEPT],
                response.reason,
                response.headers,
            )
        )

    def _request(self, delivery: Delivery, config: AccountSettings, expires: int, call: ExternalCall) -> Request:
        """The request of one attempt, as active faults change it."""
        headers = _headers(config.callback_user_agent)
        target = delivery.target
        if (hook := self.hooks.callback) is None:
            return Request(*_signed(delivery.body, target, config.sign_in, expires), headers)
        outgoing = hook.prepare(delivery.parent.event, target.sign_key, expires)
        target = Target(target.url, outgoing.sign_key)
        url, body = _signed(delivery.body, target, config.sign_in, outgoing.expires)
        body = outgoing.body(body)
        if not outgoing.in_pieces:
            return Request(url, body, headers)
        pieces = outgoing.pieces(body, self._clock, call)
        return Request(url, body, {**headers, "Content-Length": str(len(body))}, pieces)


def _signed(body: bytes, target: Target, sign_in: str, expires: int) -> tuple[URL, bytes]:
    """URL and body of one attempt, with Sign and T if there is a SignKey."""
    url = _url(target.url)
    if not target.sign_key:
        return url, body
    if sign_in == "query":
        return url.update_query(Sign=sign(target.sign_key, expires), T=str(expires)), body
    return url, with_sign(body, sign_key=target.sign_key, expires=expires)


@lru_cache(maxsize=256)
def _url(text: str) -> URL:
    return URL(text)


@lru_cache(maxsize=16)
def _headers(user_agent: str) -> CIMultiDictProxy[str]:
    # The first bytes of the response are shown, so it must not be compressed.
    headers = {"Content-Type": "application/json", "User-Agent": user_agent, "Accept-Encoding": "identity"}
    return CIMultiDictProxy(CIMultiDict(headers))
