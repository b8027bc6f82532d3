"""The actions of API 3.0 about templates: the same four for every family, made from one row each."""

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from mockvod.http.action import Action
from mockvod.http.processing import checked_process
from mockvod.service.addresses import Addresses
from mockvod.service.application import Application
from mockvod.service.media_info import iso
from mockvod.service.templates import FAMILIES, Template, TooManyTemplates
from mockvod.wire import templates as wire
from mockvod.wire.calls import Call, value_error
from mockvod.wire.error_codes import documented
from mockvod.wire.errors import ApiError, MissingParameter, TemplateNotExist, TooMuchTemplate, WatermarkNotExist
from mockvod.wire.processing import Request

Members = dict[str, Any]
EXTRA: Final = {"sub_app_id", "definition"}


def _type(template: Template) -> str:
    return "Preset" if template.preset else "Custom"


class Row(NamedTuple):
    """One family: its Create request, its members (all optional), its Describe request, and its peculiarities."""

    create: type[Call]
    members: type[Request]
    describe: type[Call]
    check: Callable[[str, Mapping[str, Any]], None] = lambda action, content: None  # noqa: ARG005
    """Called with the action and the whole content. Raises the error of members that contradict each other."""
    shown: Callable[[Template, Addresses], Members] = lambda template, _: {"Type": _type(template)}
    """Members of a template in a response that differ from its content."""
    returned: Callable[[Template, Addresses], Members] = lambda *_: {}
    """Further members of the responses of Create and Modify."""
    unknown: type[ApiError] = TemplateNotExist
    """The error of Delete for a template that does not exist or is a preset."""
    type: Callable[[Template], str] = _type
    """The value that the parameter Type of Describe is compared with."""


# --- differences of single families


def _check_transcode(action: str, content: Mapping[str, Any]) -> None:
    for flag, member in (("RemoveVideo", "VideoTemplate"), ("RemoveAudio", "AudioTemplate")):
        if action.startswith("Create") and not content.get(flag) and not content.get(member):
            raise MissingParameter(name=member)
    if content.get("RemoveVideo") and content.get("RemoveAudio"):
        raise value_error(action, "RemoveAudio", 1, "RemoveVideo is 1 as well: nothing would be left")


def _show_transcode(template: Template, _: Addresses) -> Members:
    return {"Definition": str(template.key), "Type": _type(template), "ContainerType": _container_type(template)}


def _container_type(template: Template) -> str:
    return "PureAudio" if template.content["RemoveVideo"] else "Video"


def _check_animated(action: str, content: Mapping[str, Any]) -> None:
    if content.get("Format") != "webp" or not action.startswith("Create"):
        return
    if not content.get("Width") and not content.get("Height"):
        given = "Width" in content or "Height" in content
        code = (
            "InvalidParameterValue.FormatWebpWidthAndHeightBothZero"
            if given
            else "InvalidParameterValue.FormatWebpLackWidthAndHeight"
        )
        raise documented(code, "The format webp needs a Width or a Height above 0.")


def _check_watermark(action: str, content: Mapping[str, Any]) -> None:
    if action.startswith("Create"):
        needed = {"image": "ImageTemplate", "text": "TextTemplate", "svg": "SvgTemplate"}[content["Type"]]
        if not content.get(needed):
            raise MissingParameter(name=needed)
        if content["Type"] == "image" and not content["ImageTemplate"].get("ImageContent"):
            raise MissingParameter(name="ImageTemplate.ImageContent")
    image = (content.get("ImageTemplate") or {}).get("ImageContent")
    if image is not None:
        try:
            base64.b64decode(image, validate=True)
        except ValueError:
            raise value_error(action, "ImageTemplate.ImageContent", "(not shown)", "should be Base64") from None


def _show_watermark(template: Template, addresses: Addresses) -> Members:
    image = template.content["ImageTemplate"]
    if image is None:
        return {}
    shown = {"Width": "10%", "Height": "0px", "RepeatType": "repeat", "Transparency": 0, **image}
    del shown["ImageContent"]
    return {"ImageTemplate": {"ImageUrl": addresses.watermark(template.key), **shown}}


def _watermark_returned(template: Template, addresses: Addresses) -> Members:
    return {"ImageUrl": addresses.watermark(template.key) if template.content["Type"] == "image" else ""}


def _watermark_type(template: Template) -> str:
    kind: str = template.content["Type"]
    return kind


ROWS: Final[Mapping[str, Row]] = {
    "Transcode": Row(
        wire.CreateTranscodeTemplate,
        wire.TranscodeTemplate,
        wire.DescribeTranscodeTemplates,
        _check_transcode,
        _show_transcode,
    ),
    "AdaptiveDynamicStreaming": Row(
        wire.CreateAdaptiveDynamicStreamingTemplate, wire.AdaptiveDynamicStreamingTemplate, wire.Describe
    ),
    "ImageSprite": Row(wire.CreateImageSpriteTemplate, wire.ImageSpriteTemplate, wire.Describe),
    "SampleSnapshot": Row(wire.CreateSampleSnapshotTemplate, wire.SampleSnapshotTemplate, wire.Describe),
    "SnapshotByTimeOffset": Row(wire.SnapshotByTimeOffsetTemplate, wire.SnapshotByTimeOffsetTemplate, wire.Describe),
    "AnimatedGraphics": Row(
        wire.CreateAnimatedGraphicsTemplate, wire.AnimatedGraphicsTemplate, wire.Describe, _check_animated
    ),
    "Watermark": Row(
        wire.CreateWatermarkTemplate,
        wire.WatermarkTemplate,
        wire.DescribeWatermarkTemplates,
        _check_watermark,
        _show_watermark,
        _watermark_returned,
        WatermarkNotExist,
        _watermark_type,
    ),
}


# --- the four actions


def _actions(family: str, row: Row) -> dict[str, Action[Any]]:
    async def create(application: Application, call: Any) -> Members:
        given = _given(call)
        row.check(f"Create{family}Template", given)
        try:
            template = application.templates.add(family, application.life.clock.epoch(), given)
        except TooManyTemplates:
            raise TooMuchTemplate from None
        return {"Definition": template.key, **row.returned(template, application.reachable_addresses())}

    async def modify(application: Application, call: Any) -> Members:
        template = _own(application, family, call.definition, TemplateNotExist)
        given = _given(call)
        row.check(f"Modify{family}Template", given)
        template = application.templates.change(family, template, application.life.clock.epoch(), given)
        return {**row.returned(template, application.reachable_addresses())}

    async def delete(application: Application, call: Any) -> Members:
        application.templates.remove(family, _own(application, family, call.definition, row.unknown))
        return {}

    async def describe(application: Application, call: Any) -> Members:
        found = [one for one in application.templates.all(family) if _matches(one, row, call)]
        page = found[call.offset : call.offset + call.limit]
        addresses = application.reachable_addresses()
        return {"TotalCount": len(found), f"{family}TemplateSet": [_shown(one, row, addresses) for one in page]}

    return {
        f"Create{family}Template": Action(row.create, create),
        f"Modify{family}Template": Action(wire.modify(row.members), modify),
        f"Delete{family}Template": Action(wire.Delete, delete),
        f"Describe{family}Templates": Action(row.describe, describe),
    }


def _given(call: Call) -> Members:
    return call.model_dump(by_alias=True, exclude=EXTRA, exclude_none=True)


def _own(application: Application, family: str, definition: int, unknown: type[ApiError]) -> Template:
    """A template of the application's own. Raises *unknown* for any other: presets cannot be modified or deleted."""
    template = application.templates.find(family, definition)
    if template is None:
        raise unknown(definition=definition)
    if template.preset:
        raise documented(unknown.code, f"The template `{definition}` is a preset: it cannot be modified or deleted.")
    return template


def _matches(template: Template, row: Row, call: Any) -> bool:
    container_type = getattr(call, "container_type", None)
    tehd_type = getattr(call, "tehd_type", None)
    return (
        (call.definitions is None or template.key in call.definitions)
        and (call.type is None or call.type == row.type(template))
        and (container_type is None or container_type == _container_type(template))
        and (tehd_type is None or (tehd_type == "TEHD") == (template.content["TEHDConfig"]["Type"] != "OFF"))
    )


def _shown(template: Template, row: Row, addresses: Addresses) -> Members:
    return {"Definition": template.key, **template.content, **row.shown(template, addresses), **_times(template)}


def _times(template: Template) -> Members:
    return {"CreateTime": iso(template.created_at), "UpdateTime": iso(template.updated_at)}


# --- procedures: their key is the Name, and Reset replaces the whole content


async def create_procedure(application: Application, call: wire.CreateProcedureTemplate) -> Members:
    if application.templates.find("Procedure", call.name) is not None:
        raise documented("InvalidParameter.ExistedProcedureName", f"The procedure `{call.name}` exists already.")
    return _put_procedure(application, call)


async def reset_procedure(application: Application, call: wire.CreateProcedureTemplate) -> Members:
    template = application.templates.find("Procedure", call.name)
    if template is None:
        raise documented("InvalidParameter.ProcedureNameNotExist", f"The procedure `{call.name}` does not exist.")
    if template.preset:
        raise documented("InvalidParameter", f"The procedure `{call.name}` is a preset: it cannot be reset.")
    return _put_procedure(application, call)


def _put_procedure(application: Application, call: wire.CreateProcedureTemplate) -> Members:
    now = application.life.clock.epoch()
    content = call.model_dump(by_alias=True, exclude=EXTRA)
    content["MediaProcessTask"] = checked_process(call.media_process_task)
    try:
        application.templates.add("Procedure", now, content, key=call.name)
    except TooManyTemplates:
        limit = FAMILIES["Procedure"].limit
        raise documented("LimitExceeded", f"An application may have {limit} procedures of its own.") from None
    return {}


async def delete_procedure(application: Application, call: wire.DeleteProcedureTemplate) -> Members:
    template = application.templates.find("Procedure", call.name)
    if template is None or template.preset:
        reason = "is a preset: it cannot be deleted" if template else "does not exist"
        raise documented("InvalidParameter", f"The procedure `{call.name[:100]}` {reason}.")
    application.templates.remove("Procedure", template)
    return {}


async def describe_procedures(application: Application, call: wire.DescribeProcedureTemplates) -> Members:
    found = [
        template
        for template in application.templates.all("Procedure")
        if (call.names is None or template.key in call.names)
        and (call.type is None or (call.type == "Preset") == template.preset)
    ]
    if call.sort_by:
        found.sort(key=lambda template: template.created_at, reverse=call.sort_by[0].order == "desc")
    return {
        "TotalCount": len(found),
        "ProcedureTemplateSet": [
            {
                **template.content,
                "Name": template.key,
                "Type": _type(template),
                **_times(template),
            }
            for template in found[call.offset : call.offset + call.limit]
        ],
    }


ACTIONS: Final[dict[str, Action[Any]]] = {
    **{name: action for family, row in ROWS.items() for name, action in _actions(family, row).items()},
    "CreateProcedureTemplate": Action(wire.CreateProcedureTemplate, create_procedure),
    "ResetProcedureTemplate": Action(wire.CreateProcedureTemplate, reset_procedure),
    "DeleteProcedureTemplate": Action(wire.DeleteProcedureTemplate, delete_procedure),
    "DescribeProcedureTemplates": Action(wire.DescribeProcedureTemplates, describe_procedures),
}
