"""Signatures: published vectors, what each SDK signs, and what must not pass."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy
from tencentcloud.common import credential as sdk_credential
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

from mockvod.wire import signing
from mockvod.wire.errors import (
    ApiError,
    InvalidAuthorization,
    InvalidParameter,
    MissingParameter,
    SignatureExpire,
    SignatureFailure,
    SignedForOtherHost,
)
from mockvod.wire.params import parse_multipart
from mockvod.wire.signing import Request, Tc3Credential, Unsigned, V1Credential, credential_of, verify

# The SDK still uses what Python 3.12 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")

SECRET_ID = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
SECRET_KEY = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
NOW = 1700000000
BODY = b'{"SubAppId": 1500000001}'


def request(method: str = "POST", *, headers: Mapping[str, str] | None = None, **rest: Any) -> Request:
    given = {"path": "/", "query": "", "body": b"", "params": {}} | rest
    return Request(method=method, headers=CIMultiDictProxy(CIMultiDict(headers or {})), **given)


def check(sent: Request, *, secret_key: str = SECRET_KEY, now: float = NOW, **how: Any) -> None:
    credential = credential_of(sent)
    assert not isinstance(credential, Unsigned)
    assert credential.secret_id == SECRET_ID
    verify(sent, credential, secret_key, now=now, **how)


# The recipes once more, written from the documents and apart from the code under test.


def tc3_by_the_book(
    *,
    signed: list[tuple[str, str]],
    method: str = "POST",
    query: str = "",
    payload: bytes = BODY,
    service: str = "vod",
    date: str | None = None,
    timestamp: int = NOW,
) -> str:
    """An Authorization header over exactly these header values."""
    date = date or datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d")
    names = ";".join(name for name, _ in signed)
    canonical = "\n".join(
        [method, "/", query, *(f"{name}:{value}" for name, value in signed), "", names, sha256(payload)]
    )
    key = f"TC3{SECRET_KEY}".encode()
    for part in (date, service, "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = f"TC3-HMAC-SHA256\n{timestamp}\n{date}/{service}/tc3_request\n{sha256(canonical.encode())}"
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    scope = f"{SECRET_ID}/{date}/{service}/tc3_request"
    return f"TC3-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={signature}"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def v1_by_the_book(text: str, digest: Any = hashlib.sha1) -> str:
    return base64.b64encode(hmac.new(SECRET_KEY.encode(), text.encode(), digest).digest()).decode()


def tc3_request(
    *,
    host: str = "127.0.0.1:8266",
    host_signed: str | None = None,
    content_type: str = "application/json",
    content_type_signed: str | None = None,
    extra: Mapping[str, str] | None = None,
    **recipe: Any,
) -> Request:
    signed = [("content-type", content_type_signed or content_type), ("host", host_signed or host)]
    return request(
        headers={
            "Host": host,
            "Content-Type": content_type,
            "X-TC-Action": "PullEvents",
            "X-TC-Timestamp": str(recipe.get("timestamp", NOW)),
            "Authorization": tc3_by_the_book(**{"signed": signed} | recipe),
        }
        | dict(extra or {}),
        body=BODY,
    )


V1 = {"Action": "PullEvents", "Nonce": "11886", "SecretId": SECRET_ID, "Timestamp": str(NOW), "Version": "2018-07-17"}


def v1_request(signed: Mapping[str, str], sent: Mapping[str, str], **recipe: Any) -> Request:
    """*sent* parameters under a signature of *signed* ones."""
    text = "&".join(f"{key}={signed[key]}" for key in sorted(signed))
    host, path = recipe.pop("host", "127.0.0.1:8266"), recipe.pop("path", "/")
    signature = v1_by_the_book(f"POST{host}{path}?{text}", **recipe)
    return request(headers={"Host": "127.0.0.1:8266"}, params={**sent, "Signature": signature})


# Published vectors

VECTOR_GET = request(
    "GET",
    query="Limit=10&Offset=0",
    headers={
        "Host": "cvm.tencentcloudapi.com",
        "Content-Type": "application/x-www-form-urlencoded",
        "X-TC-Timestamp": "1539084154",
        "Authorization": f"TC3-HMAC-SHA256 Credential={SECRET_ID}/2018-10-09/cvm/tc3_request, "
        "SignedHeaders=content-type;host, "
        "Signature=5da7a33f6993f0614b047e5df4582db9e9bf4672ba50567dba16c6ccf174c474",
    },
)
VECTOR_BODY = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
VECTOR_POST = request(
    headers={
        "Host": "cvm.tencentcloudapi.com",
        "Content-Type": "application/json; charset=utf-8",
        "X-TC-Action": "DescribeInstances",
        "X-TC-Timestamp": "1551113065",
        "Authorization": f"TC3-HMAC-SHA256 Credential={SECRET_ID}/2019-02-25/cvm/tc3_request, "
        "SignedHeaders=content-type;host, "
        "Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168",
    },
    body=VECTOR_BODY,
)
VECTOR_ACTION_SIGNED = request(
    headers=dict(VECTOR_POST.headers)
    | {
        "Authorization": f"TC3-HMAC-SHA256 Credential={SECRET_ID}/2019-02-25/cvm/tc3_request, "
        "SignedHeaders=content-type;host;x-tc-action, "
        "Signature=644be983de9a8a3f00db8eadaba61467c3b429e2215758ba897b738ca469fd26",
    },
    body=VECTOR_BODY,
)


@pytest.mark.parametrize(
    ("sent", "timestamp"),
    [(VECTOR_GET, 1539084154), (VECTOR_POST, 1551113065), (VECTOR_ACTION_SIGNED, 1551113065)],
)
def test_the_published_tc3_signatures_are_verified(sent: Request, timestamp: int) -> None:
    check(sent, now=timestamp)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_claims_of_a_tc3_signature_may_come_in_any_order(order: tuple[int, ...]) -> None:
    scheme, _, claims = VECTOR_GET.headers["Authorization"].partition(" ")
    each = claims.split(", ")
    shuffled = ",".join(each[place] for place in order)
    headers = CIMultiDict(VECTOR_GET.headers)
    headers["Authorization"] = f"{scheme} {shuffled}"
    check(replace(VECTOR_GET, headers=headers), now=1539084154)


@pytest.mark.parametrize(
    ("sent", "names", "published"),
    [
        (
            VECTOR_GET,
            ("content-type", "host"),
            "91c9c192c14460df6c1ffc69e34e6c5e90708de2a6d282cccf957dbf1aa7f3a7",
        ),
        (
            VECTOR_POST,
            ("content-type", "host"),
            "5ffe6a04c0664d6b969fab9a13bdab201d63ee709638e2749d62a09ca18d7031",
        ),
        (
            VECTOR_ACTION_SIGNED,
            ("content-type", "host", "x-tc-action"),
            "7019a55be8395899b900fb5564e4200d984910f34794a27cb3fb7d10ff6a1e84",
        ),
    ],
)
def test_the_canonical_requests_are_the_published_ones(sent: Request, names: tuple[str, ...], published: str) -> None:
    headers = {name: sent.headers[name].lower() for name in names}
    canonical = signing.tc3_canonical_request(sent.method, sent.path, sent.query, headers, sha256(sent.body))
    assert sha256(canonical.encode()) == published


V1_VECTOR = {
    "Action": "DescribeInstances",
    "InstanceIds.0": "ins-09dx96dg",
    "Limit": "20",
    "Nonce": "11886",
    "Offset": "0",
    "Region": "ap-guangzhou",
    "SecretId": SECRET_ID,
    "Timestamp": "1465185768",
    "Version": "2017-03-12",
    "Signature": "EliP9YW3pW28FpsEdkXt/+WcGeI=",
}


def test_the_published_v1_signature_is_verified() -> None:
    check(request("GET", headers={"Host": "cvm.tencentcloudapi.com"}, params=V1_VECTOR), now=1465185768)


@pytest.mark.parametrize(
    ("method", "signature"),
    [
        ("HmacSHA256", "0EEm/HtGRr/VJXTAD9tYMth1Bzm3lLHz5RCDv1GdM8s="),
        ("HmacSHA1", "nPVnY6njQmwQ8ciqbPl5Qe+Oru4="),
    ],
)
def test_the_published_legacy_signatures_are_verified(method: str, signature: str) -> None:
    params = {
        "Action": "DescribeInstances",
        "InstanceIds.0": "ins-09dx96dg",
        "Nonce": "11886",
        "Region": "ap-guangzhou",
        "SecretId": "AKIDz8krbsJ5yKBZQpn74WFkmLPx3gnPhESA",
        "SignatureMethod": method,
        "Timestamp": "1465185768",
        "Signature": signature,
    }
    sent = request("GET", path="/v2/index.php", headers={"Host": "cvm.api.qcloud.com"}, params=params)
    credential = credential_of(sent)
    assert isinstance(credential, V1Credential)
    verify(sent, credential, "Gu5t9xGARNpq86cd98joQYCN3Cozk1qA", now=1465185768, path_v1=signing.LEGACY_PATH)


# What the SDKs sign


@pytest.mark.parametrize("service", ["vod", "127", "localhost:8080", "[::1]:8266", "cvm"])
def test_the_service_is_taken_from_the_scope(service: str) -> None:
    check(tc3_request(service=service))


@pytest.mark.parametrize(
    ("host", "host_signed"),
    [
        ("127.0.0.1:8266", "127.0.0.1:8266"),
        ("127.0.0.1:8266", "127.0.0.1"),
        ("localhost", "localhost"),
        ("[::1]:8266", "[::1]:8266"),
        ("[::1]:8266", "[::1]"),
        ("[::1]", "[::1]"),
        ("MyMac.local:80", "MyMac.local:80"),
        ("MyMac.local:80", "MyMac.local"),
        ("MyMac.local:80", "mymac.local"),
        ("127.0.0.1:8266", "vod.tencentcloudapi.com"),
        ("127.0.0.1:8266", "vod.intl.tencentcloudapi.com"),
    ],
)
def test_a_signed_host_may_lack_its_port_or_be_the_real_one(host: str, host_signed: str) -> None:
    check(tc3_request(host=host, host_signed=host_signed))
    check(v1_request(V1, V1, host=host_signed), hosts=(*signing.DEFAULT_HOSTS, host, host_signed))


def test_no_other_host_may_be_signed() -> None:
    with pytest.raises(SignatureFailure):
        check(tc3_request(host_signed="cvm.tencentcloudapi.com"))
    with pytest.raises(SignatureFailure):
        check(v1_request(V1, V1, host="cvm.tencentcloudapi.com"))
    check(v1_request(V1, V1, host="127.0.0.1"))


MULTIPART_RAW = "multipart/form-data; charset=utf-8; boundary=AbC-123"


@pytest.mark.parametrize(
    ("content_type", "content_type_signed"),
    [
        ("application/json", "application/json"),
        ("application/json; charset=utf-8", "application/json; charset=utf-8"),
        ("application/json; charset=UTF-8", "application/json; charset=utf-8"),
        ("application/json; charset=UTF-8", "application/json; charset=UTF-8"),
        (MULTIPART_RAW, MULTIPART_RAW),
        (MULTIPART_RAW, MULTIPART_RAW.lower()),
    ],
)
def test_the_content_type_may_be_signed_as_sent_or_lower_cased(content_type: str, content_type_signed: str) -> None:
    check(tc3_request(content_type=content_type, content_type_signed=content_type_signed))
    check(
        tc3_request(
            host="MyMac.local:80",
            host_signed="mymac.local:80",
            content_type=content_type,
            content_type_signed=content_type_signed,
        )
    )


@pytest.mark.parametrize(
    ("action_signed", "content_type_signed"),
    [
        ("pullevents", "application/json; charset=utf-8"),
        ("pullevents", "application/json; charset=UTF-8"),
        ("PullEvents", "application/json; charset=UTF-8"),
    ],
)
def test_other_signed_headers_may_be_lower_cased_or_as_sent(action_signed: str, content_type_signed: str) -> None:
    signed = [("content-type", content_type_signed), ("host", "127.0.0.1:8266"), ("x-tc-action", action_signed)]
    check(tc3_request(content_type="application/json; charset=UTF-8", signed=signed))


def test_header_values_are_trimmed() -> None:
    check(tc3_request(content_type="  application/json ", content_type_signed="application/json"))


def test_an_unsigned_payload_is_not_verified() -> None:
    sent = tc3_request(payload=b"UNSIGNED-PAYLOAD", extra={"X-TC-Content-SHA256": "UNSIGNED-PAYLOAD"})
    check(replace(sent, body=b"whatever"))


def test_an_unsigned_payload_must_be_announced() -> None:
    with pytest.raises(SignatureFailure):
        check(tc3_request(payload=b"UNSIGNED-PAYLOAD"))


def test_a_get_signs_its_query_as_sent_and_no_body() -> None:
    query = "Z=1&A=b+c%2f&EventHandles.0=%E4%BA%91"
    sent = tc3_request(method="GET", query=query, payload=b"", content_type="application/x-www-form-urlencoded")
    check(replace(sent, method="GET", query=query, body=b""))
    with pytest.raises(SignatureFailure):
        check(replace(sent, method="GET", query=query.replace("%2f", "%2F"), body=b""))


def test_a_post_signs_no_query() -> None:
    check(replace(tc3_request(), query="trace=1"))


@pytest.mark.parametrize("digest", [hashlib.sha1, hashlib.sha256])
@pytest.mark.parametrize("dotted", [True, False])
@pytest.mark.parametrize("drops_empty", [True, False])
def test_v1_keys_may_be_dotted_and_empty_values_dropped(digest: Any, dotted: bool, drops_empty: bool) -> None:
    sent = V1 | {"Region": "", "Ext_Info": "a_b c&=+", "EventHandles.3": "云", "EventHandles.10": "x"}
    if digest is hashlib.sha256:
        sent["SignatureMethod"] = "HmacSHA256"
    signed = {
        key.replace("_", ".") if dotted else key: value for key, value in sent.items() if value or not drops_empty
    }
    check(v1_request(signed, sent, digest=digest))


@pytest.mark.parametrize("method", ["HmacSHA1", "hmacsha256", "HMACSHA256", "nonsense", ""])
def test_any_other_signature_method_means_sha1(method: str) -> None:
    params = V1 | {"SignatureMethod": method}
    check(v1_request(params, params, digest=hashlib.sha1))
    with pytest.raises(SignatureFailure):
        check(v1_request(params, params, digest=hashlib.sha256))


def test_the_legacy_api_signs_its_own_host_and_path() -> None:
    sent = v1_request(V1, V1, host="vod.api.qcloud.com", path="/v2/index.php")
    check(sent, path_v1=signing.LEGACY_PATH, hosts=signing.LEGACY_HOSTS)
    with pytest.raises(SignatureFailure):
        check(sent, hosts=signing.LEGACY_HOSTS)


# Who sent it


def test_a_tc3_header_is_read() -> None:
    credential = credential_of(VECTOR_ACTION_SIGNED)
    assert credential == Tc3Credential(
        secret_id=SECRET_ID,
        date="2019-02-25",
        service="cvm",
        signed_headers=("content-type", "host", "x-tc-action"),
        signature="644be983de9a8a3f00db8eadaba61467c3b429e2215758ba897b738ca469fd26",
        timestamp=1551113065,
    )


def test_a_tc3_header_may_lack_spaces_and_order() -> None:
    header = VECTOR_POST.headers["Authorization"]
    scheme, credential, names, signature = header.replace(",", "").split(" ")
    headers = dict(VECTOR_POST.headers) | {
        "Authorization": f"{scheme}  {signature},{names.replace('content-type;host', 'Host;Content-Type')},{credential}"
    }
    check(replace(VECTOR_POST, headers=CIMultiDict(headers)), now=1551113065)


def test_the_header_wins_over_parameters() -> None:
    sent = replace(VECTOR_GET, params=V1_VECTOR)
    assert isinstance(credential_of(sent), Tc3Credential)
    skipping = request(headers={"Authorization": "SKIP"}, params=V1_VECTOR)
    assert isinstance(credential_of(skipping), Unsigned)


def test_without_any_signature_a_request_is_unsigned() -> None:
    assert credential_of(request()) == Unsigned(None)
    assert credential_of(request(headers={"Authorization": "SKIP"})) == Unsigned(None)
    assert credential_of(request(params={"SecretId": "AKID"})) == Unsigned("AKID")


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("", "signature method"),
        ("Bearer abc", "Bearer"),
        ("TC3-HMAC-SHA1 Credential=a/b/c/tc3_request", "TC3-HMAC-SHA1"),
        ("TC3-HMAC-SHA256 Signature=ab, SignedHeaders=host", "`Credential`"),
        ("TC3-HMAC-SHA256 Signature=, Credential=a/b/c/tc3_request, SignedHeaders=host", "`Signature`"),
        ("TC3-HMAC-SHA256 Credential=a/b/c/tc3_request, SignedHeaders=host, Signature=", "`Signature`"),
        ("TC3-HMAC-SHA256", "`Credential`"),
        ("TC3-HMAC-SHA256 SignedHeaders=host, Signature=ab", "`Credential`"),
        ("TC3-HMAC-SHA256 Credential=, SignedHeaders=host, Signature=ab", "`Credential`"),
        ("TC3-HMAC-SHA256 Credential=a/b/c/tc3_request, Signature=ab", "`SignedHeaders`"),
        ("TC3-HMAC-SHA256 Credential=a/b/c/tc3_request, SignedHeaders=host", "`Signature`"),
        ("TC3-HMAC-SHA256 Credential=a/b/c/aws4_request, SignedHeaders=host, Signature=ab", "a/b/c/aws4_request"),
        ("TC3-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=ab", "tc3_request"),
        ("TC3-HMAC-SHA256 Credential=/b/c/tc3_request, SignedHeaders=host, Signature=ab", "/b/c/tc3_request"),
    ],
)
def test_a_malformed_header_is_refused_with_the_reason(header: str, named: str) -> None:
    with pytest.raises(InvalidAuthorization, match=named):
        credential_of(request(headers={"Authorization": header, "X-TC-Timestamp": "1"}))


def test_tc3_needs_a_timestamp() -> None:
    headers = CIMultiDict(VECTOR_POST.headers)
    del headers["X-TC-Timestamp"]
    with pytest.raises(MissingParameter, match="`Timestamp`"):
        credential_of(replace(VECTOR_POST, headers=headers))


@pytest.mark.parametrize("name", ["SecretId", "Timestamp", "Nonce"])
def test_v1_needs_its_other_parameters(name: str) -> None:
    params = {key: value for key, value in V1_VECTOR.items() if key != name}
    with pytest.raises(MissingParameter, match=f"`{name}`"):
        credential_of(request(params=params))


@pytest.mark.parametrize(
    "text", ["", "x", "1.5", "-1", "+1", "1_0", " 1", "१", "1e3", "18446744073709551616", "9" * 5000]
)
def test_numbers_are_digits(text: str) -> None:
    for name in ("Timestamp", "Nonce"):
        with pytest.raises(InvalidParameter, match=rf"^Parameter `{name}` type error\.$"):
            credential_of(request(params=V1_VECTOR | {name: text}))
    with pytest.raises(InvalidParameter, match=r"^Parameter `Timestamp` type error\.$"):
        credential_of(replace(VECTOR_POST, headers=CIMultiDict(dict(VECTOR_POST.headers) | {"X-TC-Timestamp": text})))


@pytest.mark.parametrize("nonce", ["0", "65535", "9223372036854775807"])
def test_every_nonce_of_an_sdk_is_accepted(nonce: str) -> None:
    params = V1 | {"Nonce": nonce}
    check(v1_request(params, params))


# What must not pass

VALID_TC3 = tc3_request(extra={"X-Extra": "a"})
VALID_V1 = v1_request(V1, V1)


@pytest.mark.parametrize(
    "tampered",
    [
        replace(VALID_TC3, body=BODY + b" "),
        replace(VALID_TC3, method="PUT"),
        replace(VALID_TC3, path="/other"),
        *(
            replace(VALID_TC3, headers=CIMultiDict(dict(VALID_TC3.headers) | change))
            for change in (
                {"Host": "127.0.0.2:8266"},
                {"Content-Type": "text/plain"},
                {"X-TC-Timestamp": str(NOW + 1)},
                {"X-TC-Content-SHA256": "UNSIGNED-PAYLOAD"},
                {"Authorization": VALID_TC3.headers["Authorization"].replace("/vod/", "/cvm/")},
                {"Authorization": VALID_TC3.headers["Authorization"].replace(";host", ";host;x-extra")},
                {"Authorization": VALID_TC3.headers["Authorization"][:-1]},
                {"Authorization": VALID_TC3.headers["Authorization"][:-64] + "é" * 64},
                {"Authorization": VALID_TC3.headers["Authorization"][:-64] + "\udce9" * 64},
                {"Host": "\udce9"},
            )
        ),
        replace(VALID_V1, method="GET"),
        replace(VALID_V1, headers=CIMultiDict({"Host": "other"})),
        replace(VALID_V1, headers=CIMultiDict()),
        *(
            replace(VALID_V1, params=dict(VALID_V1.params) | change)
            for change in (
                {"Action": "ConfirmEvents"},
                {"Nonce": "11887"},
                {"Timestamp": str(NOW + 1)},
                {"SignatureMethod": "HmacSHA256"},
                {"More": "x"},
                {"More": ""} | {"Version": "x"},
                {"Signature": ""},
                {"Signature": "签名"},
            )
        ),
    ],
)
def test_a_tampered_request_fails(tampered: Request) -> None:
    check(VALID_TC3)
    check(VALID_V1)
    with pytest.raises(SignatureFailure):
        check(tampered)


def test_another_secret_key_fails() -> None:
    for sent in (VALID_TC3, VALID_V1):
        with pytest.raises(SignatureFailure):
            check(sent, secret_key=SECRET_KEY.lower())


@pytest.mark.parametrize("sent", [VALID_TC3, VALID_V1])
@pytest.mark.parametrize("away", [300, -300, 299.9])
def test_a_timestamp_may_be_five_minutes_away(sent: Request, away: float) -> None:
    check(sent, now=NOW + away)


@pytest.mark.parametrize("sent", [VALID_TC3, VALID_V1])
@pytest.mark.parametrize("away", [301, -301, 300.5, 10**9])
def test_a_timestamp_farther_away_is_expired_and_gets_the_time(sent: Request, away: float) -> None:
    with pytest.raises(SignatureExpire) as caught:
        check(sent, now=NOW + away)
    assert caught.value.values == {"server_time": int(NOW + away)}


def test_expiry_is_reported_before_a_wrong_signature() -> None:
    for sent in (VALID_TC3, VALID_V1):
        with pytest.raises(SignatureExpire):
            check(sent, secret_key="wrong", now=NOW + 301)


def test_a_timestamp_beyond_all_calendars_is_expired() -> None:
    headers = CIMultiDict(dict(VALID_TC3.headers) | {"X-TC-Timestamp": "18446744073709551615"})
    with pytest.raises(SignatureExpire):
        check(replace(VALID_TC3, headers=headers))


def test_the_scope_has_the_utc_date_of_the_timestamp() -> None:
    with pytest.raises(InvalidAuthorization, match=r"`2023-11-15`.*`2023-11-14`"):
        check(tc3_request(date="2023-11-15"))


@pytest.mark.parametrize("missing", ["content-type", "host"])
def test_content_type_and_host_have_to_be_signed(missing: str) -> None:
    signed = [(n, v) for n, v in [("content-type", "application/json"), ("host", "127.0.0.1:8266")] if n != missing]
    with pytest.raises(InvalidAuthorization, match=f"`{missing}`"):
        check(tc3_request(signed=signed))


def test_a_signed_header_has_to_be_sent() -> None:
    signed = [("content-type", "application/json"), ("host", "127.0.0.1:8266"), ("x-absent", "")]
    with pytest.raises(InvalidAuthorization, match="`x-absent`"):
        check(tc3_request(signed=signed))


def test_a_strict_check_requires_the_service_vod() -> None:
    check(tc3_request(service="vod"), strict_service=True)
    with pytest.raises(InvalidAuthorization, match="`Service` in Credential not valid"):
        check(tc3_request(service="127"), strict_service=True)


def test_a_malformed_header_is_reported_before_expiry() -> None:
    with pytest.raises(InvalidAuthorization):
        check(tc3_request(service="127"), strict_service=True, now=NOW + 301)


# Our own clients

param_names = st.text("abcXYZ._", min_size=1).filter(lambda name: name != "Signature")


@given(
    st.binary(max_size=200),
    st.text(max_size=40),
    st.integers(0, 4_000_000_000),
    st.sampled_from(["a:1", "B", "[::1]:2"]),
)
def test_what_our_clients_sign_is_verified(body: bytes, secret_key: str, timestamp: int, host: str) -> None:
    headers = signing.tc3_headers(
        secret_id=SECRET_ID, secret_key=secret_key, host=host, action="PullEvents", body=body, timestamp=timestamp
    )
    sent = request(headers=headers, body=body)
    check(sent, secret_key=secret_key, now=timestamp, strict_service=True)
    with pytest.raises(SignatureFailure):
        check(replace(sent, body=body + b"."), secret_key=secret_key, now=timestamp)


def test_our_clients_sign_the_published_signature() -> None:
    headers = signing.tc3_headers(
        secret_id=SECRET_ID,
        secret_key=SECRET_KEY,
        host="cvm.tencentcloudapi.com",
        action="DescribeInstances",
        body=VECTOR_BODY,
        timestamp=1551113065,
        service="cvm",
        content_type="application/json; charset=utf-8",
    )
    assert headers["Authorization"] == VECTOR_ACTION_SIGNED.headers["Authorization"]


@given(st.dictionaries(param_names, st.text(max_size=10)), st.sampled_from(["sha1", "sha256"]))
def test_what_the_v1_functions_sign_is_verified(params: dict[str, str], digest: str) -> None:
    params |= V1 | ({"SignatureMethod": "HmacSHA256"} if digest == "sha256" else {})
    text = signing.v1_string_to_sign("POST", "h", "/", params.items())
    signature = signing.v1_signature(SECRET_KEY, text, digest)
    check(request(headers={"Host": "h"}, params=params | {"Signature": signature}))


@given(st.text(max_size=80), st.dictionaries(st.sampled_from([*V1, "Signature"]), st.text(max_size=20)))
def test_garbage_gives_an_api_error(claims: str, params: dict[str, str]) -> None:
    for headers in ({"Authorization": f"TC3-HMAC-SHA256 {claims}", "X-TC-Timestamp": claims}, {}):
        sent = request(headers=headers, params=params)
        try:
            credential = credential_of(sent)
            if not isinstance(credential, Unsigned):
                verify(sent, credential, SECRET_KEY, now=NOW)
        except ApiError:
            continue
        assert isinstance(credential, Unsigned)


# Tencent's own SDK, its transport replaced


def sdk_request(method: str, sign_method: str, *, unsigned_payload: bool = False, **call: Any) -> Request:
    """What the SDK puts on the wire for one call."""
    profile = ClientProfile(
        signMethod=sign_method, httpProfile=HttpProfile(protocol="http", endpoint="127.0.0.1:8266", reqMethod=method)
    )
    profile.unsignedPayload = unsigned_payload
    client = CommonClient(
        "vod", "2018-07-17", sdk_credential.Credential(SECRET_ID, SECRET_KEY), "ap-guangzhou", profile=profile
    )
    caught: list[Any] = []

    def send(prepared: Any, **_: Any) -> Any:
        caught.append(prepared)
        return SimpleNamespace(status_code=200, headers={}, content=b'{"Response": {}}')

    client.request.conn._session.send = send
    client.call_json("pullEvents", **call)
    [prepared] = caught
    body = prepared.body or b""
    body = body.encode() if isinstance(body, str) else body
    query = urlsplit(prepared.url).query
    params: dict[str, str] = {}
    if sign_method != "TC3-HMAC-SHA256":
        params = dict(parse_qsl(query if method == "GET" else body.decode(), keep_blank_values=True))
    return request(method, query=query, headers=prepared.headers, body=body, params=params)


def sent_at(sent: Request) -> int:
    return int(sent.headers.get("X-TC-Timestamp") or sent.params["Timestamp"])


SDK_PARAMS = {"EventHandles": ["a b", "云/+=~*"], "Ext_Info": "", "Nested": {"Deep": [{"X_Y": 1}], "On": True}}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("sign_method", ["TC3-HMAC-SHA256", "HmacSHA1", "HmacSHA256"])
def test_requests_of_the_python_sdk_are_verified(method: str, sign_method: str) -> None:
    sent = sdk_request(method, sign_method, params=SDK_PARAMS)
    check(sent, now=sent_at(sent), strict_service=True)
    with pytest.raises(SignatureFailure):
        check(sent, now=sent_at(sent), secret_key="wrong")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unsigned_payloads_of_the_python_sdk_are_verified(method: str) -> None:
    sent = sdk_request(method, "TC3-HMAC-SHA256", unsigned_payload=True, params=SDK_PARAMS)
    assert sent.headers["X-TC-Content-SHA256"] == "UNSIGNED-PAYLOAD"
    check(sent, now=sent_at(sent))


def test_multipart_bodies_of_the_python_sdk_are_verified_and_read() -> None:
    params = {"ExtInfo": "云\r\n", "EventHandles": ["a", "b"], "Nested": {"On": True}, "File": bytes(range(256))}
    sent = sdk_request(
        "POST", "TC3-HMAC-SHA256", params=params, options={"IsMultipart": True, "BinaryParams": ["File"]}
    )
    check(sent, now=sent_at(sent))
    assert parse_multipart(sent.body, sent.headers["Content-Type"]) == params


def test_a_multipart_body_of_the_python_sdk_may_be_empty() -> None:
    sent = sdk_request("POST", "TC3-HMAC-SHA256", params={}, options={"IsMultipart": True})
    check(sent, now=sent_at(sent))
    assert parse_multipart(sent.body, sent.headers["Content-Type"]) == {}


def test_a_call_of_the_python_sdk_that_skips_signing_is_unsigned() -> None:
    sent = sdk_request("POST", "TC3-HMAC-SHA256", params={}, options={"SkipSign": True})
    assert credential_of(sent) == Unsigned(None)
    assert json.loads(sent.body) == {}


# A proxy that replaces the Host header


@pytest.mark.parametrize(
    ("host", "headers"),
    [
        ("api.example.com", {"X-Forwarded-Host": "api.example.com, 10.0.0.1"}),
        ("api.example.com:8443", {"Forwarded": 'for=1.2.3.4;host="api.example.com:8443";proto=https'}),
        ("localhost:8266", {}),
        ("mockvod:8266", {}),
    ],
)
def test_a_replaced_host_is_named_with_the_one_that_was_signed(host: str, headers: dict[str, str]) -> None:
    tc3 = tc3_request(host="backend:1234", host_signed=host, extra=headers)
    v1 = v1_request(V1, V1, host=host)
    v1 = replace(v1, headers=CIMultiDict({"Host": "backend:1234"} | headers))
    for sent in (tc3, v1):
        with pytest.raises(SignedForOtherHost) as caught:
            check(sent)
        assert caught.value.code == "AuthFailure.SignatureFailure"
        assert caught.value.values == {"signed": host, "received": "backend:1234"}


def test_white_space_at_the_end_of_a_signature_is_ignored() -> None:
    sent = v1_request(V1, V1)
    check(replace(sent, params={**sent.params, "Signature": sent.params["Signature"] + "\n"}))
