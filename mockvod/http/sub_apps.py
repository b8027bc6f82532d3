"""The actions of API 3.0 about the applications of an account."""

from collections.abc import Mapping
from typing import Any, Final

from mockvod.http.action import Action
from mockvod.service.application import Application
from mockvod.service.media_info import iso
from mockvod.service.sub_apps import SubApp, TooManySubApps
from mockvod.wire import sub_apps as wire
from mockvod.wire.calls import value_error
from mockvod.wire.error_codes import documented
from mockvod.wire.errors import InvalidParameterValue, MissingParameter

Members = Mapping[str, Any]


async def create_sub_app_id(application: Application, call: wire.CreateSubAppId) -> Members:
    if call.mode == "fileid+path" and not call.storage_region:
        raise MissingParameter(name="StorageRegion")
    tags = tuple((tag.tag_key, tag.tag_value) for tag in call.tags)
    facts = {"name": call.name, "description": call.description, "mode": call.mode, "tags": tags}
    try:
        created = application.life.sub_apps.create(
            application.life.clock.now(), **facts, storage_region=call.storage_region
        )
    except TooManySubApps as error:
        raise documented("LimitExceeded", f"{error}.") from None
    return {"SubAppId": created.sub_app_id}


async def describe_sub_app_ids(application: Application, call: wire.DescribeSubAppIds) -> Members:
    tags = {(tag.tag_key, tag.tag_value) for tag in call.tags}
    found = [
        one
        for one in application.life.sub_apps.all()
        if (not call.name or one.name == call.name) and tags <= set(one.tags)
    ]
    page = found[call.offset : call.offset + call.limit]
    return {"SubAppIdInfoSet": [_info(application, one) for one in page], "TotalCount": len(found)}


def _info(application: Application, one: SubApp) -> Members:
    clock = application.life.clock
    return {
        "SubAppId": one.sub_app_id,
        "SubAppIdName": one.name,
        "Description": one.description,
        "CreateTime": iso(clock.epoch(one.created_at)),
        "Status": one.status_at(clock.now()),
        "Name": one.name,
        "Mode": one.mode,
        "StorageRegions": [one.storage_region or "ap-chongqing"],
        "Tags": [{"TagKey": key, "TagValue": value} for key, value in one.tags],
    }


async def modify_sub_app_id_info(application: Application, call: wire.ModifySubAppIdInfo) -> Members:
    found = _find(application, "ModifySubAppIdInfo", call.sub_app_id)
    if found.sub_app_id == application.life.sub_apps.primary:
        reason = "the name and description of the first application cannot be changed"
        raise value_error("ModifySubAppIdInfo", "SubAppId", call.sub_app_id, reason)
    changes = {name: value for name in ("name", "description") if (value := getattr(call, name)) is not None}
    application.life.sub_apps.change(found, **changes)
    return {}


async def modify_sub_app_id_status(application: Application, call: wire.ModifySubAppIdStatus) -> Members:
    found, now = _find(application, "ModifySubAppIdStatus", call.sub_app_id), application.life.clock.now()
    if call.status != "Destroyed" and found.status_at(now) == "Destroying":
        raise InvalidParameterValue(name="Status", value=call.status, reason="the application is being destroyed")
    if call.status == "Destroyed" and found.sub_app_id == application.life.sub_apps.primary:
        others = [one for one in application.life.sub_apps.all() if one is not found and one.status == "On"]
        if others:
            reason = "the first application can be destroyed when all others are off"
            raise InvalidParameterValue(name="Status", value=call.status, reason=reason)
    application.life.sub_apps.change(found, status=call.status, destroyed_at=now)
    return {}


def _find(application: Application, action: str, sub_app_id: int) -> SubApp:
    found = application.life.sub_apps.find(sub_app_id)
    if found is None:
        raise value_error(action, "SubAppId", sub_app_id, "there is no such application")
    return found


ACTIONS: Final[dict[str, Action[Any]]] = {
    "CreateSubAppId": Action(wire.CreateSubAppId, create_sub_app_id),
    "DescribeSubAppIds": Action(wire.DescribeSubAppIds, describe_sub_app_ids),
    "ModifySubAppIdInfo": Action(wire.ModifySubAppIdInfo, modify_sub_app_id_info),
    "ModifySubAppIdStatus": Action(wire.ModifySubAppIdStatus, modify_sub_app_id_status),
}
