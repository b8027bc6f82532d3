"""Object storage as upload SDKs speak it: the signature of a request, checksums, and XML documents.

The recipe of the signature gives what Tencent's SDKs for Python, Node and browsers were recorded to send.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from html import escape
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, quote, unquote

Tree = str | Iterable[tuple[str, "Tree"]]

_FIELDS: Final = ("q-ak", "q-sign-time", "q-key-time", "q-header-list", "q-url-param-list", "q-signature")


class StorageError(Exception):
    """An error of the storage: an HTTP status, a code, and a message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Authorization(NamedTuple):
    """The header Authorization of a storage request, parsed."""

    secret_id: str
    sign_time: str
    key_time: str
    headers: list[str]
    params: list[str]
    signature: str


def read_authorization(text: str) -> Authorization:
    """Raises StorageError (InvalidArgument) for a header that is not of the documented form."""
    fields = dict(part.partition("=")[::2] for part in text.split("&"))
    if fields.get("q-sign-algorithm") != "sha1" or not all(name in fields for name in _FIELDS):
        raise StorageError(403, "AccessDenied", "the header Authorization is not a signature of the storage")
    ak, sign_time, key_time, headers, params, signature = (fields[name] for name in _FIELDS)
    if not re.fullmatch(r"[0-9]{1,12};[0-9]{1,12}", sign_time):
        raise StorageError(403, "AccessDenied", f"q-sign-time {sign_time[:40]!r} is not two moments")
    return Authorization(ak, sign_time, key_time, _listed(headers), _listed(params), signature)


def _listed(names: str) -> list[str]:
    return [unquote(name) for name in names.split(";") if name]


def check(
    authorization: Authorization,
    secret_key: str,
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    now: float,
) -> None:
    """Raise StorageError unless the request was signed with *secret_key* and is valid at *now*.

    *path* is decoded, *query* still encoded.
    """
    begins, ends = map(int, authorization.sign_time.split(";"))
    if not begins - 300 <= now <= ends:
        raise StorageError(403, "RequestTimeTooSkewed", f"the signature is valid from {begins} to {ends}")
    params = {name.lower(): value for name, value in parse_qsl(query, keep_blank_values=True)}
    signed_params = _pairs({name: params.get(name.lower(), "") for name in authorization.params})
    signed_headers = _pairs({name: headers.get(name, "") for name in authorization.headers})
    text = f"{method.lower()}\n{path}\n{signed_params}\n{signed_headers}\n"
    to_sign = f"sha1\n{authorization.sign_time}\n{hashlib.sha1(text.encode()).hexdigest()}\n"
    key = hmac.new(secret_key.encode(), authorization.key_time.encode(), hashlib.sha1).hexdigest()
    expected = hmac.new(key.encode(), to_sign.encode(), hashlib.sha1).hexdigest()
    signature = authorization.signature
    if not signature.isascii() or not hmac.compare_digest(expected, signature):
        raise StorageError(403, "SignatureDoesNotMatch", "the signature was not made with the key of its q-ak")


def _pairs(members: Mapping[str, str]) -> str:
    encoded = {name.lower(): quote(value, safe="-_.~") for name, value in members.items()}
    return "&".join(f"{quote(name, safe='-_.~')}={value}" for name, value in sorted(encoded.items()))


# --- CRC-64 of ECMA-182, as the header x-cos-hash-crc64ecma has it


@cache
def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xC96C5795D7870F42 if crc & 1 else 0)
        table.append(crc)
    return table


def crc64(data: bytes, crc: int = 0) -> int:
    """Continue the checksum *crc* of earlier bytes with *data*. Takes 0.1 s per megabyte."""
    table = _crc_table()
    crc ^= 0xFFFFFFFFFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFFFFFFFFFF


# --- XML


def xml_pieces(name: str, elements: Iterable[tuple[str, Tree]]) -> Iterator[bytes]:
    """The pieces of a document with the element *name*, one for each of the *elements* in it."""
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<{name}>'.encode()
    for one in elements:
        yield _element(*one).encode(errors="backslashreplace")
    yield f"</{name}>".encode()


def _allowed(character: str) -> bool:
    return character >= " " or character in "\t\n\r"


def _element(name: str, tree: Tree) -> str:
    inside = (
        escape("".join(filter(_allowed, tree)), quote=False)
        if isinstance(tree, str)
        else "".join(_element(*one) for one in tree)
    )
    return f"<{name}>{inside}</{name}>"


def completed_parts(document: bytes) -> list[tuple[int, str]]:
    """Number and ETag of each part of a CompleteMultipartUpload. Raises StorageError (MalformedXML)."""
    # Read by hand: SDKs send this one form, and an XML parser would follow entities of hostile documents.
    parts = []
    for piece in document.decode(errors="replace").split("<Part>")[1:]:
        number, etag = (_inside(piece, name) for name in ("PartNumber", "ETag"))
        if not (number.isascii() and number.isdecimal() and len(number) <= 5) or not etag:
            raise StorageError(400, "MalformedXML", "a Part needs PartNumber and ETag")
        parts.append((int(number), etag.replace("&quot;", "").replace("&#34;", "").strip('"')))
    if not parts:
        raise StorageError(400, "MalformedXML", "the body names no Part")
    return parts


def _inside(piece: str, name: str) -> str:
    """The text of the first element *name* in *piece*, at most 100 characters of it."""
    return piece.partition(f"<{name}>")[2].partition(f"</{name}>")[0][:100].strip()
