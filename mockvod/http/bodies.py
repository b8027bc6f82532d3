"""Request bodies: limited in size, in total size while they arrive, and in time."""

import asyncio
import zlib
from typing import Final

from aiohttp import web

from mockvod.http.connections import one_line

BODY_SECONDS: Final = 30.0
"""Real seconds in which a body must arrive."""
UNFINISHED_BYTES: Final = 64 * 1024 * 1024
"""Bytes of all bodies of a server that have arrived in part."""


class BodyError(Exception):
    """A body that is not read; the message says why."""


class BodyTooLarge(BodyError):
    """More bytes than the call may have."""


class BodyTooSlow(BodyError):
    """Not complete in time."""


class TooManyBodies(BodyError):
    """The bodies that are arriving take too many bytes together."""


class MalformedBody(BodyError):
    """Not encoded as in its headers, or cut short."""


class Bodies:
    """Reads the bodies of one server."""

    def __init__(self) -> None:
        self._unfinished = 0

    async def read(self, request: web.Request, limit: int) -> bytes:
        """The body of *request*, of at most *limit* bytes. Raises BodyError."""
        if not request.body_exists:
            return b""  # with aiohttp 3.11, its content has no `total_bytes`
        return _decompressed(await self._read(request, limit), request.headers.get("Content-Encoding", ""), limit)

    async def _read(self, request: web.Request, limit: int) -> bytes:
        content = request.content
        if content.is_eof() and content.exception() is None and content.total_bytes <= limit:
            return content.read_nowait()  # all of it has arrived; the loop below takes three times as long
        if (request.content_length or 0) > limit:
            raise BodyTooLarge(f"the body has {request.content_length} bytes; at most {limit} are allowed")
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while chunk := await content.readany():
                    self._unfinished += len(chunk)
                    body += chunk
                    if len(body) > limit:
                        raise BodyTooLarge(f"the body has more than {limit} bytes")
                    if self._unfinished > UNFINISHED_BYTES:
                        raise TooManyBodies(
                            f"bodies of {UNFINISHED_BYTES} bytes are arriving at the same time: send fewer at once"
                        )
        except TimeoutError:
            raise BodyTooSlow(f"the body did not arrive within {BODY_SECONDS:g} s") from None
        except web.RequestPayloadError as error:
            raise MalformedBody(f"the body is not encoded as the headers say: {one_line(error)}") from None
        finally:
            self._unfinished -= len(body)
        return bytes(body)


def _decompressed(body: bytes, encoding: str, limit: int) -> bytes:
    """*body* without its Content-Encoding. Raises BodyError."""
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        return body
    if encoding not in {"gzip", "deflate"}:
        raise MalformedBody(f"the Content-Encoding {encoding[:30]!r} is not supported: use gzip or none")
    decompressor = zlib.decompressobj(zlib.MAX_WBITS + 16 if encoding == "gzip" else zlib.MAX_WBITS)
    try:
        plain = decompressor.decompress(body, limit + 1)
    except zlib.error:
        raise MalformedBody(f"the body is not encoded as the headers say: it cannot be read as {encoding}") from None
    if len(plain) > limit:
        raise BodyTooLarge(f"the body has more than {limit} bytes once it is decompressed")
    if not decompressor.eof:
        raise MalformedBody(f"the body is cut short: its {encoding} data does not end")
    return plain
