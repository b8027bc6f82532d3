import pytest
from tencentcloud.vod.v20180717 import errorcodes

from mockvod.http import api
from mockvod.http.actions import SIMULATED, find
from mockvod.wire.action_codes import listed, value_code
from mockvod.wire.errors import ApiError, TaskNotExist
from tests.error_codes import COMMON, may_return, raised_by


@pytest.mark.parametrize(
    ("action", "name", "expected"),
    [
        ("CreateTranscodeTemplate", "VideoTemplate.Codec", ".VideoCodec"),
        ("CreateTranscodeTemplate", "AudioTemplate.SampleRate", ".AudioSampleRate"),
        ("CreateTranscodeTemplate", "TEHDConfig.Type", ".TEHDType"),
        ("CreateTranscodeTemplate", "VideoTemplate.Fps", ".Fps"),
        ("CreateTranscodeTemplate", "VideoTemplate.Gop", ""),
        ("CreateWatermarkTemplate", "SvgTemplate.Width", ".SvgTemplateWidth"),
        ("CreateWatermarkTemplate", "TextTemplate.FontAlpha", ".TextTemplate"),
        ("SearchMedia", "Tags.0", ".Tags"),
        ("DescribeTasks", "CreateTime.After", ""),
        ("DescribeTasks", "", ""),
        ("NoSuchAction", "FileId", ""),
    ],
)
def test_the_most_specific_code_of_the_action_is_taken(action: str, name: str, expected: str) -> None:
    assert value_code(action, name) == f"InvalidParameterValue{expected}"


@pytest.mark.parametrize(
    ("action", "name", "expected"),
    [
        ("ProcessMedia", "SessionId", ".SessionIdTooLong"),
        ("ComposeMedia", "SessionId", ".SessionId"),  # whose list has no code for a long one
        ("ComposeMedia", "SessionContext", ".SessionContextTooLong"),
        ("SearchMedia", "Text", ".Text"),
    ],
)
def test_a_text_that_is_too_long_has_a_code_of_its_own_where_the_action_lists_one(
    action: str, name: str, expected: str
) -> None:
    assert value_code(action, name, too_long=True) == f"InvalidParameterValue{expected}"


def test_every_code_is_one_of_the_vendors() -> None:
    known = {value for value in vars(errorcodes).values() if isinstance(value, str)} | COMMON
    for action, codes in listed().items():
        assert codes <= known, action


@pytest.mark.parametrize("action", SIMULATED)
def test_an_action_returns_only_codes_on_its_list_and_common_ones(action: str) -> None:
    row = find(action)
    assert row is not None
    assert action in listed()
    assert {code for code in raised_by(row.run) if not may_return(action, code)} == set()


def test_what_every_action_goes_through_returns_only_common_codes() -> None:
    functions = [one for one in [*vars(api).values(), *vars(api.Api).values()] if callable(one)]
    assert {code for function in functions for code in raised_by(function)} - COMMON == set()


def _inner(error: type[ApiError]) -> None:
    raise error(task_id="1")


def test_the_codes_of_a_function_are_those_of_everything_that_it_names() -> None:
    _inner.__module__ = "mockvod.example"

    def outer() -> None:
        _inner(TaskNotExist)

    outer.__module__ = "mockvod.example"
    assert raised_by(outer) == {"InvalidParameterValue.TaskId"}
