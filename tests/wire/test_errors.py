"""Errors: their codes, and their texts in two languages."""

import string
from collections.abc import Iterator
from inspect import signature
from typing import Any

import pytest
from tencentcloud.vod.v20180717 import errorcodes

from mockvod.wire import errors
from mockvod.wire.errors import (
    ApiError,
    InvalidAction,
    InvalidParameterValue,
    MissingParameter,
    NoEvent,
    SignatureExpire,
    Text,
)

# The common list of documents 266/31774 and 266/34188, as far as it is used here.
COMMON = {
    "AuthFailure.InvalidAuthorization",
    "AuthFailure.SecretIdNotFound",
    "AuthFailure.SignatureExpire",
    "AuthFailure.SignatureFailure",
    "InternalError",
    "InvalidAction",
    "InvalidParameter",
    "InvalidParameterValue",
    "InvalidRequest",
    "MissingParameter",
    "NoSuchVersion",
    "RequestLimitExceeded",
    "RequestSizeLimitExceeded",
    "ResourceNotFound",
    "UnknownParameter",
    "UnsupportedOperation",
    "UnsupportedProtocol",
}


def subclasses(of: type[ApiError]) -> Iterator[type[ApiError]]:
    for one in of.__subclasses__():
        yield one
        yield from subclasses(one)


every_error = pytest.mark.parametrize(
    "error", [one for one in subclasses(ApiError) if one.__module__ == errors.__name__], ids=lambda one: one.__name__
)


def values_named(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@every_error
def test_both_languages_name_the_same_values(error: type[ApiError]) -> None:
    assert values_named(error.en) == values_named(error.zh)


@every_error
def test_every_value_is_in_both_texts(error: type[ApiError]) -> None:
    values: dict[str, Any] = {name: f"<{name}>" for name in values_named(error.en)}
    values |= {name: Text(f"<{name}>", f"《{name}》") for name in values.keys() & {"reason", "problem"}}
    make: Any = error
    raised = make(*next(iter(values.values()))) if "zh" in signature(error).parameters else make(**values)
    for chinese, language in enumerate(("en-US", "zh-CN")):
        shown = [value[chinese] if isinstance(value, Text) else value for value in values.values()]
        assert all(value in raised.message(language) for value in shown)


def test_a_reason_without_a_chinese_form_is_left_out_of_a_chinese_message() -> None:
    error = InvalidParameterValue(name="A", value="b", reason="it is wrong")
    assert (error.message(), error.message("zh-CN")) == (
        "The value `b` specified in the parameter `A` is not valid: it is wrong.",
        "参数 `A` 的取值 `b` 无效。",
    )


@every_error
def test_every_code_is_one_of_tencents(error: type[ApiError]) -> None:
    vod = {value for name, value in vars(errorcodes).items() if name.isupper()}
    assert error.code in COMMON | vod


@pytest.mark.parametrize("language", ["en-US", "en", "", "zh", "fr-FR"])
def test_english_is_the_language_of_all_but_chinese(language: str) -> None:
    assert MissingParameter(name="Version").message(language) == (
        "The request is missing a required parameter `Version`."
    )


def test_chinese_is_used_on_request() -> None:
    assert MissingParameter(name="Version").message("zh-CN") == "请求缺少必要参数 `Version`。"


def test_no_event_is_the_same_in_every_language() -> None:
    assert {NoEvent().message(language) for language in ("zh-CN", "en-US")} == {"no event"}


def test_an_error_reads_as_its_english_text() -> None:
    assert str(SignatureExpire(server_time=1700000000)).endswith("the server time 1700000000.")


def test_braces_in_a_value_are_not_formatted() -> None:
    assert "`{action} {0} {}`" in InvalidAction(action="{action} {0} {}").message()


def test_a_value_that_a_text_needs_has_to_be_given() -> None:
    with pytest.raises(KeyError):
        MissingParameter()
