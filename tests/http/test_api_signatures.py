"""Whose request it is, and what other SDKs than Python's sign."""

import re
from typing import Any
from urllib.parse import urlencode

import pytest

from mockvod.engine.clock import real_time
from mockvod.wire import signing
from tests.http.raw import FORM, SECRET, SECRET_ID, SECRET_KEY, VERSION, RawClient, Start
from tests.support import Caller

# --- who is asking


def v1(raw_client: RawClient, method: str = "POST", **params: str) -> str:
    """Parameters signed with HmacSHA1, url-encoded."""
    sent = {
        "Action": "DescribeEventsState",
        "Version": VERSION,
        "Timestamp": str(int(real_time())),
        "Nonce": "0",
        "SecretId": SECRET_ID,
    } | params
    text = signing.v1_string_to_sign(method, raw_client.host, "/", sent.items())
    return urlencode({**sent, "Signature": signing.v1_signature(SECRET_KEY, text)})


def tc3(raw_client: RawClient, body: bytes = b"{}", **how: Any) -> dict[str, str]:
    given: dict[str, Any] = {"secret_id": SECRET_ID, "secret_key": SECRET_KEY, "host": raw_client.host}
    given |= {"action": "DescribeEventsState", "timestamp": int(real_time())}
    return signing.tc3_headers(body=body, **given | how)


async def guarded(start: Start, auth: str, **settings: Any) -> RawClient:
    raw_client = RawClient(await start(auth=auth, **SECRET, **settings))
    raw_client.emit(2)
    return raw_client


STATE = {"CountOfEventsToPull": 2}


@pytest.mark.parametrize("auth", ["off", "lenient", "strict"])
async def test_a_good_signature_passes(start: Start, auth: str) -> None:
    raw_client = await guarded(start, auth)
    assert (await raw_client.send(body=b"{}", headers=tc3(raw_client))).inside == STATE
    assert (await raw_client.send(body=v1(raw_client), headers=FORM)).inside == STATE
    assert (await raw_client.send(method="GET", target="/?" + v1(raw_client, "GET"))).inside == STATE


@pytest.mark.parametrize(("auth", "passes"), [("off", True), ("lenient", False), ("strict", False)])
async def test_a_wrong_signature_fails_if_signatures_are_checked(start: Start, auth: str, passes: bool) -> None:
    raw_client = await guarded(start, auth)
    for sent in (
        {"body": b"{}", "headers": tc3(raw_client, secret_key="wrong")},
        {"body": b"{ }", "headers": tc3(raw_client)},
        {"body": v1(raw_client) + "&SubAppId=0", "headers": FORM},
        {"method": "GET", "target": "/?" + v1(raw_client)},
    ):
        answer = await raw_client.send(**sent)
        assert answer.inside == STATE if passes else answer.code == "AuthFailure.SignatureFailure"


@pytest.mark.parametrize(("auth", "passes"), [("off", True), ("lenient", True), ("strict", False)])
async def test_an_unknown_secret_id_is_refused_if_auth_is_strict(start: Start, auth: str, passes: bool) -> None:
    raw_client = await guarded(start, auth)
    for sent in (
        {"body": b"{}", "headers": tc3(raw_client, secret_id="AKIDnobody")},
        {"body": v1(raw_client, SecretId="AKIDnobody"), "headers": FORM},
    ):
        answer = await raw_client.send(**sent)
        if passes:
            assert answer.inside == STATE
        else:
            assert answer.error == {
                "Code": "AuthFailure.SecretIdNotFound",
                "Message": "The SecretId is not found, please ensure that your SecretId is correct.",
            }


@pytest.mark.parametrize(("auth", "passes"), [("off", True), ("lenient", True), ("strict", False)])
async def test_an_unsigned_call_is_refused_if_auth_is_strict(start: Start, auth: str, passes: bool) -> None:
    raw_client = await guarded(start, auth)
    params = f"Action=DescribeEventsState&Version={VERSION}&SecretId={SECRET_ID}"
    for sent, missing in (
        ({"action": "DescribeEventsState"}, "Authorization"),
        ({"action": "DescribeEventsState", "headers": {"Authorization": "SKIP"}}, "Authorization"),
        ({"body": params, "headers": FORM}, "Signature"),
    ):
        answer = await raw_client.send(**sent)
        if passes:
            assert answer.inside == STATE
        else:
            assert (answer.error["Code"], f"`{missing}`" in answer.error["Message"]) == ("MissingParameter", True)


@pytest.mark.parametrize("away", [-301, 302])
async def test_an_expired_signature_gets_the_servers_time(start: Start, away: int) -> None:
    raw_client = await guarded(start, "strict")
    before = int(real_time())
    then = before + away
    for sent in (
        {"body": b"{}", "headers": tc3(raw_client, timestamp=then)},
        {"body": v1(raw_client, Timestamp=str(then)), "headers": FORM},
    ):
        error = (await raw_client.send(**sent)).error
        assert error["Code"] == "AuthFailure.SignatureExpire"
        [server_time] = re.findall(r"server time ([0-9]+)\.", error["Message"])
        assert before <= int(server_time) <= real_time()


async def test_signatures_are_checked_against_real_time_whatever_the_clock_shows(start: Start) -> None:
    raw_client = await guarded(start, "strict")
    clock = raw_client.running.world.default.life.clock
    await clock.freeze()
    await clock.advance(86400)
    assert (await raw_client.send(body=b"{}", headers=tc3(raw_client))).inside == STATE


@pytest.mark.parametrize("auth", ["off", "lenient", "strict"])
@pytest.mark.parametrize(
    ("header", "code", "named"),
    [
        ("Bearer abc", "AuthFailure.InvalidAuthorization", "`Bearer`"),
        ("", "AuthFailure.InvalidAuthorization", "signature method"),
        ("TC3-HMAC-SHA256", "AuthFailure.InvalidAuthorization", "`Credential`"),
        (
            "TC3-HMAC-SHA256 Credential=a/2026-01-01/vod/tc3_request, Signature=0",
            "AuthFailure.InvalidAuthorization",
            "`SignedHeaders`",
        ),
        (
            "TC3-HMAC-SHA256 Credential=a, SignedHeaders=content-type;host, Signature=0",
            "AuthFailure.InvalidAuthorization",
            "`a`",
        ),
        (
            "TC3-HMAC-SHA256 Credential=a/2026-01-01/vod/tc3_request, SignedHeaders=content-type;host, Signature=0",
            "MissingParameter",
            "`Timestamp`",
        ),
    ],
)
async def test_a_malformed_authorization_is_refused_with_the_reason_unless_auth_is_off(
    start: Start, auth: str, header: str, code: str, named: str
) -> None:
    raw_client = await guarded(start, auth)
    answer = await raw_client.send("DescribeEventsState", headers={"Authorization": header})
    if auth == "off":
        assert answer.inside == STATE
    else:
        error = answer.error
        assert (error["Code"], named in error["Message"]) == (code, True)


@pytest.mark.parametrize("missing", ["SecretId", "Timestamp", "Nonce"])
async def test_missing_parameters_of_the_older_signature_are_named(start: Start, missing: str) -> None:
    raw_client = await guarded(start, "strict")
    form = "&".join(pair for pair in v1(raw_client).split("&") if not pair.startswith(missing + "="))
    error = (await raw_client.send(body=form, headers=FORM)).error
    assert (error["Code"], f"`{missing}`" in error["Message"]) == ("MissingParameter", True)


async def test_the_signature_is_checked_before_everything_else(start: Start) -> None:
    raw_client = await guarded(start, "strict")
    answer = await raw_client.send("Nonsense", "not JSON", version="1", headers=tc3(raw_client, action="Nonsense"))
    assert answer.code == "AuthFailure.SignatureFailure"


async def test_more_than_1_mb_needs_the_newer_signature(start: Start) -> None:
    raw_client = await guarded(start, "strict")
    form = v1(raw_client, SubAppId="0" * 1024 * 1024)
    error = (await raw_client.send(body=form, headers=FORM)).error
    assert error["Code"] == "AuthFailure.SignatureFailure"
    assert "exceeding request size limit" in error["Message"]
    body = b'{"SubAppId": %b0}' % (b" " * 1024 * 1024)
    assert (await raw_client.send(body=body, headers=tc3(raw_client, body))).inside == STATE


# --- as SDKs of other languages sign


@pytest.mark.parametrize(
    ("how", "strict_service"),
    [
        pytest.param({}, True, id="Go"),
        pytest.param({"service": "127", "host": "127.0.0.1"}, False, id="Node"),
        pytest.param({"service": "localhost:8266", "host": "localhost"}, False, id="Node at localhost"),
        pytest.param({"service": "127", "content_type": "application/json; charset=utf-8"}, False, id="Java"),
        pytest.param({"service": "127"}, False, id="PHP"),
        pytest.param({"host": "vod.tencentcloudapi.com"}, True, id="through a proxy"),
    ],
)
async def test_what_other_sdks_sign_is_verified(start: Start, how: dict[str, Any], strict_service: bool) -> None:
    raw_client = await guarded(start, "strict", strict_service=strict_service)
    host = raw_client.host if how.get("host") != "localhost" else f"localhost:{raw_client.running.port}"
    assert (await raw_client.send(body=b"{}", headers=tc3(raw_client, **how) | {"Host": host})).inside == STATE
    wrong = tc3(raw_client, **how, secret_key="wrong") | {"Host": host}
    assert (await raw_client.send(body=b"{}", headers=wrong)).code == "AuthFailure.SignatureFailure"


async def test_the_service_must_be_vod_with_strict_service(start: Start) -> None:
    raw_client = await guarded(start, "strict", strict_service=True)
    error = (await raw_client.send(body=b"{}", headers=tc3(raw_client, service="127"))).error
    assert error == {
        "Code": "AuthFailure.InvalidAuthorization",
        "Message": "The request `Authorization` header does not conform to tencentcloud standards: "
        "`Service` in Credential not valid.",
    }


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_go_leaves_empty_values_out_of_what_it_signs_but_sends_them(start: Start, method: str) -> None:
    raw_client = await guarded(start, "strict")
    sent = {
        "Action": "DescribeEventsState",
        "Version": VERSION,
        "Timestamp": str(int(real_time())),
        "Nonce": "65535",
        "SecretId": SECRET_ID,
        "SignatureMethod": "HmacSHA256",
        "Region": "",
        "Language": "",
    }
    text = signing.v1_string_to_sign(
        method, raw_client.host, "/", [(key, value) for key, value in sent.items() if value]
    )
    params = urlencode({**sent, "Signature": signing.v1_signature(SECRET_KEY, text, "sha256")})
    how = {"method": "GET", "target": f"/?{params}"} if method == "GET" else {"body": params, "headers": FORM}
    assert (await raw_client.send(**how)).inside == STATE


async def test_an_unknown_secret_id_is_the_default_account_if_auth_is_lenient(caller: Caller) -> None:
    raw_client = RawClient(caller.running)
    raw_client.emit(2)
    assert (await raw_client.send(body=b"{}", headers=tc3(raw_client))).inside == STATE
