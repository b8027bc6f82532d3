"""Validation errors as messages: field, problem, value; bounded; no secrets."""

import re
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mockvod.http.control.openapi import document
from mockvod.http.control.routes import ROUTES
from mockvod.problems import FORMATS, MOST_HINTS, MOST_PROBLEMS, did_you_mean, fields_at, nearest, problems
from mockvod.redaction import redacted


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    width: int = 0
    sign_key: Annotated[str, Field(max_length=4)] = ""


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["3.0", "2.0"] = "3.0"
    url: Annotated[str, Field(max_length=4)] = ""
    items: list[Inner] = []
    named: dict[str, list[Inner]] | None = None


def messages(data: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(data, strict=True)
    return [str(problem) for problem in problems(caught.value, Outer)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"kind": "4.0"}, "kind: must be '3.0' or '2.0', got '4.0'"),
        ({"kind": 3.0}, "kind: must be '3.0' or '2.0', got 3.0: put it in quotes"),
        ({"kinds": "3.0"}, "kinds: unknown field; did you mean kind?"),
        ({"zzz": 1}, "zzz: unknown field; known: kind, url, items, named"),
        ({"items": [{"widht": 1}]}, "items.0.widht: unknown field; did you mean width?"),
        ({"named": {"a": [{}, {"widht": 1}]}}, "named.a.1.widht: unknown field; did you mean width?"),
        ({"items": 7}, "items: must be a valid list, got 7"),
        ({"items": [7]}, "items.0: must be an object, got 7"),
        ({"items": [{"sign_key": "hush hush"}]}, "items.0.sign_key: must have at most 4 characters, got (not shown)"),
        ({"items": [["hush"]]}, "items.0: must be an object, got a list"),
        ({"url": "http://me:hush@x/"}, "url: must have at most 4 characters, got 'http://me:***@x/'"),
        (7, "must be an object"),
    ],
)
def test_a_problem_names_field_and_value(data: Any, message: str) -> None:
    assert messages(data) == [message]


def test_the_number_of_problems_and_of_hints_is_bounded() -> None:
    found = messages({f"kind{number}": 1 for number in range(20_000)})
    assert len(found) == MOST_PROBLEMS
    assert sum("did you mean" in one for one in found) == MOST_HINTS


def test_the_fields_at_a_place_are_those_of_its_model() -> None:
    assert fields_at(Outer, ()) == ["kind", "url", "items", "named"]
    assert fields_at(Outer, ("named", "any name", 0)) == ["width", "sign_key"]


def test_the_nearest_match_may_be_none() -> None:
    assert nearest("wdth", ["width", "url"]) == "width"
    assert nearest("zzz", ["width", "url"]) is None
    assert nearest("zzz", ["width"], cutoff=0) == "width"
    assert did_you_mean("zzz", ["width", "url"]) == "; known: width, url"
    assert did_you_mean("zzz", ["width"], "") == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://me:hush@x/a?b=1", "http://me:***@x/a?b=1"),
        ("http://me:hu@sh@x:80/", "http://me:***@x:80/"),
        ("cannot reach https://:hush@x, retrying", "cannot reach https://:***@x, retrying"),
        ("http://x/a:b@c", "http://x/a:b@c"),
        ("GET /?Token=hush&Signature=hush&Limit=1", "GET /?Token=***&Signature=***&Limit=1"),
        ("/?a=1&SecretKey=hush&sign_key=hush", "/?a=1&SecretKey=***&sign_key=***"),
    ],
)
def test_passwords_and_secrets_in_urls_are_redacted(text: str, shown: str) -> None:
    assert redacted(text) == shown


def test_no_message_of_the_control_api_shows_a_regular_expression() -> None:
    recipes = "duplicate-storm"  # the setting `faults` has a message of its own
    shown = set(re.findall(r"'pattern': '([^']+)'", str(document(ROUTES)).replace("\\\\", "\\")))
    assert {one for one in shown if recipes not in one} <= set(FORMATS)
    assert "^[A-Za-z0-9]{0,32}$" in shown
