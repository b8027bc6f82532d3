"""Parameters: `EventHandles.0=a` in a query or a form, parts of a multipart body, and the structures that they form.

Everything stays text here; its type is checked by the caller (document "Request structure").
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
_SURROGATE = re.compile("[\ud800-\udfff]")
MAX_DEPTH = 16
"""Parts that a name such as `Key.0.Sub` may have; the limit is ours."""


def parse_query(raw: str) -> list[tuple[str, str]]:
    """The decoded pairs of a query string or a form body, in order; blank values are kept.

    Raises InvalidParameter for a pair without `=`, for text that is not UTF-8 and for more than 1000 pairs.
    """
    if not raw:
        return []
    if raw.count("&") >= MAX_PARAMS:
        raise InvalidParameter(f"The request has more than {MAX_PARAMS} parameters.", f"请求参数超过 {MAX_PARAMS} 个。")
    if not all("=" in pair for pair in raw.split("&")):
        # Attested in English.
        raise InvalidParameter("Url key and value should be splited by `=`.", "URL 参数的键和值应以 `=` 分隔。")
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, errors="strict")
        "".join(map("".join, pairs)).encode()  # bytes sent without percent-encoding arrive as lone surrogates
    except UnicodeError:
        raise InvalidParameter("The request's parameters are not valid UTF-8.", "请求参数不是合法的 UTF-8。") from None
    return pairs


def unflatten(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The structure that *pairs* describe; its leaves are strings.

    A level below the top whose keys are all numbers is a list, in numerical order. It may start anywhere and have gaps:
    API 2.0 counts from 1, and the Go SDK leaves out what is nil. Raises InvalidParameter naming the key for one that
    comes twice, has an empty or more than 16 parts, or is given both a value and parts.
    """
    top: dict[str, Any] = {}
    for key, value in pairs:
        _put(top, key, value)
    return {key: _lists(value) for key, value in top.items()}


_Place = tuple["_Place", str] | None
"""The names on the way to a value, the last first; a text for each would take too long where values are deep."""


def surrogate_in(params: Mapping[str, object]) -> str | None:
    """The path of the first text with a lone surrogate, such as `Key.0.Sub`; None if every text has a UTF-8 form.

    A name that has one is given with escapes.
    """
    rest: list[tuple[object, _Place]] = [(params, None)]  # no recursion: JSON may be deeper than calls can be
    while rest:
        value, place = rest.pop()
        if (isinstance(value, str) and _SURROGATE.search(value)) or (place and _SURROGATE.search(place[1])):
            return _path(place).encode(errors="backslashreplace").decode()
        if isinstance(value, Mapping):
            rest.extend([(inner, (place, str(key))) for key, inner in value.items()][::-1])
        elif isinstance(value, list | tuple):
            rest.extend([(inner, (place, str(key))) for key, inner in enumerate(value)][::-1])
    return None


def _path(place: _Place) -> str:
    names = []
    while place is not None:
        place, name = place
        names.append(name)
    return ".".join(reversed(names))


def parse_multipart(body: bytes, content_type: str) -> dict[str, Any]:
    """The parameters in a `multipart/form-data` *body*, by name.

    A part is a string; parsed, when it says that it is `application/json`; bytes, when it has a file name.
    Raises InvalidRequest naming what is wrong. No body at all is what Tencent's SDK sends for no parameters.
    """
    try:
        message = message_from_bytes(b"Content-Type: %b\r\n\r\n%b" % (content_type.encode("utf-8", "replace"), body))
    except RecursionError:
        raise _malformed("has parts in parts without end", "嵌套过深") from None
    if message.get_content_type() != "multipart/form-data":
        raise InvalidRequest(
            f"The Content-Type `{content_type}` is not multipart/form-data.",
            f"Content-Type `{content_type}` 不是 multipart/form-data。",
        )
    if not message.get_boundary():
        raise InvalidRequest(
            f"The Content-Type `{content_type}` has no boundary.", f"Content-Type `{content_type}` 缺少 boundary。"
        )
    if not body:
        return {}
    _check_defects(message)
    params: dict[str, Any] = {}
    for part in message.get_payload():
        if not isinstance(part, Message):
            raise _malformed("has no parts", "没有任何部分")
        name = part.get_param("name", header="Content-Disposition")
        if not isinstance(name, str) or not name:
            raise _malformed("has a part without a name", "有部分缺少名称")
        if name in params:
            raise _malformed(f"has the part `{name}` twice", f"部分 `{name}` 重复")
        _check_defects(part, f" in part `{name}`")
        params[name] = _content(part, name)
    return params


def _malformed(en: str, zh: str) -> InvalidRequest:
    return InvalidRequest(f"The multipart body {en}.", f"multipart 请求体错误：{zh}。")


def _bad_name(key: str, en: str, zh: str) -> InvalidParameter:
    return InvalidParameter(f"The parameter `{key}` {en}.", f"参数 `{key}` 错误：{zh}。")


def _put(top: dict[str, Any], key: str, value: str) -> None:
    *levels, leaf = key.split(".")
    if not leaf or not all(levels):
        raise _bad_name(key, "has an empty part", "含有空段")
    if len(levels) >= MAX_DEPTH:
        raise _bad_name(key, f"has more than {MAX_DEPTH} parts", f"超过 {MAX_DEPTH} 段")
    here = top
    for level in levels:
        here = here.setdefault(level, {})
        if not isinstance(here, dict):
            raise _bad_name(key, "continues another parameter that has a value", "延续了另一个已有取值的参数")
    if leaf in here:
        if isinstance(here[leaf], dict):
            raise _bad_name(key, "has both a value and parts", "同时有取值和下级参数")
        raise _bad_name(key, "is given more than once", "重复")
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


def _check_defects(message: Message, where: str = "") -> None:
    if message.defects:
        raise _malformed(f"is malformed{where}: {type(message.defects[0]).__name__}", "格式错误")


def _content(part: Message, name: str) -> Any:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        raise _malformed(f"has parts within the part `{name}`", f"部分 `{name}` 含有下级部分")
    if part.get_filename() is not None:
        return content
    try:
        text = content.decode()
        return json.loads(text) if part.get_content_type() == "application/json" else text
    except UnicodeDecodeError:
        raise _malformed(f"is not valid UTF-8 in the part `{name}`", f"部分 `{name}` 不是合法的 UTF-8") from None
    except (ValueError, RecursionError):
        raise _malformed(f"is not valid JSON in the part `{name}`", f"部分 `{name}` 不是合法的 JSON") from None
