"""Validation errors as messages for people, and the nearest match of an unknown name."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mockvod.redaction import NOT_SHOWN, SECRET_NAMES, redacted

MOST_PROBLEMS: Final = 100
"""Most problems that one error reports."""
MOST_FIELDS: Final = 20_000
"""Most fields of an object: validating an unknown one takes 5 µs, and nothing else can happen meanwhile."""
MOST_HINTS: Final = 10
"""Most problems of one error that come with a suggestion: each compares a name with all known ones."""

FORMATS: Final[Mapping[str, str]] = {
    r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$": (
        "must be 1 to 128 letters, digits, dots, hyphens or underscores, a letter or digit first"
    ),
    r"^[A-Za-z0-9]{0,32}$": "must be at most 32 letters and digits",
    r"^([A-Z][A-Za-z]{0,60}(\.[A-Z][A-Za-z]{0,60})?)?$": (
        "must be an error code such as InternalError or SourceFileError.ContentMalformed"
    ),
    r"^[^\x00-\x1f\x7f]*$": "must have no control characters",
    r"^[ -~]*$": "must be printable ASCII characters",
    r"^[0-9]{1,9}(\.[0-9]{1,6})?[s%]$": "must be an offset such as 3.5s or 10%",
    r"^evt_[0-9]{1,18}$": "must be an event's id such as evt_000001",
    r"^[a-z]{1,30}/[a-z0-9.+-]{1,60}(; ?[a-z]{1,20}=[a-z0-9-]{1,30})?$": (
        "must be a content type such as text/html; charset=utf-8"
    ),
}
"""What texts that must match a regular expression look like. tests/test_problems.py checks that none is missing."""

Place = tuple[str | int, ...]
"""Where a value is in its document: keys, and 0-based positions in lists."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One invalid value, or another mistake in a document."""

    place: Place
    code: str
    """Of a ValidationError: `invalid`, `missing`, `not_json`, or `unknown_` and the noun of an unknown name."""
    message: str

    @property
    def key(self) -> str:
        """The place as people write it, such as `events.0.at`."""
        return ".".join(map(str, self.place))[:200]

    def __str__(self) -> str:
        return f"{self.key}: {self.message}" if self.place else self.message


class Hints:
    """Suggests the nearest known name for the first `MOST_HINTS` unknown names of one document."""

    def __init__(self) -> None:
        self._left = MOST_HINTS

    def take(self) -> bool:
        """Whether one more suggestion may be looked up."""
        self._left -= 1
        return self._left >= 0

    def did_you_mean(self, name: str, known: Iterable[str], otherwise: str | None = None) -> str:
        return did_you_mean(name, known, otherwise) if self.take() else ""


def problems(
    error: ValidationError, model: type[BaseModel], noun: str = "field", hints: Hints | None = None
) -> list[Problem]:
    """The first `MOST_PROBLEMS` problems of *error*, raised by *model*. An unknown name is called an unknown *noun*."""
    hints = hints or Hints()
    return [_problem(one, model, noun, hints) for one in error.errors(include_url=False)[:MOST_PROBLEMS]]


def _problem(error: ErrorDetails, model: type[BaseModel], noun: str, hints: Hints) -> Problem:
    place, kind, value = error["loc"], error["type"], error["input"]
    if kind == "extra_forbidden":
        hint = hints.did_you_mean(str(place[-1]), fields_at(model, place[:-1]))
        return Problem(place, f"unknown_{noun}", f"unknown {noun}{hint}")
    if kind == "missing":
        return Problem(place, "missing", "is missing")
    if kind == "json_invalid":
        return Problem(place, "not_json", f"not valid JSON: {error['ctx']['error']}")
    message = FORMATS.get(error["ctx"]["pattern"]) if kind == "string_pattern_mismatch" else None
    message = message or _message(error["msg"], kind)
    # A value error of an object or a list is about what it holds, which the message names.
    if place and not (kind == "value_error" and isinstance(value, dict | list)):
        message += f", got {NOT_SHOWN if SECRET_NAMES.intersection(place) else shown(value)}"
    if kind == "string_type" or (not isinstance(value, str) and f"'{value}'" in message):
        message += ": put it in quotes"
    return Problem(place, "invalid", message)


def _message(text: str, kind: str) -> str:
    if kind in {"model_type", "dict_type"}:
        return "must be an object"
    text = text.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    text = re.sub(r"^\w+ should ", "must ", text)
    return text[:1].lower() + text[1:]


def shown(value: Any) -> str:
    """*value* as messages show it: at most 100 characters, and only the kind of what holds other values."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list | tuple | set):
        return "a list"
    return repr(redacted(value) if isinstance(value, str) else value)[:100]


def fields_at(model: type[BaseModel], place: Place) -> list[str]:
    """The names that *model* accepts at *place*, such as those of its `config`."""
    for step in place:
        field = model.model_fields.get(str(step))
        model = (model_in(field.annotation) if field else None) or model
    return list(model.model_fields)


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that *annotation* is, or holds: of `list[M] | None` it is M."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(model_in, get_args(annotation))), None)


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The one of the *known* names that is most like *name*; None if none is. With *cutoff* 0 there is always one."""
    # Imported by the first error: most processes never have one.
    from difflib import get_close_matches  # noqa: PLC0415 - 5 ms, for errors only

    # Cut, because comparing takes time.
    return next(iter(get_close_matches(name[:100], list(known), n=1, cutoff=cutoff)), None)


def did_you_mean(name: str, known: Iterable[str], otherwise: str | None = None) -> str:
    """The end of a message about an unknown *name*: the nearest *known* one, else *otherwise* or all of them."""
    known = list(known)
    close = nearest(name, known)
    if close is not None:
        return f"; did you mean {close}?"
    if otherwise is None:
        otherwise = f"known: {', '.join(known)}" if known else ""
    return otherwise and f"; {otherwise}"
