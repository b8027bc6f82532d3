"""Templates of every family: created, described, modified, deleted, with the codes of each action."""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from io import BytesIO
from typing import Any, NamedTuple

import pytest
from aiohttp import ClientSession
from PIL import Image
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from mockvod.app import Running
from tests.sdk.client import Sdk, Way, make_sdk
from tests.sdk.shapes import differences
from tests.support import Caller

Start = Callable[..., Awaitable[Running]]

pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")

VIDEO = {"Codec": "libx264", "Fps": 25, "Bitrate": 400}
AUDIO = {"Codec": "libfdk_aac", "Bitrate": 64, "SampleRate": 44100}


def png() -> str:
    buffer = BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


class Case(NamedTuple):
    """One family: what creates and changes a template, a wrong value with its code, and how many presets there are."""

    family: str
    create: dict[str, Any]
    modify: dict[str, Any]
    wrong: dict[str, Any]
    code: str
    presets: int
    unknown: str = "ResourceNotFound.TemplateNotExist"
    """The code of Delete for a template that does not exist."""


CASES = [
    Case(
        "Transcode",
        {"Container": "mp4", "Name": "n", "VideoTemplate": VIDEO, "AudioTemplate": AUDIO},
        {"Container": "hls"},
        {"Container": "avi"},
        "InvalidParameterValue.Container",
        64,
    ),
    Case(
        "AdaptiveDynamicStreaming",
        {"Format": "HLS", "StreamInfos": [{"Video": VIDEO, "Audio": AUDIO}]},
        {"Name": "n"},
        {"Format": "RTMP"},
        "InvalidParameterValue.Format",
        7,
    ),
    Case(
        "ImageSprite",
        {"SampleType": "Time", "SampleInterval": 5, "RowCount": 4, "ColumnCount": 4, "Width": 160, "Height": 90},
        {"RowCount": 8},
        {"RowCount": 0},
        "InvalidParameterValue.RowCount",
        1,
    ),
    Case(
        "SampleSnapshot",
        {"SampleType": "Percent", "SampleInterval": 20},
        {"Format": "png"},
        {"SampleType": "Frames"},
        "InvalidParameterValue.SampleType",
        1,
    ),
    Case("SnapshotByTimeOffset", {"Width": 640}, {"Height": 360}, {"Width": 5}, "InvalidParameterValue.Width", 1),
    Case("AnimatedGraphics", {"Fps": 5}, {"Quality": 50.0}, {"Fps": 31}, "InvalidParameterValue.Fps", 2),
    Case(
        "Watermark",
        {"Type": "image", "XPos": "10%", "ImageTemplate": {"ImageContent": png(), "Width": "10%"}},
        {"YPos": "5px"},
        {"XPos": "left"},
        "InvalidParameterValue.XPos",
        0,
        "ResourceNotFound",
    ),
]
every_family = pytest.mark.parametrize("case", CASES, ids=lambda case: case.family)


@pytest.fixture
async def caller(start: Start, session: ClientSession) -> Caller:
    return Caller(await start(), session)


@pytest.fixture
async def sdk(caller: Caller) -> AsyncIterator[Sdk]:
    sdk = make_sdk(f"127.0.0.1:{caller.running.port}", Way(), language="en-US")
    yield sdk
    await sdk.close()


async def described(caller: Caller, family: str, **params: Any) -> list[dict[str, Any]]:
    answer = await caller.call(f"Describe{family}Templates", **params)
    assert "TotalCount" in answer, answer
    templates: list[dict[str, Any]] = answer[f"{family}TemplateSet"]
    return templates


async def refused(caller: Caller, action: str, **params: Any) -> str:
    answer = await caller.call(action, **params)
    code: str = answer["Error"]["Code"]
    return code


@every_family
async def test_a_template_is_created_described_modified_and_deleted(caller: Caller, case: Case) -> None:
    definition = (await caller.call(f"Create{case.family}Template", **case.create))["Definition"]
    [made] = await described(caller, case.family, Definitions=[definition])
    assert differences(made, f"{case.family}Template") == []
    assert str(made["Definition"]) == str(definition)
    for name, value in case.create.items():
        if not isinstance(value, dict | list):
            assert made[name] == value, name

    await caller.call(f"Modify{case.family}Template", Definition=definition, **case.modify)
    [changed] = await described(caller, case.family, Definitions=[definition])
    assert {name: changed[name] for name in case.modify} == case.modify
    assert {name: value for name, value in changed.items() if name not in {*case.modify, "UpdateTime"}} == {
        name: value for name, value in made.items() if name not in {*case.modify, "UpdateTime"}
    }

    await caller.call(f"Delete{case.family}Template", Definition=definition)
    assert await described(caller, case.family, Definitions=[definition]) == []
    gone = await refused(caller, f"Delete{case.family}Template", Definition=definition)
    assert gone == case.unknown


@every_family
async def test_a_value_is_refused_by_the_code_of_its_parameter(caller: Caller, case: Case) -> None:
    assert await refused(caller, f"Create{case.family}Template", **{**case.create, **case.wrong}) == case.code
    assert await refused(caller, f"Modify{case.family}Template", Definition=99, **case.wrong) == case.code


@every_family
async def test_presets_are_described_and_stay_as_they_are(caller: Caller, case: Case) -> None:
    answer = await caller.call(f"Describe{case.family}Templates", Limit=100)
    assert answer["TotalCount"] == case.presets
    for preset in answer[f"{case.family}TemplateSet"]:
        assert differences(preset, f"{case.family}Template") == []
        assert preset["Type"] == "Preset"
    if case.presets:
        definition = int(answer[f"{case.family}TemplateSet"][0]["Definition"])
        for action, more in (("Modify", case.modify), ("Delete", {})):
            code = await refused(caller, f"{action}{case.family}Template", Definition=definition, **more)
            assert code == "ResourceNotFound.TemplateNotExist"


async def test_the_sdk_reads_templates(sdk: Sdk) -> None:
    """It warns of what its models do not know, which fails the test."""
    for case in CASES:
        await sdk.call(f"Describe{case.family}Templates")
    await sdk.call("DescribeProcedureTemplates")


@pytest.mark.parametrize(
    ("action", "params", "code"),
    [
        ("CreateTranscodeTemplate", {"Container": "mp4"}, "MissingParameter"),
        ("CreateTranscodeTemplate", {"VideoTemplate": VIDEO, "AudioTemplate": AUDIO}, "MissingParameter"),
        (
            "CreateTranscodeTemplate",
            {"Container": "mp4", "RemoveVideo": 1, "RemoveAudio": 1},
            "InvalidParameterValue.RemoveAudio",
        ),
        (
            "CreateTranscodeTemplate",
            {"Container": "mp4", "VideoTemplate": {**VIDEO, "Codec": "vp9"}, "AudioTemplate": AUDIO},
            "InvalidParameterValue.VideoCodec",
        ),
        (
            "CreateTranscodeTemplate",
            {"Container": "mp4", "VideoTemplate": VIDEO, "AudioTemplate": {**AUDIO, "Bitrate": 1}},
            "InvalidParameterValue.AudioBitrate",
        ),
        (
            "CreateAnimatedGraphicsTemplate",
            {"Fps": 2, "Format": "webp"},
            "InvalidParameterValue.FormatWebpLackWidthAndHeight",
        ),
        (
            "CreateAnimatedGraphicsTemplate",
            {"Fps": 2, "Format": "webp", "Width": 0, "Height": 0},
            "InvalidParameterValue.FormatWebpWidthAndHeightBothZero",
        ),
        ("CreateWatermarkTemplate", {"Type": "image"}, "MissingParameter"),
        ("CreateWatermarkTemplate", {"Type": "text"}, "MissingParameter"),
        (
            "CreateWatermarkTemplate",
            {"Type": "image", "ImageTemplate": {"ImageContent": "#"}},
            "InvalidParameterValue.ImageContent",
        ),
        ("DescribeTranscodeTemplates", {"Limit": 101}, "InvalidParameterValue.Limit"),
        ("DescribeTranscodeTemplates", {"TEHDType": "HD"}, "InvalidParameterValue.TEHDType"),
        ("DescribeWatermarkTemplates", {"Type": "video"}, "InvalidParameterValue.Type"),
    ],
)
async def test_members_that_do_not_go_together_are_refused(
    caller: Caller, action: str, params: dict[str, Any], code: str
) -> None:
    assert await refused(caller, action, **params) == code


async def test_transcodes_are_filtered_by_what_they_hold(caller: Caller) -> None:
    sounds = await described(caller, "Transcode", ContainerType="PureAudio", Limit=100)
    assert {one["Container"] for one in sounds} == {"m4a", "mp3"}
    high = await described(caller, "Transcode", TEHDType="TEHD", Limit=100)
    assert [one["Definition"] for one in high] == ["100800", "100810", "100820", "100830", "100840"]


async def test_the_picture_of_a_watermark_can_be_fetched(caller: Caller, session: ClientSession) -> None:
    given = {"Type": "image", "ImageTemplate": {"ImageContent": png()}}
    made = await caller.call("CreateWatermarkTemplate", **given)
    [shown] = await described(caller, "Watermark")
    assert shown["ImageTemplate"]["ImageUrl"] == made["ImageUrl"]
    async with session.get(made["ImageUrl"]) as response:
        assert (response.status, await response.read()) == (200, base64.b64decode(png()))
    text = {"FontType": "arial.ttf", "FontSize": "20px", "FontColor": "0xFFFFFF", "FontAlpha": 1.0}
    made = await caller.call("CreateWatermarkTemplate", Type="text", TextTemplate=text)
    assert made["ImageUrl"] == ""


SVG = {"Type": "svg", "SvgTemplate": {"Width": "10%", "Height": "10%"}}
TRANSCODE = {"Container": "mp4", "VideoTemplate": VIDEO, "AudioTemplate": AUDIO}


@pytest.mark.parametrize(
    ("family", "create", "modify", "wrong"),
    [
        ("Transcode", TRANSCODE, {"AudioTemplate": {"StreamSelects": [0, 1]}}, {"AudioTemplate": {"StreamSelects": 1}}),
        ("Watermark", SVG, {"SvgTemplate": {"CycleConfig": {"StartTime": 1}}}, {"SvgTemplate": {"CycleConfig": 1}}),
    ],
)
async def test_members_without_an_effect_are_accepted_and_change_nothing(
    caller: Caller, family: str, create: dict[str, Any], modify: dict[str, Any], wrong: dict[str, Any]
) -> None:
    definition = (await caller.call(f"Create{family}Template", **create))["Definition"]
    before = await described(caller, family, Definitions=[definition])
    assert "Error" not in await caller.call(f"Modify{family}Template", Definition=definition, **modify)
    after = await described(caller, family, Definitions=[definition])
    assert [{**one, "UpdateTime": ""} for one in after] == [{**one, "UpdateTime": ""} for one in before]
    assert await refused(caller, f"Modify{family}Template", Definition=definition, **wrong) == "InvalidParameter"


# --- procedures


async def test_knowledge_bases_of_a_procedure_are_returned_and_nothing_is_imported(caller: Caller) -> None:
    knowledge = [{"Definition": 10, "KnowledgeBaseIds": ["base"]}]
    process = {"SnapshotByTimeOffsetTaskSet": [{"Definition": 10, "ExtTimeOffsetSet": ["1s"]}]}
    await caller.call(
        "CreateProcedureTemplate", Name="Mine", MediaProcessTask=process, ImportMediaKnowledgeTaskSet=knowledge
    )
    [made] = await described(caller, "Procedure", Names=["Mine"])
    assert made["ImportMediaKnowledgeTaskSet"] == knowledge
    started = await caller.call("ProcessMediaByProcedure", FileId="1", ProcedureName="Mine")
    detail = await caller.call("DescribeTaskDetail", TaskId=started["TaskId"])
    assert len(detail["ProcedureTask"]["MediaProcessResultSet"]) == 1


async def test_a_procedure_is_created_described_reset_and_deleted(caller: Caller) -> None:
    tasks = {"TranscodeTaskSet": [{"Definition": 100020}], "CoverBySnapshotTaskSet": [
        {"Definition": 10, "PositionType": "Time", "PositionValue": 0}]}  # fmt: skip
    assert await caller.call("CreateProcedureTemplate", Name="Mine", Comment="c", MediaProcessTask=tasks) == {}
    [made] = await described(caller, "Procedure", Names=["Mine"])
    assert differences(made, "ProcedureTemplate") == []
    assert (made["Name"], made["Type"], made["Comment"]) == ("Mine", "Custom", "c")
    process = made["MediaProcessTask"]
    assert [len(value) for value in process.values()] == [1, 0, 0, 0, 0, 1, 0]
    assert process["TranscodeTaskSet"][0]["TraceWatermark"] == {"Switch": "", "Definition": 0}

    await caller.call(
        "ResetProcedureTemplate", Name="Mine", MediaProcessTask={"ImageSpriteTaskSet": [{"Definition": 10}]}
    )
    [reset] = await described(caller, "Procedure", Names=["Mine"])
    assert (reset["Comment"], reset["MediaProcessTask"]["TranscodeTaskSet"]) == ("", [])
    await caller.call("DeleteProcedureTemplate", Name="Mine")
    assert await described(caller, "Procedure", Names=["Mine"]) == []


async def test_preset_procedures_are_described_and_can_be_run(caller: Caller) -> None:
    presets = await described(caller, "Procedure", Type="Preset")
    assert [one["Name"] for one in presets] == ["LongVideoPreset", "SimpleAesEncryptPreset", "WidevineFairPlayPreset"]
    assert [differences(one, "ProcedureTemplate") for one in presets] == [[]] * 3
    answer = await caller.call("ProcessMediaByProcedure", FileId="1", ProcedureName="LongVideoPreset")
    await caller.control("POST", "/clock", {"advance": 2})
    detail = await caller.call("DescribeTaskDetail", TaskId=answer["TaskId"])
    kinds = {one["Type"] for one in detail["ProcedureTask"]["MediaProcessResultSet"]}
    assert kinds == {"ImageSprites", "CoverBySnapshot", "AdaptiveDynamicStreaming"}
    assert differences(detail["ProcedureTask"], "ProcedureTask") == []


@pytest.mark.parametrize(
    ("action", "params", "code"),
    [
        ("CreateProcedureTemplate", {"Name": "LongVideoPreset"}, "InvalidParameter.ExistedProcedureName"),
        ("CreateProcedureTemplate", {"Name": "x" * 21}, "InvalidParameterValue"),
        (
            "CreateProcedureTemplate",
            {"Name": "a", "MediaProcessTask": {"SnapshotByTimeOffsetTaskSet": [{"Definition": 10}]}},
            "MissingParameter",
        ),
        ("ResetProcedureTemplate", {"Name": "a"}, "InvalidParameter.ProcedureNameNotExist"),
        ("ResetProcedureTemplate", {"Name": "LongVideoPreset"}, "InvalidParameter"),
        ("DeleteProcedureTemplate", {"Name": "LongVideoPreset"}, "InvalidParameter"),
        ("DeleteProcedureTemplate", {"Name": "a"}, "InvalidParameter"),
        ("DescribeProcedureTemplates", {"Limit": 0}, "InvalidParameterValue.Limit"),
    ],
)
async def test_a_call_about_procedures_is_refused_by_its_code(
    caller: Caller, action: str, params: dict[str, Any], code: str
) -> None:
    assert await refused(caller, action, **params) == code


async def test_the_number_of_procedures_is_bounded(caller: Caller) -> None:
    for number in range(50):
        await caller.call("CreateProcedureTemplate", Name=f"p{number}")
    assert await refused(caller, "CreateProcedureTemplate", Name="more") == "LimitExceeded"


async def test_an_error_reaches_the_sdk_with_its_code(sdk: Sdk) -> None:
    with pytest.raises(TencentCloudSDKException) as caught:
        await sdk.call("DeleteTranscodeTemplate", Definition=5)
    assert caught.value.code == "ResourceNotFound.TemplateNotExist"
