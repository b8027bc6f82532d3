"""The actions of API 3.0 that make a new media file from others: EditMedia, ComposeMedia, SimpleHlsClip."""

import re
from collections.abc import Mapping
from typing import Any, Final

from mockvod.http.action import Action
from mockvod.http.processing import procedure_jobs, run_procedure, start_task, use_session
from mockvod.service.application import Application
from mockvod.service.jobs import compose_media, edit_media
from mockvod.service.jobs.kind import Job, JobFailed
from mockvod.service.jobs.sizes import clip
from mockvod.service.media import FOREVER, Media
from mockvod.service.media_info import file_upload, media_url, meta_data
from mockvod.service.tasks import Session
from mockvod.wire import editing as wire
from mockvod.wire.calls import value_error
from mockvod.wire.error_codes import documented
from mockvod.wire.errors import MissingParameter, UnsupportedOperation

Members = Mapping[str, Any]

PLAYLIST: Final = re.compile(r"/[0-9a-f]{8}(?P<file_id>[^/]+)/(?P<name>[^/?#]+)\.m3u8(?:[?#].*)?$")
MASTER: Final = re.compile(r"^(adp\..*|master_playlist)$")


async def edit_media_action(application: Application, call: wire.EditMedia) -> Members:
    if call.input_type == "Stream":
        raise UnsupportedOperation(action="EditMedia of streams", simulated="EditMedia of files")
    if not call.file_infos:
        raise MissingParameter(name="FileInfos")
    sources = [_source(application, one.file_id) for one in call.file_infos]
    session = use_session(application, call.session_context, call.session_id)
    given = {
        "InputType": call.input_type,
        "FileInfoSet": [one.model_dump(by_alias=True) for one in call.file_infos],
        "StreamInfoSet": [],
        "OutputConfig": call.output_config.model_dump(by_alias=True) | {"ExpireTime": call.output_config.expire_time},
    }
    job = Job(edit_media.KIND, given)
    how = {"session": session, "priority": call.tasks_priority}
    then = run_procedure(application, call.procedure_name, session)
    return {"TaskId": start_task(application, sources[0], [job], edit_media.EDIT, then=then, **how).task_id}


async def compose_media_action(application: Application, call: wire.ComposeMedia) -> Members:
    sources: list[Media] = []
    for place, track in enumerate(call.tracks):
        for number, item in enumerate(track.track_items):
            content = getattr(item, f"{item.type.lower()}_item")
            if content is None:
                raise MissingParameter(name=f"Tracks.{place}.TrackItems.{number}.{item.type}Item")
            source = getattr(content, "source_media", "")
            if source and "/" not in source:  # else the address of a file elsewhere
                sources.append(_source(application, source))
    session = use_session(application, call.session_context, call.session_id)
    given = call.model_dump(by_alias=True, include={"tracks", "canvas", "output"})
    media = sources[0] if sources else application.media.plausible(application.media.new_id())
    job = Job(compose_media.KIND, given)
    then = run_procedure(application, "", session)
    return {"TaskId": start_task(application, media, [job], compose_media.COMPOSE, session=session, then=then).task_id}


def _source(application: Application, file_id: str) -> Media:
    media = application.find_media(file_id)
    if media is None:
        raise documented("ResourceNotFound", f"The media file `{file_id[:100]}` does not exist.")
    return media


# --- SimpleHlsClip, which is done at once


async def simple_hls_clip(application: Application, call: wire.SimpleHlsClip) -> Members:
    found = PLAYLIST.search(call.url)
    media = application.find_media(found["file_id"]) if found else None
    if found is None or media is None:
        raise value_error("SimpleHlsClip", "Url", call.url[:100], "must be a playlist (.m3u8) of a media file here")
    if MASTER.match(found["name"]):
        raise documented(
            "ResourceUnavailable.MasterPlaylist", "A master playlist cannot be clipped: name one of its streams."
        )
    offsets = {"StartTimeOffset": call.start_time_offset, "EndTimeOffset": call.end_time_offset}
    try:
        begins, ends = clip(offsets, media.duration)
    except JobFailed:
        raise value_error(
            "SimpleHlsClip", "EndTimeOffset", call.end_time_offset, "must be after StartTimeOffset"
        ) from None
    jobs = None
    if call.procedure and (jobs := procedure_jobs(application, call.procedure)) is None:
        raise value_error("SimpleHlsClip", "Procedure", call.procedure[:100], "there is no procedure of this name")
    length = round(ends - begins, 3)
    made = media._replace(duration=length, size=int(media.size * length / media.duration) if media.duration else 0)
    addresses = application.reachable_addresses()
    url, file_id, task_id = addresses.original(media.file_id, f"{begins:g}_{ends:g}.m3u8"), "", ""
    if call.is_persistence:
        made = _persist(application, call, made)
        url, file_id = media_url(made, addresses), made.file_id
        if jobs:
            task_id = start_task(application, made, jobs, session=Session(call.session_context)).task_id
        _notify(application, made, task_id)
    return {"Url": url, "MetaData": meta_data(made), "FileId": file_id, "TaskId": task_id}


def _persist(application: Application, call: wire.SimpleHlsClip, clipped: Media) -> Media:
    """Keep the clip as a media file of its own."""
    return application.media.declare(
        **{
            **clipped._asdict(),
            "file_id": application.media.new_id(),
            "type": "m3u8" if call.output_media_type == "hls" else "mp4",
            "original": "playlist.f9.m3u8" if call.output_media_type == "hls" else "f0.mp4",
            "class_id": call.class_id,
            "expire_time": call.expire_time or FOREVER,
            "source_type": "VideoProcessing",
            "source_context": call.source_context,
            "cover_url": "",
            "created_at": application.life.clock.epoch(),
        }
    )


def _notify(application: Application, media: Media, task_id: str) -> None:
    settings = application.settings
    if settings.persistence_complete_event_switch == "ON":
        structure = {"FileId": media.file_id, "PersistenceSource": "SimpleHlsClip"}
        application.emit_or_report("PersistenceComplete", structure)
    if settings.upload_media_complete_event_switch == "ON":
        structure = file_upload(media, application.reachable_addresses(), task_id)
        application.emit_or_report("NewFileUpload", structure)


ACTIONS: Final[dict[str, Action[Any]]] = {
    "EditMedia": Action(wire.EditMedia, edit_media_action),
    "ComposeMedia": Action(wire.ComposeMedia, compose_media_action),
    "SimpleHlsClip": Action(wire.SimpleHlsClip, simple_hls_clip),
}
