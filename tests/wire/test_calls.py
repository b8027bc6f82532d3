"""Requests: the parameters of each action, and the errors of invalid ones."""

import json
import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tencentcloud.vod.v20180717 import models

from mockvod.http.actions import SIMULATED
from mockvod.http.actions import find as row
from mockvod.http.event_actions import ACTIONS
from mockvod.wire import calls
from mockvod.wire.errors import ApiError, InvalidParameterValue, MissingParameter, UnknownParameter, WrongType
from tests.support import OLD_PYDANTIC

EVERY_CALL = [action.call for action in ACTIONS.values()]


@pytest.mark.parametrize("action", ACTIONS)
def test_every_parameter_of_the_sdk_is_known(action: str) -> None:
    call = ACTIONS[action].call
    call.model_rebuild()
    request = getattr(models, f"{action}Request")()
    sdk = {name.removeprefix("_") for name in vars(request)} - {"headers"}
    ours = {field.alias for field in call.model_fields.values()}
    assert sdk == ours


@pytest.mark.parametrize("texts", [True, False])
def test_nothing_but_handles_is_required(texts: bool) -> None:
    for call in EVERY_CALL:
        if call is not calls.ConfirmEvents:
            assert calls.parse(call, {}, texts=texts).sub_app_id is None
    with pytest.raises(MissingParameter, match="EventHandles"):
        calls.parse(calls.ConfirmEvents, {}, texts=texts)


def test_texts_may_spell_a_number_and_json_may_not() -> None:
    assert calls.parse(calls.PullEvents, {"SubAppId": "1500000001"}, texts=True).sub_app_id == 1500000001
    with pytest.raises(WrongType, match="`SubAppId` is not valid: got `1500000001`, expected `int`"):
        calls.parse(calls.PullEvents, {"SubAppId": "1500000001"}, texts=False)


def test_a_json_text_is_never_read_as_a_number() -> None:
    assert calls.parse(calls.PullEvents, {"ExtInfo": "7"}, texts=True).ext_info == "7"
    with pytest.raises(WrongType):
        calls.parse(calls.PullEvents, {"ExtInfo": 7}, texts=True)


@pytest.mark.parametrize("text", ["1.0", "1_0", "+1", " 1", "1 ", "0x1", "1e3", "٣", "true", "", "1\0"])
def test_a_number_is_spelled_in_plain_digits(text: str) -> None:
    with pytest.raises(WrongType, match="`SubAppId`"):
        calls.parse(calls.PullEvents, {"SubAppId": text}, texts=True)


@pytest.mark.parametrize("number", [0, 1, 2**63 - 1])
def test_an_application_is_a_number_of_63_bits(number: int) -> None:
    assert calls.parse(calls.PullEvents, {"SubAppId": number}, texts=False).sub_app_id == number
    assert calls.parse(calls.PullEvents, {"SubAppId": str(number)}, texts=True).sub_app_id == number


@pytest.mark.parametrize("number", [-1, 2**63, 10**30])
def test_no_other_number_is_an_application(number: int) -> None:
    for value, texts in ((number, False), (str(number), True)):
        with pytest.raises(InvalidParameterValue, match=f"`{number}`"):
            calls.parse(calls.PullEvents, {"SubAppId": value}, texts=texts)


@pytest.mark.parametrize("name", ["subAppId", "sub_app_id", "Limit", ""])
def test_no_other_name_is_known(name: str) -> None:
    with pytest.raises(UnknownParameter, match=f"`{name}`"):
        calls.parse(calls.PullEvents, {name: 1}, texts=False)


def test_a_place_in_a_list_is_named_by_its_index() -> None:
    with pytest.raises(WrongType, match=r"`EventHandles\.1` is not valid: got `7`"):
        calls.parse(calls.ConfirmEvents, {"EventHandles": ["a", 7]}, texts=False)


def test_a_long_value_is_cut() -> None:
    with pytest.raises(InvalidParameterValue) as caught:
        calls.parse(calls.ModifyEventConfig, {"Mode": "x" * 10_000}, texts=False)
    assert f"`{'x' * 99}…`" in caught.value.message()
    assert len(caught.value.message()) < 300


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "null"), (True, "true"), (1.5, "1.5"), ([1, 2], "array"), ({"a": 1}, "object")]
)
def test_a_value_is_shown_as_json_has_it(value: Any, shown: str) -> None:
    with pytest.raises(WrongType, match=f"got `{shown}`, expected `string`"):
        calls.parse(calls.ConfirmEvents, {"EventHandles": [value]}, texts=False)


def test_a_sign_key_is_never_shown() -> None:
    for value in ("top-secret", 123456, ["top-secret"]):
        with pytest.raises(ApiError) as caught:
            calls.parse(calls.ModifyEventConfig, {"SignKey": value}, texts=False)
        assert "secret" not in caught.value.message()
        assert "123456" not in caught.value.message()


@pytest.mark.parametrize("url", ["", "http://a", "https://example.com:8443/x?y=云#z", "http://[::1]:80/", "HTTP://a/"])
def test_an_address_is_http_or_empty(url: str) -> None:
    call = calls.parse(calls.ModifyEventConfig, {"NotificationUrl": url}, texts=False)
    assert call.notification_url == url


@pytest.mark.parametrize("url", ["a", "/a", "ftp://a", "http:", "http://", "http:///a", "http://[", "javascript:1"])
def test_nothing_else_is_an_address(url: str) -> None:
    with pytest.raises(InvalidParameterValue, match="`NotificationUrl`"):
        calls.parse(calls.ModifyEventConfig, {"NotificationUrl": url}, texts=False)


@pytest.mark.parametrize("key", ["", "a", "A1" * 16])
def test_a_sign_key_is_letters_and_digits(key: str) -> None:
    assert calls.parse(calls.ModifyEventConfig, {"SignKey": key}, texts=False).sign_key == key


@pytest.mark.parametrize("key", ["a-b", "a" * 33, "é", "١", "a\n", " "])
def test_nothing_else_is_a_sign_key(key: str) -> None:
    with pytest.raises(InvalidParameterValue, match="`SignKey`"):
        calls.parse(calls.ModifyEventConfig, {"SignKey": key}, texts=False)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(sorted({str(f.alias) for call in EVERY_CALL for f in call.model_fields.values()})) | st.text()


@given(st.sampled_from(EVERY_CALL), st.dictionaries(names, json_values, max_size=4), st.booleans())
def test_any_parameters_make_a_call_or_an_error_of_the_api(
    call: type[calls.Call], params: dict[str, Any], texts: bool
) -> None:
    with suppress(ApiError):
        assert isinstance(calls.parse(call, params, texts=texts), call)


as_sent = st.builds(
    lambda params, spaces, ascii_only: json.dumps(params, indent=spaces, ensure_ascii=ascii_only),
    st.dictionaries(names, json_values, max_size=3)
    | st.fixed_dictionaries({}, optional={"EventHandles": st.lists(st.text(), max_size=3), "SubAppId": st.integers()}),
    st.sampled_from([None, 1]),
    st.booleans(),
)


@given(st.sampled_from(EVERY_CALL), as_sent)
def test_a_body_read_in_one_step_makes_the_call_that_its_parameters_make(call: type[calls.Call], text: str) -> None:
    read = calls.parse_json(call, text.encode(errors="surrogatepass"))
    if read is not None:
        parsed = calls.parse(call, json.loads(text), texts=False)
        assert (read, read.model_fields_set) == (parsed, parsed.model_fields_set)


@pytest.mark.parametrize(
    ("body", "step"),
    [
        (b"{}", True),
        (b'{"SubAppId": 1500000001, "EventHandles": ["1", "2"]}', True),
        (b'{"EventHandles": ["1"], "EventHandles": ["2"]}', False),
        (b'{"EventHandles": ["1:2"]}', False),
        (b'{"EventHandles": ["\\ud800"]}', False),
        (b'{"EventHandles": [1]}', False),
        (b'{"EventHandles": ["\xff"]}', False),
        (b"[]", False),
        (b"", False),
    ],
)
def test_a_body_that_may_get_an_error_is_not_read_in_one_step(body: bytes, step: bool) -> None:
    call = calls.ConfirmEvents if b"EventHandles" in body else calls.PullEvents
    assert (calls.parse_json(call, body) is not None) is step


# --- one language in each message, and texts that are none


def refusal(params: dict[str, Any]) -> ApiError:
    with pytest.raises(ApiError) as caught:
        calls.parse(calls.ModifyEventConfig, params, texts=False)
    return caught.value


@pytest.mark.parametrize(
    "params", [{"Mode": "both"}, {"SubAppId": -1}, {"NotificationUrl": "x" * 3000}, {"NotificationUrl": "ftp://x"}]
)
def test_a_chinese_message_has_no_english_sentence(params: dict[str, Any]) -> None:
    message = re.sub("`[^`]*`|'[A-Z]+'", "", refusal(params).message("zh-CN"))
    assert not re.search("[A-Za-z]", message)


def test_the_supported_values_are_named_in_chinese_too() -> None:
    assert refusal({"Mode": "both"}).message("zh-CN") == "参数 `Mode` 的取值 `both` 无效：应为 'PULL'、'PUSH'。"


@pytest.mark.parametrize(
    ("params", "path"), [({"SignKey": "\ud800"}, "SignKey"), ({"A": [{"B\udfff": 1}]}, "A.0.B\\udfff")]
)
def test_a_lone_surrogate_is_rejected_by_the_name_of_its_parameter(params: dict[str, Any], path: str) -> None:
    error = refusal(params)
    assert error.code == "InvalidParameterValue"
    assert f"`{path}`" in error.message()


def test_only_the_actions_that_have_ext_info_accept_it() -> None:
    rows = {action: row(action) for action in SIMULATED}
    having = {action for action, found in rows.items() if found and "ext_info" in found.call.model_fields}
    assert having == {action for action in SIMULATED if hasattr(getattr(models, f"{action}Request")(), "ExtInfo")}


@pytest.mark.skipif(OLD_PYDANTIC, reason="it cannot describe models that are built on first use")
def test_no_message_shows_a_regular_expression() -> None:
    schemas = [action.call.model_json_schema() for name in SIMULATED if (action := row(name)) is not None]
    shown = {json.loads(one) for one in re.findall(r'"pattern": ("(?:[^"\\]|\\.)*")', json.dumps(schemas))}
    assert shown == set(calls.FORMATS)


@pytest.mark.parametrize(
    ("action", "params", "message"),
    [
        ("ProcessMediaByUrl", {"InputInfo": {"Url": "ftp://x"}}, "must be an http:// or https:// address"),
        ("ApplyUpload", {"MediaType": "mp4", "MediaStoragePath": "a"}, "must be empty, or begin with /"),
        ("ApplyUpload", {"MediaType": "mp4", "MediaStoragePath": "/a/../b"}, "must have no segments . and .."),
    ],
)
def test_a_text_of_the_wrong_form_is_described(action: str, params: dict[str, Any], message: str) -> None:
    found = row(action)
    assert found is not None
    with pytest.raises(InvalidParameterValue, match=re.escape(message)) as refused:
        calls.parse(found.call, params, texts=False, action=action)
    assert "^" not in refused.value.message("zh-CN")
