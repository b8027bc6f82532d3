"""The actions about events: PullEvents, ConfirmEvents and the event configuration."""

import logging
from collections.abc import Mapping
from typing import Any, Final

from mockvod.engine.queue import Outcome
from mockvod.http.action import Action
from mockvod.service.application import Application
from mockvod.wire import calls
from mockvod.wire.errors import InvalidParameterValue, MissingParameter, NoEvent

log = logging.getLogger("mockvod.api")


async def pull_events(application: Application, _: calls.PullEvents) -> bytes:
    empty = application.life.settings.empty_reply  # the setting at the start of the poll
    leases = await application.pull()
    if leases.events:
        # A handle is digits, and a tail is an event without its first brace.
        pieces = [b'"EventSet":[{"EventHandle":"']
        for handle, event in zip(leases.handles, leases.events, strict=True):
            pieces += (handle.encode(), b'",', event.tail, b',{"EventHandle":"')
        pieces[-1] = b"]"
        return b"".join(pieces)
    return no_events(empty)


def no_events(empty_reply: str) -> bytes:
    """The reply of a pull that found nothing. Raises NoEvent if the setting `empty-reply` is `error`."""
    if empty_reply == "error":
        raise NoEvent
    return b'"EventSet":' + (b"null" if empty_reply == "null" else b"[]")


async def confirm_events(application: Application, call: calls.ConfirmEvents) -> bytes:
    limit = application.life.settings.pull_limit
    handles = call.event_handles
    if not handles:
        raise MissingParameter(name="EventHandles")
    if len(handles) > limit:
        raise InvalidParameterValue(
            name="EventHandles", value=f"{len(handles)} handles", reason=f"at most {limit} can be confirmed at once"
        )
    outcomes = application.confirm(handles)
    if Outcome.UNKNOWN in outcomes:
        place = outcomes.index(Outcome.UNKNOWN)
        raise InvalidParameterValue(
            name=f"EventHandles.{place}", value=handles[place][:100], reason=f"it is {Outcome.UNKNOWN.value}"
        )
    return b""


async def describe_events_state(application: Application, _: calls.Call) -> bytes:
    return b'"CountOfEventsToPull":%d' % application.queue.visible


async def describe_event_config(application: Application, _: calls.Call) -> Mapping[str, Any]:
    settings = application.settings
    return {
        "Mode": settings.effective_mode,
        "NotificationUrl": settings.callback_url,
        "UploadMediaCompleteEventSwitch": settings.upload_media_complete_event_switch,
        "DeleteMediaCompleteEventSwitch": settings.delete_media_complete_event_switch,
        "PersistenceCompleteEventSwitch": settings.persistence_complete_event_switch,
    }


async def modify_event_config(application: Application, call: calls.ModifyEventConfig) -> bytes:
    changes = call.model_dump(exclude_none=True, exclude={"sub_app_id"})
    if "notification_url" in changes:
        changes["callback_url"] = changes.pop("notification_url")
        # An address alone does not change the mode, even if no mode is set, which then would follow the address.
        changes.setdefault("mode", application.mode)
    application.configure(changes)
    return b""


ACTIONS: Final[dict[str, Action[Any]]] = {
    "PullEvents": Action(calls.PullEvents, pull_events),
    "ConfirmEvents": Action(calls.ConfirmEvents, confirm_events),
    "DescribeEventsState": Action(calls.Call, describe_events_state),
    "DescribeEventConfig": Action(calls.Call, describe_event_config),
    "ModifyEventConfig": Action(calls.ModifyEventConfig, modify_event_config),
}
