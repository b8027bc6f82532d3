"""The actions of API 3.0 that upload media, and the end that all uploads share."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from mockvod.engine.clock import real_time
from mockvod.http.action import Action
from mockvod.http.processing import procedure_jobs, run_procedure, start_task, too_many_tasks, use_session
from mockvod.service.application import Application
from mockvod.service.jobs import pull_upload
from mockvod.service.jobs.kind import Job
from mockvod.service.media import FOREVER, Media, TooManyMedia, inspect_video
from mockvod.service.media_info import file_upload, media_url
from mockvod.service.storage import Key
from mockvod.service.tasks import Session as TaskSession
from mockvod.service.tasks import TooManyTasks
from mockvod.service.uploads import DEFAULT_REGION, Finished, Request, Session, applied
from mockvod.tls import REGIONS
from mockvod.wire import uploads as wire
from mockvod.wire.calls import value_error
from mockvod.wire.error_codes import documented
from mockvod.wire.errors import MissingParameter
from mockvod.wire.manifests import named_files

Members = Mapping[str, Any]

MEDIA_TYPES: Final = frozenset(
    "wmv rm mov mpeg mp4 3gp flv avi rmvb ts asf mpg webm mkv m3u8 mpd wm asx ram mpe vob dat mp4v m4v f4v mxf qt ogg "
    "mp3 m4a flac wav ra aac amr jpg jpeg png gif bmp".split()
)
COVER_TYPES: Final = frozenset("jpg jpeg png gif bmp tiff ai cdr eps tif".split())
COVER_LIMIT: Final = 10 * 1024 * 1024


async def apply_upload(application: Application, call: wire.ApplyUpload) -> Members:
    request = upload_request(
        "ApplyUpload",
        call.media_type,
        call.cover_type,
        name=call.media_name,
        procedure=call.procedure,
        expire_time=call.expire_time or FOREVER,
        region=call.storage_region,
        class_id=call.class_id,
        source_context=call.source_context,
        session_context=call.session_context,
        path=call.media_storage_path,
    )
    return applied(application.uploads.apply(request, real_time()))


def upload_request(action: str, media_type: str, cover_type: str, *, region: str = "", **members: Any) -> Request:
    """The parameters of an upload. Raises the errors of *action* for types and regions that do not exist."""
    if media_type.lower() not in MEDIA_TYPES:
        raise value_error(action, "MediaType", media_type[:30], f"must be one of {', '.join(sorted(MEDIA_TYPES))}")
    if cover_type and cover_type.lower() not in COVER_TYPES:
        raise value_error(action, "CoverType", cover_type[:30], f"must be one of {', '.join(sorted(COVER_TYPES))}")
    if region and region not in REGIONS:
        raise value_error(action, "StorageRegion", region[:60], f"must be one of {', '.join(REGIONS)}")
    return Request(
        media_type=media_type.lower(), cover_type=cover_type.lower(), region=region or DEFAULT_REGION, **members
    )


async def commit_upload(application: Application, call: wire.CommitUpload) -> Members:
    session = application.uploads.find(call.vod_session_key)
    if session is None:
        reason = "it is unknown, or was committed"
        raise value_error("CommitUpload", "VodSessionKey", call.vod_session_key[:60], reason)
    media = await commit(application, session)
    if media is None:
        raise documented("ResourceNotFound", f"Nothing was uploaded to `{session.media_path[:200]}`.")
    return {
        "FileId": media.file_id,
        "MediaUrl": media_url(media, application.reachable_addresses()),
        "CoverUrl": media.cover_url,
    }


async def commit(application: Application, session: Session) -> Media | None:
    """End an upload: its object becomes a media file, NewFileUpload is emitted, its procedure starts.

    An upload of a cover alone changes the cover of its media file.

    None when no object was uploaded. A file that is not a readable video becomes a plausible media file of its size.
    """
    if not session.media_path:
        return _commit_cover(application, session)
    uploads, request = application.uploads, session.request
    key = session.bucket, session.media_path
    stored = uploads.storage.find(key)
    if stored is None:
        return None
    facts: dict[str, Any] = {}
    if find_spec("av") is not None:
        inspection = await inspect_video(application.life.worker, str(stored.file))
        if inspection.error is None:
            facts = {"video": str(stored.file), "inspection": inspection}
    # No await from here on: if the client disconnects, all of this happens or nothing.
    if uploads.find(session.key) is None:
        return application.find_media(session.file_id)
    facts |= {"size": stored.size, "cover_url": _cover(application, session)}
    try:
        media = finish(application, request, session.file_id, key=key, **facts)
    except TooManyMedia as error:
        raise documented("FailedOperation", f"{error}.") from None
    except TooManyTasks as error:
        raise too_many_tasks(error) from None
    uploads.end(session)
    return media


def _commit_cover(application: Application, session: Session) -> Media | None:
    media, cover_url = application.find_media(session.file_id), _cover(application, session)
    if media is None or not cover_url:
        return None
    application.uploads.end(session)
    return application.media.change(media, cover_url=cover_url)


def _cover(application: Application, session: Session) -> str:
    """Keep the cover that was uploaded, and return its address; empty without one."""
    stored = application.uploads.storage.find((session.bucket, session.cover_path))
    if stored is None or stored.size > COVER_LIMIT:
        return ""
    name = f"cover.{session.request.cover_type}"
    application.media.delete_stored(session.file_id, "cover.")
    application.media.store(session.file_id, name, stored.file.read_bytes())
    return application.reachable_addresses().original(session.file_id, name)


def finish(
    application: Application,
    request: Request,
    file_id: str | None,
    *,
    key: Key | None = None,
    **facts: Any,
) -> Media:
    """Add the media file of an upload, start its procedure and emit NewFileUpload, if its switch is ON.

    *key* is its object in the storage, *facts* what MediaLibrary.declare takes. Raises TooManyMedia and
    TooManyTasks; then nothing has changed.
    """
    jobs = procedure_jobs(application, request.procedure) if request.procedure else None
    if jobs:
        application.tasks.check_room()
    media = application.declare_media(
        file_id,
        name=request.name or "untitled",
        type=request.media_type,
        class_id=request.class_id,
        expire_time=request.expire_time,
        source_context=request.source_context,
        original=f"f0.{request.media_type}",
        **facts,
    )
    upload = Finished(media.file_id, media.name, media.type, media.size, media.original, real_time(), key)
    application.uploads.finish(upload)
    task_id = ""
    if jobs:
        session = TaskSession(request.session_context)
        how: dict[str, Any] = {"notify": request.notify, "priority": request.priority}
        task_id = start_task(application, media, jobs, session=session, **how).task_id
    if application.settings.upload_media_complete_event_switch == "ON":
        structure = file_upload(media, application.reachable_addresses(), task_id)
        application.emit_or_report("NewFileUpload", structure)
    return media


# --- PullUpload


async def pull_upload_action(application: Application, call: wire.PullUpload) -> Members:
    try:
        url, cover = urlsplit(call.media_url), urlsplit(call.cover_url)
    except ValueError:
        raise value_error("PullUpload", "MediaUrl", call.media_url[:100], "must be an address") from None
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise value_error("PullUpload", "MediaUrl", call.media_url[:100], "must be an http:// or https:// address")
    name, _, extension = unquote(url.path.rpartition("/")[2]).rpartition(".")
    media_type = (call.media_type or extension).lower()
    if media_type not in MEDIA_TYPES:
        raise documented("FailedOperation.MediaType", f"The media type `{media_type[:30]}` is not supported.")
    if call.cover_url and cover.scheme not in {"http", "https"}:
        raise value_error("PullUpload", "CoverUrl", call.cover_url[:100], "must be an http:// or https:// address")
    session = use_session(application, call.session_context, call.session_id)
    given = {
        "Name": call.media_name or name or "untitled",
        "Type": media_type,
        "ClassId": call.class_id,
        "ExpireTime": call.expire_time or FOREVER,
        "SourceContext": call.source_context,
        "CoverUrl": call.cover_url,
    }
    source = application.media.plausible(application.media.new_id())
    how = {"session": session, "priority": call.tasks_priority}
    then = run_procedure(application, call.procedure, session)
    job = Job(pull_upload.KIND, given)
    return {"TaskId": start_task(application, source, [job], pull_upload.PULL, then=then, **how).task_id}


# --- ParseStreamingManifest


MAX_MANIFEST_FILES: Final = 10_000
"""Ten hours in segments of four seconds."""


async def parse_streaming_manifest(_: Application, call: wire.ParseStreamingManifest) -> Members:
    if not call.media_manifest_content:
        raise MissingParameter(name="MediaManifestContent")
    content = call.media_manifest_content.removeprefix("\ufeff")
    if call.manifest_type == "m3u8" and not content.startswith("#EXTM3U"):
        raise value_error("ParseStreamingManifest", "MediaManifestContent", content[:30], "it must start with #EXTM3U")
    names: dict[str, None] = {}
    for name in named_files(content, call.manifest_type):
        names[name] = None
        if len(names) > MAX_MANIFEST_FILES:
            problem = f"it must name at most {MAX_MANIFEST_FILES} files"
            raise value_error("ParseStreamingManifest", "MediaManifestContent", name, problem)
    return {"MediaSegmentSet": list(names)}


ACTIONS: Final[dict[str, Action[Any]]] = {
    "ApplyUpload": Action(wire.ApplyUpload, apply_upload),
    "CommitUpload": Action(wire.CommitUpload, commit_upload),
    "PullUpload": Action(wire.PullUpload, pull_upload_action),
    "ParseStreamingManifest": Action(wire.ParseStreamingManifest, parse_streaming_manifest),
}
