"""Requests of API 3.0: one model for each action that is simulated and has parameters of its own.

Sources: PullEvents 266/33433, ConfirmEvents 266/33434, ModifyEventConfig 266/55244, DescribeEventConfig and
DescribeEventsState, which have no parameters, as the SDK's models have them.
"""

import json
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_pascal
from pydantic_core import PydanticKnownError
from yarl import URL

from mockvod.redaction import redacted
from mockvod.wire.errors import ApiError, InvalidParameterValue, MissingParameter, Text, UnknownParameter, WrongType
from mockvod.wire.params import surrogate_in

VERSION = "2018-07-17"

ExtTimeOffset = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?[s%]$")]


def plain_number(value: object) -> object:
    """A check before pydantic's own: the text of a number may only have digits and a minus sign."""
    # pydantic also accepts the texts "1.0", "+1", " 1" and "1_0".
    if isinstance(value, str) and not re.fullmatch("-?[0-9]+", value):
        raise PydanticKnownError("int_parsing")
    return value


SubAppId = Annotated[int, Field(ge=0, lt=2**63), BeforeValidator(plain_number)]


class Call(BaseModel):
    """The parameters that every action of VOD has."""

    model_config = ConfigDict(
        alias_generator=to_pascal,
        extra="forbid",
        frozen=True,
        defer_build=True,
        cache_strings="keys",  # handles are never repeated
    )

    sub_app_id: SubAppId | None = None

    @property
    def application_id(self) -> int | None:
        """The SubAppId of the application that the call is made for; None for the default one."""
        return self.sub_app_id


class PullEvents(Call):
    ext_info: str | None = None


class ConfirmEvents(Call):
    event_handles: list[str]
    ext_info: str | None = None


def _notification_url(value: str) -> str:
    if value and (URL(value).scheme not in {"http", "https"} or not URL(value).host):
        msg = "should be an http:// or https:// address, or empty to clear it"
        raise ValueError(msg)
    return value


Switch = Literal["ON", "OFF"]


class ModifyEventConfig(Call):
    """Changes the settings that it names; the others stay."""

    mode: Literal["PUSH", "PULL"] | None = None
    notification_url: Annotated[str, StringConstraints(max_length=2048), AfterValidator(_notification_url)] | None = (
        None
    )
    upload_media_complete_event_switch: Switch | None = None
    delete_media_complete_event_switch: Switch | None = None
    persistence_complete_event_switch: Switch | None = None
    sign_key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{0,32}$")] | None = None


Parsed = TypeVar("Parsed", bound=Call)

_CHINESE = {
    "literal_error": "应为 {expected}",
    "greater_than_equal": "应大于或等于 {ge}",
    "greater_than": "应大于 {gt}",
    "less_than_equal": "应小于或等于 {le}",
    "less_than": "应小于 {lt}",
    "string_too_long": "最长 {max_length} 个字符",
    "string_too_short": "最短 {min_length} 个字符",
    "too_long": "最多 {max_length} 个",
    "too_short": "最少 {min_length} 个",
}
FORMATS: Mapping[str, Text] = {
    r"^[0-9]{1,9}(\.[0-9]{1,6})?[s%]$": Text("must be an offset such as 3.5s or 10%", "应为 3.5s 或 10% 形式的时间点"),
    r"^[A-Za-z0-9]{0,32}$": Text("must be at most 32 letters and digits", "最多 32 个字母和数字"),
    r"^[A-Za-z0-9]+$": Text("must be letters and digits", "应为字母和数字"),
    r"^[A-Za-z0-9]*$": Text("must be letters and digits, or empty", "应为字母和数字，或为空"),
    r"^[A-Za-z0-9_-]*$": Text("must be letters, digits, _ and -", "应为字母、数字、_ 和 -"),
    r"^(/[^?#\\]+)?$": Text(
        "must be empty, or begin with / and have no ?, # or \\", "应为空，或以 / 开头且不含 ?、# 和 \\"
    ),
    r"^-?[0-9]{1,5}(\.[0-9]{1,3})?(px|%)$": Text("must be a position such as 10px or 5%", "应为 10px 或 5% 形式的位置"),
    r"^[0-9]{1,4}px$": Text("must be a size such as 24px", "应为 24px 形式的大小"),
    r"^0x[0-9A-Fa-f]{6}$": Text("must be a color such as 0xFFFFFF", "应为 0xFFFFFF 形式的颜色"),
    r"^https?://[^/]": Text("must be an http:// or https:// address", "应为 http:// 或 https:// 地址"),
    r"^(.*/)?$": Text("must be empty or end with /", "应为空或以 / 结尾"),
}
"""What texts that must match a regular expression look like. A test checks that none is missing."""
_EXPECTED = {"string": "string", "int": "int", "list": "array", "bool": "bool", "float": "float", "dict": "object"}


def parse(call: type[Parsed], params: dict[str, Any], *, texts: bool, action: str = "") -> Parsed:
    """The request in *params*. Raises an ApiError that names the first invalid parameter.

    *texts*: the parameters came as texts (query, form), so numbers may be texts; in JSON they may not.
    The error has the most specific code that *action* documents for the parameter.
    """
    if not texts and (path := surrogate_in(params)) is not None:
        reason = Text("it has a lone surrogate, which is not a character", "含有孤立的代理码位")
        raise InvalidParameterValue(name=path, value="(not shown)", reason=reason)
    try:
        return call.model_validate(params, strict=not texts)
    except ValidationError as error:
        raise _as_api_error(error.errors(include_url=False)[0], action) from None


def parse_json(call: type[Parsed], body: bytes) -> Parsed | None:
    """As `parse` of the JSON object in *body*, in a third of the time; None if `parse` may raise an error."""
    if call is PullEvents and len(body) < 100:  # polls repeat the same body
        return _parse_once(call, body)
    return _parse_json(call, body)


def _parse_json(call: type[Parsed], body: bytes) -> Parsed | None:
    try:
        parsed = call.model_validate_json(body, strict=True)
    except ValidationError:
        return None
    # pydantic would take the last of two members with one name. One colon per member means that no name is repeated.
    return parsed if body.count(b":") == len(parsed.model_fields_set) else None


_parse_once = lru_cache(maxsize=64)(_parse_json)


def _as_api_error(error: Any, action: str) -> ApiError:
    kind: str = error["type"]
    name = ".".join(str(part) for part in error["loc"])
    if kind == "missing" or (error["input"] is None and isinstance(error["loc"][-1], str)):
        return MissingParameter(name=name)
    if kind == "extra_forbidden":
        return UnknownParameter(name=name)
    value = "(not shown)" if name == "SignKey" else _short(error["input"])
    expected = _EXPECTED.get(kind.removesuffix("_type").removesuffix("_parsing"))
    if expected:
        return WrongType(name=name, value=value, expected=expected)
    if kind == "string_pattern_mismatch":
        text = FORMATS[error["ctx"]["pattern"]]
    else:
        reason = error["msg"].removeprefix("Value error, ").replace("Input should", "should")
        text = Text(reason[:1].lower() + reason[1:], _chinese_reason(kind, error.get("ctx", {})))
    return value_error(action, name, value, text, too_long=kind == "string_too_long")


def _chinese_reason(kind: str, context: Mapping[str, Any]) -> str:
    """The Chinese reason for an error of *kind*; empty for kinds without a number or list."""
    form = _CHINESE.get(kind, "")
    values = {name: re.sub(" or |, ", "、", str(value)) for name, value in context.items()}
    return form.format(**values)


def value_error(
    action: str, name: str, value: object, reason: Text | str, *, too_long: bool = False
) -> InvalidParameterValue:
    """The error of an invalid value, with the most specific code that *action* documents for the parameter *name*."""
    from mockvod.wire.action_codes import value_code  # noqa: PLC0415 - most servers never see an invalid value

    return specific(value_code(action, name, too_long=too_long))(name=name, value=value, reason=reason)


@cache
def specific(code: str) -> type[InvalidParameterValue]:
    """InvalidParameterValue with a more specific *code*."""
    return type(code.replace(".", ""), (InvalidParameterValue,), {"code": code, "__module__": __name__})


def _short(value: object) -> str:
    """A value as JSON; `array` or `object` for one that may be large."""
    if isinstance(value, list):
        return "array"
    if isinstance(value, dict):
        return "object"
    text = redacted(value) if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 100 else text[:99] + "…"
