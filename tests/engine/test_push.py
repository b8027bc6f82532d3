from typing import Any

import pytest
from aiohttp import ClientPayloadError, ServerDisconnectedError

from mockvod.engine.events import Event
from mockvod.engine.push import Attempt, Delivery, EventDelivery, Target, _signed, _words
from mockvod.settings import AccountSettings
from mockvod.wire.events import sign


def attempt(**facts: Any) -> Attempt:
    return Attempt(**{"number": 1, "url": "http://r/", "started_at": 0.0, "duration": 0.0, **facts})


def delivery(url: str, sign_key: str = "") -> Delivery:
    event = Event(1, None, "FileDeleted", b'"EventType":"FileDeleted"}')
    return Delivery(EventDelivery(event, []), Target(url, sign_key), event.body)


# --- what came of an attempt


@pytest.mark.parametrize(("status", "succeeded"), [(199, False), (200, True), (299, True), (300, False), (500, False)])
def test_an_attempt_succeeded_when_it_was_answered_with_2xx(status: int, succeeded: bool) -> None:
    one = attempt(status=status)
    assert (one.succeeded, one.outcome) == (succeeded, f"status {status}")


def test_an_attempt_whose_answer_broke_off_did_not_succeed_whatever_its_status() -> None:
    one = attempt(status=200, error="broken answer: cut short")
    assert (one.succeeded, one.outcome) == (False, "broken answer: cut short")


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (ServerDisconnectedError(), "connection closed: Server disconnected"),
        (ClientPayloadError("cut\nshort"), "broken answer: cut short"),
        (FileNotFoundError(2, "No such file", "ca.pem"), "FileNotFoundError: [Errno 2] No such file: 'ca.pem'"),
        (ValueError("x" * 1000), "ValueError: " + 488 * "x"),
    ],
)
def test_a_failure_is_named_in_one_line(problem: Exception, words: str) -> None:
    assert _words(problem) == words


# --- Sign and T


def test_without_a_sign_key_a_body_goes_as_it_is() -> None:
    one = delivery("http://r/?a=1")
    url, body = _signed(one, AccountSettings(), 1000)
    assert (str(url), body) == ("http://r/?a=1", one.body)


def test_sign_and_t_are_the_last_keys_of_the_body() -> None:
    _, body = _signed(delivery("http://r/", "key"), AccountSettings(), 1000)
    assert body == b'{"EventType":"FileDeleted","Sign":"%b","T":1000}' % sign("key", 1000).encode()


def test_sign_and_t_take_the_place_of_their_like_in_a_query() -> None:
    url, _ = _signed(delivery("http://r/?T=1&a=1", "key"), AccountSettings(sign_in="query"), 1000)
    assert dict(url.query) == {"a": "1", "T": "1000", "Sign": sign("key", 1000)}
