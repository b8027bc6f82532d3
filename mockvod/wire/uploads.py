"""Requests of API 3.0 that upload media, and the upload signature of browsers and apps.

Sources: ApplyUpload 266/31767, CommitUpload 266/31766, PullUpload 266/35575, ParseStreamingManifest as the SDK's models
have them; the upload signature 266/9221.
"""

import base64
import hashlib
import hmac
import re
from typing import Annotated, Any, Final, Literal, NamedTuple
from urllib.parse import parse_qsl, urlencode

from pydantic import AfterValidator, Field, StringConstraints

from mockvod.wire.processing import Date, Request, SessionContext, SessionId, Text

SIGNATURE_BYTES: Final = 8192
LIFETIME: Final = 7_776_000
"""The longest validity of an upload signature, in seconds."""

MediaType = Annotated[str, StringConstraints(max_length=20, pattern=r"^[A-Za-z0-9]+$")]
CoverType = Annotated[str, StringConstraints(max_length=20, pattern=r"^[A-Za-z0-9]*$")]


def _without_dots(path: str) -> str:
    if not {".", ".."}.isdisjoint(path.split("/")):
        msg = "must have no segments . and .., which clients take out of the address of an upload"
        raise ValueError(msg)
    return path


StoragePath = Annotated[
    str, StringConstraints(max_length=1_000, pattern=r"^(/[^?#\\]+)?$"), AfterValidator(_without_dots)
]
SourceContext = Annotated[str, StringConstraints(max_length=250)]
FileName = Annotated[str, StringConstraints(max_length=300)]
Address = Annotated[str, StringConstraints(max_length=2_048)]


class NewMedia(Request):
    """What every request that uploads a media file has."""

    media_name: FileName = ""
    procedure: Text = ""
    expire_time: Date | None = None
    storage_region: Text = ""
    class_id: int = 0
    source_context: SourceContext = ""
    session_context: SessionContext = ""
    media_storage_path: StoragePath = ""
    ext_info: str = ""


class ApplyUpload(NewMedia):
    media_type: MediaType
    cover_type: CoverType = ""


class CommitUpload(Request):
    vod_session_key: Annotated[str, StringConstraints(max_length=2_000)]


class PullUpload(NewMedia):
    media_url: Address
    media_type: CoverType = ""
    cover_url: Address = ""
    session_id: SessionId = ""
    tasks_priority: Annotated[int, Field(ge=-10, le=10)] = 0


class ParseStreamingManifest(Request):
    media_manifest_content: Annotated[str, StringConstraints(max_length=1_000_000)]
    manifest_type: Literal["m3u8", "mpd"] = "m3u8"


class SignatureError(Exception):
    """An invalid upload signature; the message says why."""


class UploadSignature(NamedTuple):
    """What a browser or an app is allowed to upload, as the application's server signed it."""

    digest: bytes
    original: bytes
    members: dict[str, str]

    @property
    def secret_id(self) -> str:
        return self.members.get("secretId", "")

    def number(self, name: str, lowest: int = 0, highest: int = 2**53) -> int:
        """A whole number among the members; 0 without it. Raises SignatureError."""
        text = self.members.get(name, "0")
        if not re.fullmatch(r"-?[0-9]{1,18}", text) or not lowest <= int(text) <= highest:
            raise SignatureError(f"{name} {text[:30]!r} is not a whole number from {lowest} to {highest}")
        return int(text)

    def check(self, secret_key: str, now: float) -> None:
        """Raise SignatureError unless it was made with *secret_key* and is valid at *now*, in seconds since 1970."""
        expected = hmac.digest(secret_key.encode(), self.original, "sha1")
        if not hmac.compare_digest(expected, self.digest):
            raise SignatureError("it was not made with the SecretKey of its SecretId")
        began, ends = self.number("currentTimeStamp"), self.number("expireTime")
        if not now <= ends <= began + LIFETIME:
            raise SignatureError(f"expireTime {ends} is past, or more than {LIFETIME} s after currentTimeStamp {began}")


def read_signature(text: object) -> UploadSignature:
    """Read an upload signature: Base64 of an HMAC-SHA1 and the query that it signs. Raises SignatureError."""
    if not isinstance(text, str) or not text or len(text) > SIGNATURE_BYTES:
        raise SignatureError("it is missing, or too long")
    try:
        raw = base64.b64decode(text, validate=True)
        members = dict(parse_qsl(raw[20:].decode(), keep_blank_values=True))
    except ValueError:
        raise SignatureError("it is not Base64 of an HMAC-SHA1 and a query") from None
    if not members.get("secretId"):
        raise SignatureError("it names no secretId")
    return UploadSignature(raw[:20], raw[20:], members)


def sign_upload(secret_id: str, secret_key: str, *, now: int, lifetime: int = 86400, **members: Any) -> str:
    """An upload signature as an application's server makes it; *members* such as `procedure` or `vodSubAppId`."""
    fields = {"secretId": secret_id, "currentTimeStamp": now, "expireTime": now + lifetime, "random": 1, **members}
    original = urlencode(fields).encode()
    return base64.b64encode(hmac.new(secret_key.encode(), original, hashlib.sha1).digest() + original).decode()
