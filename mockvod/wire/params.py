"""Parameters: `EventHandles.0=a` in a query or a form, parts of a multipart body, and the structures that they spell.

Everything stays text here; its type is for the caller to settle (document "Request structure").
"""

import json
import re
from collections.abc import Iterable, Mapping
from email import message_from_bytes
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl

from mockvod.wire.errors import InvalidParameter, InvalidRequest

MAX_PARAMS = 1000
"""Parameters that one request may have; the limit is ours."""
MAX_DEPTH = 16
"""Parts that a name such as `Key.0.Sub` may have; the limit is ours."""


def parse_query(raw: str) -> list[tuple[str, str]]:
    """The decoded pairs of a query string or a form body, in order; blank values are kept.

    Raises InvalidParameter for a pair without `=`, for text that is not UTF-8 and for more than 1000 pairs.
    """
    if not raw:
        return []
    if raw.count("&") >= MAX_PARAMS:
        raise InvalidParameter(problem=f"The request has more than {MAX_PARAMS} parameters.")
    if not all("=" in pair for pair in raw.split("&")):
        raise InvalidParameter(problem="Url key and value should be splited by `=`.")
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, errors="strict")
        "".join(map("".join, pairs)).encode()  # bytes sent without percent-encoding arrive as lone surrogates
    except UnicodeError:
        raise InvalidParameter(problem="The request's parameters are not valid UTF-8.") from None
    return pairs


def unflatten(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The structure that *pairs* spell; its leaves are strings.

    A level below the top whose keys are all numbers is a list, in numerical order. It may start anywhere and have gaps:
    API 2.0 counts from 1, and the Go SDK leaves out what is nil. Raises InvalidParameter naming the key for one that
    comes twice, has an empty or more than 16 parts, or is given both a value and parts.
    """
    top: dict[str, Any] = {}
    for key, value in pairs:
        _put(top, key, value)
    return {key: _lists(value) for key, value in top.items()}


def flatten(structure: Mapping[str, Any]) -> dict[str, str]:
    """The parameters that spell *structure*, the inverse of `unflatten`.

    Lists count from 0 and booleans are `true` or `false`. What is None or empty has no spelling and is left out, as
    Tencent's SDKs do.
    """
    return {".".join(path): text for path, text in _leaves(structure, ())}


def parse_multipart(body: bytes, content_type: str) -> dict[str, Any]:
    """The parameters in a `multipart/form-data` *body*, by name.

    A part is a string; parsed, when it says that it is `application/json`; bytes, when it has a file name.
    Raises InvalidRequest naming what is wrong. No body at all is what Tencent's SDK sends for no parameters.
    """
    try:
        message = message_from_bytes(b"Content-Type: %b\r\n\r\n%b" % (content_type.encode("utf-8", "replace"), body))
    except RecursionError:
        raise InvalidRequest(problem="The multipart body has parts in parts without end.") from None
    if message.get_content_type() != "multipart/form-data":
        raise InvalidRequest(problem=f"The Content-Type `{content_type}` is not multipart/form-data.")
    if not message.get_boundary():
        raise InvalidRequest(problem=f"The Content-Type `{content_type}` names no boundary.")
    if not body:
        return {}
    _check_defects(message, "multipart body")
    params: dict[str, Any] = {}
    for part in message.get_payload():
        if not isinstance(part, Message):
            raise InvalidRequest(problem="The multipart body has no parts.")
        name = part.get_param("name", header="Content-Disposition")
        if not isinstance(name, str) or not name:
            raise InvalidRequest(problem="A part of the multipart body has no name.")
        if name in params:
            raise InvalidRequest(problem=f"The part `{name}` of the multipart body comes twice.")
        _check_defects(part, f"part `{name}` of the multipart body")
        params[name] = _content(part, name)
    return params


def _put(top: dict[str, Any], key: str, value: str) -> None:
    *levels, leaf = key.split(".")
    if not leaf or not all(levels):
        raise InvalidParameter(problem=f"The parameter name `{key}` has an empty part.")
    if len(levels) >= MAX_DEPTH:
        raise InvalidParameter(problem=f"The parameter name `{key}` has more than {MAX_DEPTH} parts.")
    here = top
    for level in levels:
        here = here.setdefault(level, {})
        if not isinstance(here, dict):
            raise InvalidParameter(problem=f"The parameter `{key}` goes on where another one has a value.")
    if leaf in here:
        fault = "has both a value and parts" if isinstance(here[leaf], dict) else "comes twice"
        raise InvalidParameter(problem=f"The parameter `{key}` {fault}.")
    here[leaf] = value


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    below = {key: _lists(child) for key, child in value.items()}
    if all(re.fullmatch("[0-9]+", key) for key in below):
        return [below[key] for key in sorted(below, key=_index)]
    return below


def _index(digits: str) -> tuple[int, str]:
    # Orders numbers of any length without making them: int() refuses the very long ones.
    digits = digits.lstrip("0")
    return len(digits), digits


def _leaves(value: Any, path: tuple[str, ...]) -> Iterable[tuple[tuple[str, ...], str]]:
    if isinstance(value, Mapping):
        for key, child in value.items():
            yield from _leaves(child, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for index, child in enumerate(value):
            yield from _leaves(child, (*path, str(index)))
    elif isinstance(value, bool):
        yield path, "true" if value else "false"
    elif value is not None:
        yield path, str(value)


def _check_defects(message: Message, what: str) -> None:
    if message.defects:
        raise InvalidRequest(problem=f"The {what} is malformed: {type(message.defects[0]).__name__}.")


def _content(part: Message, name: str) -> Any:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        raise InvalidRequest(problem=f"The part `{name}` of the multipart body has parts itself.")
    if part.get_filename() is not None:
        return content
    try:
        text = content.decode()
        return json.loads(text) if part.get_content_type() == "application/json" else text
    except UnicodeDecodeError:
        raise InvalidRequest(problem=f"The part `{name}` of the multipart body is not valid UTF-8.") from None
    except (ValueError, RecursionError):
        raise InvalidRequest(problem=f"The part `{name}` of the multipart body is not valid JSON.") from None
