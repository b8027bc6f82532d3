"""The error codes that each action documents (error lists of Tencent's SDK for Go)."""

import json
from collections.abc import Mapping
from functools import cache

from mockvod.wire.errors import InvalidParameterValue
from mockvod.wire.examples import fixtures


@cache
def listed() -> Mapping[str, frozenset[str]]:
    """The codes on the list of each action. The common codes, which every action may return, are on few of them."""
    text = fixtures().joinpath("error-codes.json").read_text(encoding="utf-8")
    return {action: frozenset(codes) for action, codes in json.loads(text).items()}


def value_code(action: str, name: str, *, too_long: bool = False) -> str:
    """The most specific code that *action* lists for an invalid value of a parameter; InvalidParameterValue if none.

    *name* is a path such as `VideoTemplate.Codec` or `Tags.0`. *too_long*: the value is a text that is too long, which
    has a code of its own for some parameters.
    """
    known = listed().get(action, frozenset())
    parts = [part for part in name.split(".") if not part.isdigit()]
    last, parent = ("", "", *parts)[-1], ("", "", *parts)[-2]
    short = parent.removesuffix("Template").removesuffix("Config")
    candidates = (f"{last}TooLong" if too_long else "", parent + last, short + last, last, parent)
    codes = (f"{InvalidParameterValue.code}.{word}" for word in candidates if word)
    return next((code for code in codes if code in known), InvalidParameterValue.code)
