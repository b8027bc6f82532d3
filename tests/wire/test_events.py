"""What an event looks like on the wire, judged by the documents' own JSON and by Tencent's SDK."""

import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tencentcloud.vod.v20180717 import models

from mockvod.wire import events
from mockvod.wire.events import CARRIERS, SNAPSHOT_COMPLETE, EventError, Profile, SnapshotByTimeOffsetTask, SnapshotInfo
from mockvod.wire.legacy_events import legacy

FIXTURES = Path(__file__).parents[2] / "fixtures"
PROFILES: tuple[Profile, ...] = get_args(Profile)


def load(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text(encoding="utf-8"))


def ordered(value: object) -> str:
    """Text that tells two documents apart by content, order of keys or presence of a null."""
    return json.dumps(value, ensure_ascii=False)


PUSHED: dict[str, Any] = load("seed/push.json")
PULLED: dict[str, Any] = load("seed/pull.json")["Response"]["EventSet"][0]
CURRENT: dict[str, Any] = load("profiles/current.json")
STRUCTURE: dict[str, Any] = PUSHED["SnapshotByTimeOffsetCompleteEvent"]


def judged(body: bytes) -> Any:
    """What Tencent's SDK makes of an event; it warns of every field that it does not know."""
    event = models.EventContent()
    event._deserialize(json.loads(body))
    return event


def structure_with(**changes: object) -> dict[str, Any]:
    return STRUCTURE | changes


def with_handle(body: bytes, handle: str) -> bytes:
    """The event as PullEvents returns it."""
    return b'{"EventHandle":%b,%b' % (json.dumps(handle).encode(), body[1:])


def read(given: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """EventType and structure."""
    return events.parse(given)[:2]


def document(structure: Mapping[str, Any]) -> dict[str, Any]:
    return {"EventType": SNAPSHOT_COMPLETE, "SnapshotByTimeOffsetCompleteEvent": structure}


# The documents


@pytest.mark.parametrize(("name", "profile"), [("seed/push.json", "seed"), ("profiles/current.json", "current")])
def test_a_documented_event_survives_being_read_and_written(name: str, profile: Profile) -> None:
    for fields in (None, events.parse(load(name)).fields):
        body = events.render(*read(load(name)), profile, fields)
        assert ordered(json.loads(body)) == ordered(load(name))


def test_the_documented_response_of_pull_events_survives_being_read_and_written() -> None:
    answer = load("seed/pull.json")
    body = events.render(*read(PULLED), "seed")
    written = {
        "Response": {
            "EventSet": [json.loads(with_handle(body, PULLED["EventHandle"]))],
            "RequestId": answer["Response"]["RequestId"],
        }
    }
    assert ordered(written) == ordered(answer)


def test_the_documented_forms_show_the_same_event() -> None:
    assert read(PUSHED) == read(PULLED) == read(CURRENT) == (SNAPSHOT_COMPLETE, STRUCTURE)


def test_the_seed_profile_shows_11_event_fields_and_the_current_one_27_keys() -> None:
    assert len(json.loads(events.render(SNAPSHOT_COMPLETE, STRUCTURE, "seed"))) == 1 + 11
    assert len(json.loads(events.render(SNAPSHOT_COMPLETE, STRUCTURE, "current"))) == 27


def test_the_sparse_profile_shows_the_carrying_field_alone() -> None:
    body = json.loads(events.render(SNAPSHOT_COMPLETE, STRUCTURE, "sparse"))
    assert ordered(body) == ordered(document(STRUCTURE))


def test_the_2_0_body_is_the_documented_one() -> None:
    documented = load(f"legacy/{SNAPSHOT_COMPLETE}.json")
    assert ordered(legacy(SNAPSHOT_COMPLETE, STRUCTURE)) == ordered(documented)


# Recorded notifications


@pytest.mark.parametrize("name", ["push_13_keys", "miniprogram_field"])
def test_a_recorded_notification_is_sent_key_for_key(name: str) -> None:
    recorded = load(f"recorded/{name}.json")
    for profile in PROFILES:
        event_type, structure, fields = events.parse(recorded)
        written = json.loads(events.render(event_type, structure, profile, fields))
        if len(recorded) > 2:
            assert ordered(written) == ordered(recorded)
        else:  # without nulls of its own it gets those of the profile
            assert {key: value for key, value in written.items() if value is not None} == recorded


def test_the_recorded_profile_shows_the_13_fields_of_recordings_in_their_order() -> None:
    recorded = load("recorded/push_13_keys.json")
    assert len(recorded) == 1 + 13
    assert ordered(json.loads(events.render(*read(recorded), "recorded"))) == ordered(recorded)


def test_unknown_fields_of_a_whole_event_may_be_null_and_keep_their_place() -> None:
    whole: dict[str, Any] = {
        "EventType": "FileDeleted",
        "NewKindEvent": None,
        "FileDeleteEvent": {"FileIdSet": []},
        "T2": None,
    }
    event_type, structure, fields = events.parse(whole)
    assert ordered(json.loads(events.render(event_type, structure, "seed", fields))) == ordered(whole)


# Tencent's SDK


def test_every_carrying_field_is_one_of_the_sdk_and_none_is_missing() -> None:
    known = {name.removeprefix("_") for name in vars(models.EventContent())}
    assert len(CARRIERS) == 37
    assert set(CARRIERS.values()) == known - {"EventHandle", "EventType"}


@pytest.mark.parametrize("profile", ["current", "sparse"])
@pytest.mark.parametrize("event_type", CARRIERS)
def test_the_sdk_finds_every_event_in_its_field(event_type: str, profile: Profile) -> None:
    structure = STRUCTURE if event_type == SNAPSHOT_COMPLETE else {}
    event = judged(with_handle(events.render(event_type, structure, profile), "476553469977303"))
    filled = [field for field in CARRIERS.values() if getattr(event, field) is not None]
    assert (event.EventHandle, event.EventType, filled) == ("476553469977303", event_type, [CARRIERS[event_type]])


def test_the_sdk_reads_every_field_of_the_task() -> None:
    task = judged(events.render(SNAPSHOT_COMPLETE, STRUCTURE, "current")).SnapshotByTimeOffsetCompleteEvent
    assert (task.TaskId, task.FileId, task.Definition) == (
        "CreateSnapshotByTimeOffset-1edb7eb88a599d05abe451cfc541cfbd",
        "14508071098244929440",
        10,
    )
    assert [(picture.ErrCode, picture.TimeOffset, picture.Url) for picture in task.SnapshotInfoSet] == [
        (0, 10000, "http://125676836723.vod2.myqcloud.com/xxx/xxx/1.png"),
        (0, 20000, "http://125676836723.vod2.myqcloud.com/xxx/xxx/2.png"),
    ]


def test_the_sdk_warns_of_the_two_fields_that_the_seed_profile_spells_otherwise() -> None:
    with pytest.warns(UserWarning, match="useless") as warned:
        judged(events.render(SNAPSHOT_COMPLETE, STRUCTURE, "seed"))
    [warning] = warned
    assert set(str(warning.message).split()[0].split(",")) == {"EditMediaComplete", "WechatPublishComplete"}


# Reading


@pytest.mark.parametrize("field", ["EditMediaComplete", "EditMediaCompleteEvent"])
def test_both_spellings_of_a_field_are_read(field: str) -> None:
    assert read({"EventType": "EditMediaComplete", field: {"TaskId": "t"}}) == (
        "EditMediaComplete",
        {"TaskId": "t"},
    )


@pytest.mark.parametrize("event_type", ["EditMediaComplete", "WechatPublishComplete"])
def test_an_event_uses_the_spelling_of_its_profile(event_type: str) -> None:
    written = {profile: json.loads(events.render(event_type, {}, profile)) for profile in PROFILES}
    spelled = {
        profile: {key: value for key, value in body.items() if key.startswith(event_type)}
        for profile, body in written.items()
    }
    assert spelled == {
        "seed": {event_type: {}},
        "current": {f"{event_type}Event": {}},
        "sparse": {f"{event_type}Event": {}},
        "recorded": {f"{event_type}Event": {}},
    }


def test_a_recorded_notification_is_read_without_its_handle_and_signature() -> None:
    body = events.with_sign(events.render(SNAPSHOT_COMPLETE, STRUCTURE, "seed"), sign_key="k", expires=1)
    assert read(json.loads(with_handle(body, "1"))) == (SNAPSHOT_COMPLETE, STRUCTURE)


def test_fields_that_tencent_may_add_are_kept_in_their_place() -> None:
    structure = {"New": None, **STRUCTURE, "Newer": {"b": None, "a": [1, None]}}
    structure["SnapshotInfoSet"] = [{"Width": None, "TimeOffset": 0, "ErrCode": 0, "Url": None}]
    assert ordered(read(document(structure))[1]) == ordered(structure)


@pytest.mark.parametrize(
    ("given_document", "message"),
    [
        ({}, "EventType is missing"),
        ({"EventType": 7}, "EventType must be a string, not 7"),
        (
            {"EventType": "SnapshotByTimeOffsetComplete"},
            "unknown EventType 'SnapshotByTimeOffsetComplete': did you mean 'CreateSnapshotByTimeOffsetComplete'?",
        ),
        (
            {"EventType": "RemoveWatermarkComplete", "RemoveWatermarkCompleteEvent": {}},
            "unknown EventType 'RemoveWatermarkComplete': did you mean 'RemoveWatermark'?",
        ),
        (
            PUSHED | {"EventType": "NewFileUpload"},
            (
                "EventType 'NewFileUpload' is carried by 'FileUploadEvent', but the document gives "
                "'SnapshotByTimeOffsetCompleteEvent': rename the field, or set EventType to "
                "'CreateSnapshotByTimeOffsetComplete'"
            ),
        ),
        (
            {"EventType": SNAPSHOT_COMPLETE, "FileUploadEvent": None, "SnapshotByTimeOffsetCompleteEvent": None},
            (
                "EventType 'CreateSnapshotByTimeOffsetComplete' has no structure: "
                "give 'SnapshotByTimeOffsetCompleteEvent'"
            ),
        ),
        (
            PUSHED | {"ClipCompleteEvent": {}},
            (
                "an event has one structure, but 'ClipCompleteEvent' and 'SnapshotByTimeOffsetCompleteEvent' "
                "are given: keep 'SnapshotByTimeOffsetCompleteEvent' for 'CreateSnapshotByTimeOffsetComplete'"
            ),
        ),
        (
            {"EventType": "EditMediaComplete", "EditMediaComplete": {}, "EditMediaCompleteEvent": {}},
            "'EditMediaComplete' and 'EditMediaCompleteEvent' are given",
        ),
        (
            PUSHED | {"SnapshotByTimeOffsetEvent": {}},
            "unknown field 'SnapshotByTimeOffsetEvent': did you mean 'SnapshotByTimeOffsetCompleteEvent'?",
        ),
        (
            {"Response": {"EventSet": [PULLED]}},
            "this is a response of PullEvents: emit the elements of its EventSet one by one",
        ),
        ({"EventSet": [PULLED]}, "this is a response of PullEvents"),
        (load("recorded/callback_2_0.json"), "this is an event of API 2.0: emit its 3.0 form"),
        ({"msgHandle": "1", "eventContent": {}}, "this is an event of API 2.0"),
        (
            {"EventType": "NewFileUpload", "FileUploadEvent": []},
            "FileUploadEvent must be an object, not []",
        ),
    ],
)
def test_a_document_that_is_not_an_event_is_refused_with_what_to_change(
    given_document: dict[str, Any], message: str
) -> None:
    with pytest.raises(EventError) as refused:
        events.parse(given_document)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"FileId": 14508071098244929440}, "FileId is 14508071098244929440: "),
        ({"TaskId": None}, "TaskId is None: "),
        ({"Definition": "10"}, "Definition is '10': "),
        ({"Definition": True}, "Definition is True: "),
        ({"SnapshotInfoSet": None}, "SnapshotInfoSet is None: "),
        ({"SnapshotInfoSet": [{"ErrCode": 0, "TimeOffset": -1}]}, "SnapshotInfoSet.0.TimeOffset is -1: "),
        ({"SnapshotInfoSet": [{"ErrCode": 0, "TimeOffset": 1000.0}]}, "SnapshotInfoSet.0.TimeOffset is 1000.0: "),
        ({"SnapshotInfoSet": [{"ErrCode": "0", "TimeOffset": 1}]}, "SnapshotInfoSet.0.ErrCode is '0': "),
        ({"SnapshotInfoSet": [{"ErrCode": 0}]}, "SnapshotInfoSet.0.TimeOffset is missing: "),
        ({"SnapshotInfoSet": [{"ErrCode": 0, "TimeOffset": 1, "Url": 2}]}, "SnapshotInfoSet.0.Url is 2: "),
    ],
)
def test_a_field_of_the_wrong_type_is_refused_with_its_path(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(EventError) as refused:
        events.parse(document(structure_with(**changes)))
    assert str(refused.value).startswith(f"SnapshotByTimeOffsetCompleteEvent.{message}")


def test_a_structure_in_snake_case_is_refused() -> None:
    snake = {"task_id": "t", "file_id": "f", "definition": 10, "snapshot_info_set": []}
    with pytest.raises(EventError, match="TaskId is missing"):
        events.parse(document(snake))


# Writing


def test_the_body_is_compact_utf8() -> None:
    body = events.render("NewFileUpload", {"MediaBasicInfo": {"Name": "夏の花火"}}, "sparse")
    assert body == '{"EventType":"NewFileUpload","FileUploadEvent":{"MediaBasicInfo":{"Name":"夏の花火"}}}'.encode()


@pytest.mark.parametrize("profile", PROFILES)
def test_a_field_that_the_profile_does_not_show_is_appended_when_it_carries(profile: Profile) -> None:
    body = json.loads(events.render("AigcHunyuan3DTaskComplete", {"TaskId": "t"}, profile))
    assert list(body.items())[-1] == ("AigcHunyuan3DCompleteEvent", {"TaskId": "t"})


def test_an_unknown_event_type_cannot_be_written() -> None:
    with pytest.raises(EventError, match="did you mean 'NewFileUpload'"):
        events.render("NewFileUploaded", {}, "seed")


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_json_lacks_is_refused_with_its_path(number: float) -> None:
    with pytest.raises(EventError) as refused:
        events.render("ProcedureStateChanged", {"Items": [{"Duration": 1.5}, {"Duration": number}]}, "seed")
    assert str(refused.value).startswith(f"ProcedureStateChangeEvent.Items.1.Duration is {number}: ")


@pytest.mark.parametrize("value", ["\ud800", {1, 2}])
def test_a_value_that_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(EventError, match=r"FileUploadEvent(\.Name has a lone surrogate| cannot be written as JSON)"):
        events.render("NewFileUpload", {"Name": value}, "seed")


def test_the_name_of_a_field_must_have_a_utf8_form_too() -> None:
    event = events.parse({"EventType": "FileDeleted", "FileDeleteEvent": {}, "\ud800": None})
    with pytest.raises(EventError, match="lone surrogate"):
        events.render(event.event_type, event.structure, "seed", event.fields)


def test_a_body_needs_only_the_memory_of_its_bytes() -> None:
    body = events.render("NewFileUpload", {"Name": "夏の花火" * 50}, "seed")
    forms = (body, events.with_sign(body, sign_key="k", expires=1))
    assert [sys.getsizeof(form) - len(form) for form in forms] == [sys.getsizeof(b"")] * 2


def test_a_signed_event_ends_with_sign_and_t() -> None:
    body = events.render(SNAPSHOT_COMPLETE, STRUCTURE, "seed")
    signed = json.loads(events.with_sign(body, sign_key="Key1", expires=1772263716))
    expected = hashlib.md5(b"Key11772263716").hexdigest()
    assert ordered(signed) == ordered({**PUSHED, "Sign": expected, "T": 1772263716})


def test_the_signature_is_the_lower_case_md5_of_key_and_time() -> None:
    assert events.sign("", 0) == "cfcd208495d565ef66e7dff9f98764da"


# Building


def test_the_models_are_read_and_dumped_by_alias() -> None:
    task = SnapshotByTimeOffsetTask.model_validate(STRUCTURE)
    assert task.task_id == STRUCTURE["TaskId"]
    assert ordered(task.model_dump(by_alias=True)) == ordered(STRUCTURE)


def test_a_picture_before_the_beginning_cannot_be_built() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        SnapshotInfo.model_validate({"ErrCode": 0, "TimeOffset": -1})


# Anything

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(texts, values, max_size=4)
pictures = st.fixed_dictionaries(
    {"ErrCode": st.integers(), "TimeOffset": st.integers(min_value=0)}, optional={"Url": texts | st.none()}
)
tasks = st.builds(
    lambda extra, known: extra | known,
    objects,
    st.fixed_dictionaries(
        {
            "TaskId": texts,
            "FileId": texts,
            "Definition": st.integers(),
            "SnapshotInfoSet": st.lists(pictures, max_size=3),
        }
    ),
)
any_event = st.sampled_from(sorted(CARRIERS)).flatmap(
    lambda event_type: st.tuples(st.just(event_type), tasks if event_type == SNAPSHOT_COMPLETE else objects)
)
any_snapshot_event = st.tuples(st.just(SNAPSHOT_COMPLETE), tasks)


@settings(deadline=None)
@given(event=any_snapshot_event | any_event, profile=st.sampled_from(PROFILES), handle=texts)
def test_whatever_is_written_is_read_back(event: tuple[str, dict[str, Any]], profile: Profile, handle: str) -> None:
    body = with_handle(events.render(*event, profile), handle)
    assert ordered(read(json.loads(body))) == ordered(event)
