import pytest
from tencentcloud.vod.v20180717 import errorcodes

from mockvod.http.actions import SIMULATED
from mockvod.wire.action_codes import suffix, suffixes


@pytest.mark.parametrize(
    ("action", "name", "expected"),
    [
        ("CreateTranscodeTemplate", "VideoTemplate.Codec", "VideoCodec"),
        ("CreateTranscodeTemplate", "AudioTemplate.SampleRate", "AudioSampleRate"),
        ("CreateTranscodeTemplate", "TEHDConfig.Type", "TEHDType"),
        ("CreateTranscodeTemplate", "VideoTemplate.Fps", "Fps"),
        ("CreateTranscodeTemplate", "VideoTemplate.Gop", None),
        ("CreateWatermarkTemplate", "SvgTemplate.Width", "SvgTemplateWidth"),
        ("CreateWatermarkTemplate", "TextTemplate.FontAlpha", "TextTemplate"),
        ("SearchMedia", "Tags.0", "Tags"),
        ("DescribeTasks", "CreateTime.After", None),
        ("NoSuchAction", "FileId", None),
    ],
)
def test_the_most_specific_code_of_the_action_is_taken(action: str, name: str, expected: str | None) -> None:
    assert suffix(action, name) == expected


def test_every_code_is_one_of_the_vendors() -> None:
    known = {value for value in vars(errorcodes).values() if isinstance(value, str)}
    for action, words in suffixes().items():
        assert {f"InvalidParameterValue.{word}" for word in words} <= known, action


def test_only_actions_that_are_simulated_or_uploads_have_codes() -> None:
    assert set(suffixes()) - set(SIMULATED) <= {"ApplyUpload", "CommitUpload", "PullUpload"}
