"""The 2.0 bodies: as the documents print them, made of the 3.0 examples of the same events."""

import json
from pathlib import Path
from typing import Any

import pytest

from mockvod.wire import events
from mockvod.wire.event_types import CARRIERS, SNAPSHOT_COMPLETE, EventError
from mockvod.wire.examples import example, with_changes
from mockvod.wire.legacy_events import LEGACY_TYPES, legacy

LEGACY = Path(__file__).parents[2] / "fixtures" / "legacy"
EXAMPLE = "http://125676836723.vod2.myqcloud.com/xxx/xxx/"


def documented(name: str) -> Any:
    return json.loads((LEGACY / f"{name}.json").read_text(encoding="utf-8"))


def structure(event_type: str, **changes: Any) -> dict[str, Any]:
    """The example's structure, with other members at its top."""
    return {**example(event_type)[CARRIERS[event_type]], **changes}


def data(event_type: str, **changes: Any) -> Any:
    return legacy(event_type, structure(event_type, **changes))["data"]


def shape(value: object) -> Any:
    """The keys, the nesting and the types."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return type(value).__name__


# One event in both forms

STREAMS_3 = {
    "VideoStreamSet": [{"Bitrate": 246000, "Height": 480, "Width": 640, "Codec": "h264", "Fps": 22}],
    "AudioStreamSet": [{"Codec": "aac", "SamplingRate": 44100, "Bitrate": 35}],
}
MEDIA_3 = {
    "Size": 10556,
    "Container": "m4a",
    "Bitrate": 246035,
    "Height": 480,
    "Width": 640,
    "Md5": "b3ae6ed07d9bf4efeeb94ed2d37ff3e3",
    "Duration": 3601.2,
    **STREAMS_3,
}
DONE = {"Status": "SUCCESS", "ErrCodeExt": "", "ErrCode": 0, "Message": "", "Progress": 100}
UNDER_WAY = DONE | {"Status": "PROCESSING", "Progress": 0}


def segment(start: float, end: float, confidence: float, suggestion: str) -> dict[str, Any]:
    return {
        "StartTimeOffset": start,
        "EndTimeOffset": end,
        "Confidence": confidence,
        "Label": "porn",
        "Suggestion": suggestion,
        "Url": f"{EXAMPLE}xx.jpg",
        "PicUrlExpireTimeStamp": 1530005146,
    }


# The documented 2.0 events as 3.0 tells them.
SAME: dict[str, dict[str, Any]] = {
    "NewFileUpload": {
        "FileId": "5285890784273533167",
        "MediaBasicInfo": {
            "Name": "Animal World",
            "CoverUrl": f"{EXAMPLE}xxx.jpg",
            "MediaUrl": f"{EXAMPLE}f0.flv",
            "SourceInfo": {
                "SourceType": "Record",
                "SourceContext": "rtmp://54xx.livepush.myqcloud.com/live?bizid=54xx&record=mp4&xx",
                "LiveRecordInfo": {"StreamId": "54xx_45"},
                "TrtcRecordInfo": None,
            },
        },
        "ProcedureTaskId": "125676836723-mango-fa2fdf6a0f850d673be119cf51a7603a",
    },
    "PullComplete": structure("PullComplete")
    | {"TaskId": "Pull-f5ac8127b3b6b85cdc13f237c6005d8", "Message": "", "FileUrl": f"{EXAMPLE}f0.flv"},
    "FileDeleted": structure("FileDeleted"),
    "ProcedureStateChanged": {
        "TaskId": "125676836723-xxx-25f5aac63",
        "Status": "PROCESSING",
        "ErrCode": 0,
        "Message": "",
        "FileId": "14508071098244959037",
        "MetaData": MEDIA_3,
        "AiContentReviewResultSet": [
            {
                "Type": "Porn",
                "PornTask": DONE
                | {
                    "Input": {"Definition": 10},
                    "Output": {
                        "Confidence": 98,
                        "Suggestion": "block",
                        "Label": "porn",
                        "SegmentSet": [segment(20, 120, 98, "block"), segment(120, 130, 54, "review")],
                    },
                },
                "TerrorismTask": None,
            },
            {"Type": "Terrorism", "TerrorismTask": DONE | {"Input": {"Definition": 10}}},
        ],
        "AiAnalysisResultSet": None,
        "MediaProcessResultSet": [
            {
                "Type": "Transcode",
                "TranscodeTask": UNDER_WAY
                | {"Input": {"Definition": 10, "WatermarkSet": [{"Definition": 5}]}, "Output": None},
            },
            {
                "Type": "Transcode",
                "TranscodeTask": DONE
                | {
                    "Input": {"Definition": 20, "WatermarkSet": [{"Definition": 5}], "MosaicSet": []},
                    "Output": {"Url": f"{EXAMPLE}f20.mp4", "Definition": 20}
                    | MEDIA_3
                    | {"VideoStreamSet": [STREAMS_3["VideoStreamSet"][0] | {"Fps": 20}]},
                },
            },
            {
                "Type": "SampleSnapshot",
                "TranscodeTask": None,
                "SampleSnapshotTask": DONE
                | {
                    "Input": {"Definition": 10, "WatermarkSet": []},
                    "Output": {"ImageUrlSet": [f"{EXAMPLE}shotup/xx{number}.png" for number in (1, 2, 3)]},
                },
            },
            {"Type": "AdaptiveDynamicStreaming", "AdaptiveDynamicStreamingTask": DONE | {"Input": {}, "Output": {}}},
        ],
    },
    "TranscodeComplete": structure("TranscodeComplete")
    | {
        "TaskId": "Transcode-1edb7eb88a599d05abe451cfc541cfbd",
        "Message": "",
        "FileId": "14508071098244931831",
        "CoverUrl": "http://125676836723.vod2.myqcloud.com/0/xxx/640",
    },
    SNAPSHOT_COMPLETE: structure(SNAPSHOT_COMPLETE),
    "CreateImageSpriteComplete": structure("CreateImageSpriteComplete"),
    "ClipComplete": structure("ClipComplete"),
    "ConcatComplete": structure("ConcatComplete"),
}

# What the documented 2.0 events say and no field of 3.0 does.
UNTOLD = {
    "NewFileUpload": {"transcodeTaskId", "author"},
    "PullComplete": {"transcodeTaskId"},
    "ProcedureStateChanged": {"drm"},
}


def test_the_types_are_those_of_the_document() -> None:
    assert set(LEGACY_TYPES) == {path.stem for path in LEGACY.glob("*.json")} - {f"{SNAPSHOT_COMPLETE}.failed"}


@pytest.mark.parametrize("event_type", LEGACY_TYPES)
def test_the_body_is_the_documented_one_except_for_what_3_0_lacks(event_type: str) -> None:
    expected = documented(event_type)
    reported = {key: value for key, value in expected["data"].items() if key not in UNTOLD.get(event_type, set())}
    assert legacy(event_type, SAME[event_type]) == expected | {"data": reported}


@pytest.mark.parametrize("event_type", sorted(set(LEGACY_TYPES) - {"ProcedureStateChanged"}))
def test_the_example_has_the_documented_shape(event_type: str) -> None:
    expected = shape(documented(event_type))
    # The document's upload is a recording, the example is none.
    for untold in UNTOLD.get(event_type, set()) | ({"streamId"} if event_type == "NewFileUpload" else set()):
        del expected["data"][untold]
    assert shape(legacy(event_type, structure(event_type))) == expected


@pytest.mark.parametrize("event_type", LEGACY_TYPES)
def test_keys_are_in_the_order_of_the_document(event_type: str) -> None:
    body = legacy(event_type, SAME[event_type])
    assert list(body) == ["version", "eventType", "data"]
    assert list(body["data"]) == [key for key in documented(event_type)["data"] if key in body["data"]]


@pytest.mark.parametrize("event_type", LEGACY_TYPES)
def test_the_body_is_json_of_its_own(event_type: str) -> None:
    made = legacy(event_type, structure(event_type))
    assert json.loads(json.dumps(made)) == made


def test_a_type_without_a_2_0_body_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(EventError) as refused:
        legacy("RestoreMediaComplete", structure("RestoreMediaComplete"))
    assert str(refused.value).startswith("EventType 'RestoreMediaComplete' has no 2.0 body, only these have one: ")
    assert all(repr(event_type) in str(refused.value) for event_type in LEGACY_TYPES)


def test_an_unknown_type_is_refused_with_the_nearest() -> None:
    with pytest.raises(EventError, match="did you mean 'ClipComplete'"):
        legacy("ClipCompleted", {})


# Single types


@pytest.mark.parametrize("url", [{"Url": ""}, {}, {"Url": None}, {"Url": "http://example.com/left-over.jpg"}])
def test_a_failed_picture_has_no_url(url: dict[str, Any]) -> None:
    pictures = [{"ErrCode": -46204, "TimeOffset": 1000000} | url]
    failed = structure(SNAPSHOT_COMPLETE, Definition=20, SnapshotInfoSet=pictures)
    assert legacy(SNAPSHOT_COMPLETE, failed) == documented(f"{SNAPSHOT_COMPLETE}.failed")


def test_the_structure_of_a_snapshot_event_is_checked() -> None:
    with pytest.raises(EventError, match=r"SnapshotByTimeOffsetCompleteEvent\.FileId is 7: "):
        legacy(SNAPSHOT_COMPLETE, structure(SNAPSHOT_COMPLETE, FileId=7))


@pytest.mark.parametrize("event_type", ["TranscodeComplete", "CreateImageSpriteComplete", "PullComplete"])
def test_a_failure_keeps_its_code_and_message(event_type: str) -> None:
    failed = data(event_type, ErrCode=30009, Message="the source file is damaged")
    assert (failed["status"], failed["message"]) == (30009, "the source file is damaged")


def test_the_source_upload_becomes_serverupload_and_others_keep_their_name() -> None:
    upload = example("NewFileUpload")
    path = "FileUploadEvent.MediaBasicInfo.SourceInfo.SourceType"
    kinds = {
        source: legacy(*events.parse(with_changes(upload, {path: source}))[:2])["data"]["sourceType"]
        for source in ("Upload", "Record", "VideoProcessing")
    }
    assert kinds == {"Upload": "ServerUpload", "Record": "Record", "VideoProcessing": "VideoProcessing"}


def test_every_deleted_file_is_named() -> None:
    assert data("FileDeleted", FileIdSet=["1", "2"])["fileInfo"] == [{"fileId": "1"}, {"fileId": "2"}]


def test_a_null_is_left_out() -> None:
    assert "fileUrl" not in data("PullComplete", FileUrl=None)
    assert data("ConcatComplete", FileInfoSet=None)["fileInfo"] == []


# Tasks within a procedure

WATERMARKED = {"Definition": 10, "WatermarkSet": [{"Definition": 103660, "TextContent": ""}]}


@pytest.mark.parametrize(
    ("kind", "field", "given", "expected"),
    [
        (
            "Transcode",
            "TranscodeTask",
            {
                "Input": {
                    "Definition": 220,
                    "MosaicSet": [
                        {"XPos": "0%", "YPos": "5%", "Width": "50%", "Height": "40%", "StartTimeOffset": 1.5}
                    ],
                }
            },
            {
                "input": {
                    "definition": 220,
                    "watermark": 0,
                    "mosaicList": [
                        {"width": "50%", "height": "40%", "left": "0%", "top": "5%", "startTimeOffset": 1.5}
                    ],
                }
            },
        ),
        (
            "AnimatedGraphics",
            "AnimatedGraphicTask",
            {
                "Input": {"Definition": 20000, "StartTimeOffset": 1.0, "EndTimeOffset": 4.0},
                "Output": {"Url": "u", "Definition": 20000, "Container": "gif", "Height": 240, "Width": 320, "Size": 1},
            },
            {
                "input": {"definition": 20000, "startTime": 1, "endTime": 4},
                "output": {"url": "u", "container": "gif", "height": 240, "width": 320},
            },
        ),
        (
            "SnapshotByTimeOffset",
            "SnapshotByTimeOffsetTask",
            {
                "Input": WATERMARKED | {"ExtTimeOffsetSet": ["3.5s", "10%", "1e9s"], "TimeOffsetSet": [1000.0]},
                "Output": {"Definition": 10, "PicInfoSet": [{"TimeOffset": 3500.0, "Url": "u"}]},
            },
            {
                "input": {"definition": 10, "timeOffset": [3500, 1000], "watermarkDefinition": [103660]},
                "output": {"imgInfo": [{"timeOffset": 3500, "url": "u"}]},
            },
        ),
        (
            "SampleSnapshot",
            "SampleSnapshotTask",
            {"Input": WATERMARKED, "Output": {"ImageUrlSet": ["u", "v"]}},
            {
                "input": {"definition": 10, "watermarkDefinition": [103660]},
                "output": {"imageUrls": ["u", "v"]},
            },
        ),
        (
            "ImageSprites",
            "ImageSpriteTask",
            {
                "Input": {"Definition": 10},
                "Output": {"Definition": 10, "Height": 9, "TotalCount": 106, "ImageUrlSet": ["u"], "WebVttUrl": "v"},
            },
            {
                "input": {"definition": 10},
                "output": {"totalCount": 106, "urlList": ["u"], "webVttUrl": "v"},
            },
        ),
        (
            "CoverBySnapshot",
            "CoverBySnapshotTask",
            {
                "Input": {"Definition": 10, "PositionType": "Percent", "PositionValue": 10.0},
                "Output": {"CoverUrl": "u"},
            },
            {
                "input": {"definition": 10, "positionType": "Percent", "position": 10},
                "output": {"imageUrl": "u"},
            },
        ),
    ],
)
def test_every_kind_of_task_that_2_0_knows_has_its_names(
    kind: str, field: str, given: dict[str, Any], expected: dict[str, Any]
) -> None:
    results = [{"Type": kind, field: DONE | given}]
    made = data("ProcedureStateChanged", MediaProcessResultSet=results)["processTaskList"]
    # As text: whole numbers are written without a point.
    assert json.dumps(made) == json.dumps(
        [{"taskType": kind, "status": "SUCCESS", "errCode": 0, "message": ""} | expected]
    )


def test_analyses_have_their_2_0_names() -> None:
    results = [
        {
            "Type": "Classification",
            "ClassificationTask": DONE
            | {
                "Input": {"Definition": 10},
                "Output": {"ClassificationSet": [{"Classification": "Animals", "Confidence": 80.5}]},
            },
        },
        {
            "Type": "Tag",
            "TagTask": DONE | {"Input": {"Definition": 10}, "Output": {"TagSet": [{"Tag": "fox", "Confidence": 34}]}},
        },
        {"Type": "Cover", "CoverTask": DONE},
        {"Type": ["Tag"]},
    ]
    done = {"status": "SUCCESS", "errCode": 0, "message": "", "input": {"definition": 10}}
    assert data("ProcedureStateChanged", AiAnalysisResultSet=results)["aIAnalysisList"] == [
        {"taskType": "Classification"}
        | done
        | {"output": {"classifications": [{"classification": "Animals", "confidence": 80.5}]}},
        {"taskType": "Tag"} | done | {"output": {"tags": [{"tag": "fox", "confidence": 34}]}},
    ]


def test_a_task_that_failed_has_no_output() -> None:
    failed = {"Status": "FAIL", "ErrCode": 30009, "Message": "no video", "Input": {"Definition": 10}, "Output": None}
    results = [{"Type": "SampleSnapshot", "SampleSnapshotTask": failed}]
    assert data("ProcedureStateChanged", MediaProcessResultSet=results)["processTaskList"] == [
        {
            "taskType": "SampleSnapshot",
            "status": "FAIL",
            "errCode": 30009,
            "message": "no video",
            "input": {"definition": 10},
        }
    ]


def test_a_procedure_without_results_has_no_lists() -> None:
    bare = {"TaskId": "t", "Status": "FINISH", "ErrCode": 0, "Message": "", "FileId": "f", "MetaData": None}
    assert legacy("ProcedureStateChanged", bare)["data"] == {
        "vodTaskId": "t",
        "status": "FINISH",
        "message": "",
        "errCode": 0,
        "fileId": "f",
    }


@pytest.mark.parametrize(
    ("event_type", "changes", "message"),
    [
        ("ClipComplete", {"FileInfo": []}, "ClipCompleteEvent.FileInfo must be an object, not []"),
        ("ConcatComplete", {"FileInfoSet": {}}, "ConcatCompleteEvent.FileInfoSet must be a list, not {}"),
        ("ConcatComplete", {"FileInfoSet": [{}, 7]}, "ConcatCompleteEvent.FileInfoSet.1 must be an object, not 7"),
        ("NewFileUpload", {"MediaBasicInfo": "n"}, "FileUploadEvent.MediaBasicInfo must be an object, not 'n'"),
        (
            "ProcedureStateChanged",
            {"MetaData": {"Duration": "60"}},
            "ProcedureStateChangeEvent.MetaData.Duration must be a number, not '60'",
        ),
    ],
)
def test_a_structure_of_another_shape_is_refused_with_its_path(
    event_type: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(EventError) as refused:
        legacy(event_type, structure(event_type, **changes))
    assert str(refused.value) == message
