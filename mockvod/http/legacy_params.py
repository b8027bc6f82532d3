"""Parameters and errors of API 2.0."""

from collections.abc import Mapping
from typing import Any, Final

from mockvod.engine.consumers import Kind

BAD_PARAMETER: Final = 4000

Params = Mapping[str, Any]
Members = Mapping[str, Any]


class LegacyError(Exception):
    """A response with a code other than 0.

    *kind* says how the diagnosis counts it (None: not as a refused call), *detail* what it shows besides the message.
    """

    def __init__(self, code: int, message: str, kind: Kind | None = "call", detail: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.kind = kind
        self.detail = detail or message


def only(params: Params, *known: str) -> None:
    """Raise LegacyError for a parameter that is not *known*."""
    for name in params:
        if name not in known:
            raise LegacyError(BAD_PARAMETER, f"the parameter {name[:100]!r} is not known")


def several(params: Params, name: str) -> list[str]:
    """The values of `name.0`, `name.1` …, from any first number, or of `name` alone. Raises LegacyError."""
    value = params.get(name)
    values = value if isinstance(value, list) else [] if value is None else [value]
    if not values:
        raise LegacyError(BAD_PARAMETER, f"{name}.0 is missing")
    for one in values:
        if not isinstance(one, str):
            raise LegacyError(BAD_PARAMETER, f"{name} should be texts, not {str(one)[:60]}")
    return values


def number(name: str, text: object) -> int:
    """The number in a parameter. Raises LegacyError."""
    if not isinstance(text, str) or not text.isascii() or not text.isdigit() or len(text) > 15:
        raise LegacyError(BAD_PARAMETER, f"{name} should be a number, not {str(text)[:60]!r}")
    return int(text)
