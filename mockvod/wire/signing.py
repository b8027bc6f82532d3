"""Signatures: the SecretId of a request, and whether its SecretKey signed it.

Two recipes are known: TC3-HMAC-SHA256, in headers (document "Signature v3"), and the older HmacSHA1 and HmacSHA256,
in parameters, which API 2.0 shares (document "Signature"). Tencent's SDKs differ in what exactly they sign, so a check
tries every reading of the request that one of them is known to sign. Nothing here reads the time: *now* is an
argument, in seconds since 1970.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from mockvod.wire.errors import (
    InvalidAuthorization,
    InvalidParameter,
    MissingParameter,
    SignatureExpire,
    SignatureFailure,
    SignedForOtherHost,
)

GET_LIMIT = 32 * 1024
"""Bytes that a GET request may have (document "Request structure")."""
V1_LIMIT = 1024 * 1024
"""Bytes that the body of a POST request signed with HmacSHA1 or HmacSHA256 may have."""
TC3_LIMIT = 10 * 1024 * 1024
"""Bytes that the body of a POST request signed with TC3-HMAC-SHA256 may have."""

TOLERANCE = 300
"""Seconds that a request's timestamp may be away from the server's time, on either side."""

DEFAULT_HOSTS = ("vod.tencentcloudapi.com", "vod.intl.tencentcloudapi.com")
LEGACY_HOSTS = ("vod.api.qcloud.com",)
LEGACY_PATH = "/v2/index.php"

_TC3 = "TC3-HMAC-SHA256"
_UNSIGNED_PAYLOAD = b"UNSIGNED-PAYLOAD"


@dataclass(slots=True)  # not frozen: one is made per request, and freezing doubles the cost
class Request:
    """The parts of a request that are signed.

    *query* is the query string exactly as sent, without ``?``. *headers* finds names in any case. *params* are the
    decoded parameters of the older recipe: from the query of a GET, from the form body of a POST.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    params: Mapping[str, str]


class Tc3Credential(NamedTuple):  # one per request, as Request
    """The contents of the headers ``Authorization`` and ``X-TC-Timestamp``, unverified."""

    secret_id: str
    date: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: int

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.service}/tc3_request"


class V1Credential(NamedTuple):
    """The parameters ``SecretId``, ``Timestamp``, ``Signature`` and ``SignatureMethod``, unverified."""

    secret_id: str
    signature: str
    timestamp: int
    digest: str


class Unsigned(NamedTuple):
    """A request without a signature. It may have a SecretId among its parameters."""

    secret_id: str | None = None


_UNSIGNED = Unsigned()


def credential_of(request: Request) -> Tc3Credential | V1Credential | Unsigned:
    """The signature of *request*, unverified.

    Raises InvalidAuthorization for a header of another scheme or shape, MissingParameter and InvalidParameter for what
    must come with a signature.
    """
    authorization = request.headers.get("Authorization")
    if authorization is None:
        return _v1_credential(request.params) if "Signature" in request.params else _unsigned(request)
    scheme, _, claims = authorization.strip().partition(" ")
    if scheme == _TC3:
        return _tc3_credential(claims, request.headers)
    if scheme == "SKIP":
        return _unsigned(request)
    raise InvalidAuthorization(
        f"the signature method is neither `{_TC3}` nor `SKIP` but `{scheme}`",
        f"签名方法应为 `{_TC3}` 或 `SKIP`，实际为 `{scheme}`",
    )


def verify(
    request: Request,
    credential: Tc3Credential | V1Credential,
    secret_key: str,
    *,
    now: float | None,
    strict_service: bool = False,
    path_v1: str = "/",
    hosts: Sequence[str] = DEFAULT_HOSTS,
) -> None:
    """Return when *credential*, as found in *request*, was made with *secret_key*.

    Signed hosts may be the ``Host`` header, the same without its port, or one of *hosts*. With *strict_service* the
    scope's service has to be ``vod``, as the real endpoint requires; otherwise it may be what a client made of its
    endpoint's name. *path_v1* is the path that the older recipe signs.

    Raises InvalidAuthorization for claims that contradict the documents or the request, SignatureExpire for a timestamp
    more than 300 s away from *now* (None: any will do), and SignatureFailure.
    """
    if isinstance(credential, Tc3Credential):
        _verify_tc3(request, credential, secret_key, now=now, strict_service=strict_service, hosts=hosts)
    else:
        _verify_v1(request, credential, secret_key, now=now, path=path_v1, hosts=hosts)


def tc3_headers(
    *,
    secret_id: str,
    secret_key: str,
    host: str,
    action: str,
    body: bytes,
    timestamp: int,
    version: str = "2018-07-17",
    service: str = "vod",
    content_type: str = "application/json",
) -> dict[str, str]:
    """The headers that make a POST of *body* to *host* a signed call of *action*; *timestamp* in epoch seconds."""
    signed = {"content-type": content_type.lower(), "host": host.lower(), "x-tc-action": action.lower()}
    names = tuple(signed)
    credential = Tc3Credential(secret_id, _utc_date(timestamp), service, names, "", timestamp)
    canonical = tc3_canonical_request("POST", "/", "", signed, hashlib.sha256(body).hexdigest())
    signature = tc3_signature(credential, secret_key, canonical)
    return {
        "Authorization": f"{_TC3} Credential={secret_id}/{credential.scope}, "
        f"SignedHeaders={';'.join(names)}, Signature={signature}",
        "Content-Type": content_type,
        "Host": host,
        "X-TC-Action": action,
        "X-TC-Timestamp": str(timestamp),
        "X-TC-Version": version,
    }


def tc3_canonical_request(method: str, path: str, query: str, headers: Mapping[str, str], payload_hash: str) -> str:
    """The text whose hash is signed. *headers* are the signed ones, sorted, by lower-case name.

    The documents lower-case their values too; that is left to the caller, because not every SDK does.
    """
    lines = "".join([f"{name}:{value}\n" for name, value in headers.items()])
    return f"{method}\n{path}\n{query}\n{lines}\n{';'.join(headers)}\n{payload_hash}"


def tc3_signature(credential: Tc3Credential, secret_key: str, canonical: str) -> str:
    """The lower-case hex signature of a canonical request, for the time and the scope that *credential* names."""
    hashed = hashlib.sha256(_encoded(canonical)).hexdigest()
    signing = _tc3_signing(secret_key, credential.date, credential.service).copy()
    signing.update(_encoded(f"{_TC3}\n{credential.timestamp}\n{credential.scope}\n{hashed}"))
    return signing.hexdigest()


def v1_string_to_sign(method: str, host: str, path: str, params: Iterable[tuple[str, str]]) -> str:
    """*params*: decoded values, and the ``Signature`` left out."""
    return f"{method}{host}{path}?{'&'.join(f'{key}={value}' for key, value in sorted(params))}"


def v1_signature(secret_key: str, text: str, digest: str = "sha1") -> str:
    """The base64 signature of *text*; *digest* is ``sha1`` or ``sha256``."""
    return base64.b64encode(hmac.digest(_encoded(secret_key), _encoded(text), digest)).decode("ascii")


def _unsigned(request: Request) -> Unsigned:
    secret_id = request.params.get("SecretId")
    return _UNSIGNED if secret_id is None else Unsigned(secret_id)


def _tc3_credential(claims: str, headers: Mapping[str, str]) -> Tc3Credential:
    others, _, last = claims.rpartition(",")
    name, _, signature = last.strip().partition("=")
    if name != "Signature":  # every SDK puts it last
        others, signature = claims, _read_claims(claims).get("Signature", "")
    secret_id, date, service, signed_headers = _lasting_claims(others)
    if not signature:
        raise _missing_claim("Signature")
    timestamp = headers.get("X-TC-Timestamp")
    if timestamp is None:
        raise MissingParameter(name="Timestamp")
    return Tc3Credential(secret_id, date, service, signed_headers, signature, _read_timestamp(timestamp))


def _missing_claim(name: str) -> InvalidAuthorization:
    return InvalidAuthorization(f"`{name}` is missing", f"缺少 `{name}`")


def _read_claims(claims: str) -> dict[str, str]:
    return dict([claim.strip().partition("=")[::2] for claim in claims.split(",")])


@lru_cache(maxsize=128)  # changes once a day
def _lasting_claims(claims: str) -> tuple[str, str, str, tuple[str, ...]]:
    """SecretId, date, service, and the names of the signed headers, sorted."""
    found = _read_claims(claims)
    for name in ("Credential", "SignedHeaders"):
        if not found.get(name):
            raise _missing_claim(name)
    credential = found["Credential"]
    parts = credential.rsplit("/", 3)
    if len(parts) != 4 or not all(parts) or parts[3] != "tc3_request":
        raise InvalidAuthorization(
            f"Credential is not `<SecretId>/<date>/<service>/tc3_request` but `{credential}`",
            f"Credential 应为 `<SecretId>/<date>/<service>/tc3_request`，实际为 `{credential}`",
        )
    return parts[0], parts[1], parts[2], tuple(sorted(found["SignedHeaders"].lower().split(";")))


def _v1_credential(params: Mapping[str, str]) -> V1Credential:
    for name in ("SecretId", "Timestamp", "Nonce"):
        if name not in params:
            raise MissingParameter(name=name)
    _whole_number("Nonce", params["Nonce"])
    return V1Credential(
        params["SecretId"],
        params["Signature"].rstrip(),  # Ruby's Base64 ends with a newline
        _whole_number("Timestamp", params["Timestamp"]),
        "sha256" if params.get("SignatureMethod") == "HmacSHA256" else "sha1",
    )


def _whole_number(name: str, text: str) -> int:
    # Python draws a Nonce of 63 bits and Node one that may be 0; int() alone would also take "+1", "1_0" and " 1".
    if text.isascii() and text.isdecimal() and len(text) <= 20 and (number := int(text)) < 2**64:
        return number
    raise InvalidParameter(f"Parameter `{name}` type error.", f"参数 `{name}` 类型错误。")


@lru_cache(maxsize=128)
def _read_timestamp(text: str) -> int:
    return _whole_number("Timestamp", text)


def _verify_tc3(
    request: Request,
    credential: Tc3Credential,
    secret_key: str,
    *,
    now: float | None,
    strict_service: bool,
    hosts: Sequence[str],
) -> None:
    if strict_service and credential.service != "vod":
        raise InvalidAuthorization("`Service` in Credential not valid", "Credential 中的 `Service` 无效")
    sent = _signed_headers(request.headers, credential.signed_headers)
    _check_age(credential.timestamp, now)
    if credential.date != (date := _utc_date(credential.timestamp)):
        raise InvalidAuthorization(
            f"`Date` in Credential is `{credential.date}`, the UTC date of `Timestamp` is `{date}`",
            f"Credential 中的 `Date` 为 `{credential.date}`，`Timestamp` 的 UTC 日期为 `{date}`",
        )
    get = request.method == "GET"
    payload = b"" if get else request.body
    if request.headers.get("X-TC-Content-SHA256") == "UNSIGNED-PAYLOAD":
        payload = _UNSIGNED_PAYLOAD
    payload_hash = hashlib.sha256(payload).hexdigest()
    query = request.query if get else ""

    def signed_host(hosts: Iterable[str]) -> str | None:
        for headers in _readings_of_headers(sent, hosts):
            canonical = tc3_canonical_request(request.method, request.path, query, headers, payload_hash)
            if _same(tc3_signature(credential, secret_key, canonical), credential.signature):
                return headers["host"]
        return None

    _check_host(request, signed_host, hosts)


def _check_host(request: Request, signed_host: Callable[[Iterable[str]], str | None], hosts: Sequence[str]) -> None:
    """Return if *signed_host* finds the host of the request or one of *hosts*.

    Raises SignedForOtherHost for a host that a proxy has replaced, else SignatureFailure.
    """
    received = request.headers.get("Host", "")
    if signed_host(_hosts_tried(received, hosts)) is not None:
        return
    if (other := signed_host(_hosts_before_a_proxy(request.headers))) is not None:
        raise SignedForOtherHost(signed=other, received=received)
    raise SignatureFailure


def _signed_headers(headers: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    for name in ("content-type", "host"):
        if name not in names:
            raise InvalidAuthorization(f"`{name}` is not in SignedHeaders", f"SignedHeaders 中没有 `{name}`")
    sent = {}
    for name in names:
        if (value := headers.get(name)) is None:
            raise InvalidAuthorization(
                f"the header `{name}` of SignedHeaders was not sent", f"SignedHeaders 中的 `{name}` 未发送"
            )
        sent[name] = value.strip()
    return sent


def _readings_of_headers(sent: dict[str, str], hosts: Iterable[str]) -> Iterator[dict[str, str]]:
    """The headers that a client with one of *hosts* may have signed, the likeliest first.

    The documents lower-case every value, and the SDKs sign the content type as they send it.
    """
    lowered = {name: value.lower() for name, value in sent.items()}
    tried = []
    for host in hosts:
        tried.append(host)
        yield {**lowered, "host": host}
    for spelling in ({**lowered, "content-type": sent["content-type"]}, sent):
        for host in tried:
            yield {**spelling, "host": host}


def _verify_v1(
    request: Request, credential: V1Credential, secret_key: str, *, now: float | None, path: str, hosts: Sequence[str]
) -> None:
    _check_age(credential.timestamp, now)

    def signed_host(hosts: Iterable[str]) -> str | None:
        hosts = list(hosts)
        for params in _readings_of_params(request.params):
            for host in hosts:
                text = v1_string_to_sign(request.method, host, path, params)
                if _same(v1_signature(secret_key, text, credential.digest), credential.signature):
                    return host
        return None

    _check_host(request, signed_host, hosts)


def _readings_of_params(params: Mapping[str, str]) -> Iterator[list[tuple[str, str]]]:
    """The parameters that a client may have signed, the likeliest first.

    Go sends empty values but leaves them out of what it signs; Python signs its keys with dots for underscores.
    """
    sent = [(key, value) for key, value in params.items() if key != "Signature"]
    filled = [(key, value) for key, value in sent if value]
    for reading in (sent, filled) if filled != sent else (sent,):
        yield reading
        if any("_" in key for key, _ in reading):
            yield [(key.replace("_", "."), value) for key, value in reading]


def _hosts_tried(host: str, hosts: Sequence[str]) -> Iterator[str]:
    yield host.lower()
    # Node signs a host without the port that it sends. The end of an IPv6 address is not a port: a bracket closes it.
    bare = re.sub(r":[0-9]+$", "", host)
    yield from dict.fromkeys((host, bare, bare.lower(), *hosts))


def _hosts_before_a_proxy(headers: Mapping[str, str]) -> Iterator[str]:
    """Hosts that a client may have signed before a proxy replaced Host: those in its headers, and usual names."""
    for name in ("X-Forwarded-Host", "X-Original-Host", "Forwarded"):
        value = headers.get(name, "")[:1000]
        yield from (
            re.findall(r'host="?([^",;\s]+)', value, re.IGNORECASE) if name == "Forwarded" else re.split(r",\s*", value)
        )
    for host in ("localhost", "127.0.0.1", "[::1]", "host.docker.internal", "mockvod"):
        yield from (host, f"{host}:8266", f"{host}:8080")


def _check_age(timestamp: int, now: float | None) -> None:
    if now is not None and abs(now - timestamp) > TOLERANCE:
        raise SignatureExpire(server_time=int(now))


@lru_cache(maxsize=128)  # half the cost of a check; changes once a day
def _tc3_signing(secret_key: str, date: str, service: str) -> hmac.HMAC:
    """An HMAC with the derived key and no text; copy it before use."""
    key = _encoded("TC3" + secret_key)
    for part in (date, service, "tc3_request"):
        key = hmac.digest(key, _encoded(part), "sha256")
    return hmac.new(key, digestmod="sha256")


@lru_cache(maxsize=128)
def _utc_date(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, UTC).date().isoformat()


def _same(computed: str, claimed: str) -> bool:
    return claimed.isascii() and hmac.compare_digest(computed, claimed)


def _encoded(text: str) -> bytes:
    # aiohttp decodes header values that are not UTF-8 to surrogates.
    return text.encode("utf-8", "surrogateescape")
