"""The actions of API 3.0 that describe, find, change and delete media."""

import base64
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import count
from typing import Any, Final
from urllib.parse import urlsplit

from mockvod.engine.clock import LoopShare
from mockvod.http.action import Action
from mockvod.http.processing import within
from mockvod.service.application import Application
from mockvod.service.media import Media, TooManyMedia
from mockvod.service.media_info import MEMBERS, category, iso, media_info
from mockvod.wire import media as wire
from mockvod.wire.calls import specific
from mockvod.wire.error_codes import documented
from mockvod.wire.errors import FileNotExist, InvalidParameterValue, MissingParameter
from mockvod.wire.processing import TimeRange

Members = dict[str, Any]

MAX_DESCRIBED: Final = 20
MAX_FOUND: Final = 5_000
MAX_TAGS: Final = 16
MAX_KEY_FRAMES: Final = 100
MAX_SUBTITLES: Final = 16
IMAGE_TYPES: Final = ((b"\xff\xd8\xff", "jpg"), (b"\x89PNG\r\n\x1a\n", "png"), (b"GIF8", "gif"))

PARTS: Final = {"TranscodeFiles": "TranscodeSet", "AdaptiveDynamicStreamingFiles": "AdaptiveDynamicStreamingSet"}


# --- DescribeMediaInfos


async def describe_media_infos(application: Application, call: wire.DescribeMediaInfos) -> Members:
    if not call.file_ids:
        error, reason = specific("InvalidParameterValue.FileIdsEmpty"), "name at least one media file"
        raise error(name="FileIds", value="[]", reason=reason)
    if len(call.file_ids) > MAX_DESCRIBED:
        count, reason = f"{len(call.file_ids)} files", f"at most {MAX_DESCRIBED} at once"
        error = specific("InvalidParameterValue.FileIdsOverLimit")
        raise error(name="FileIds", value=count, reason=reason)
    wanted = _wanted(call.filters)
    found, missing = [], []
    for file_id in call.file_ids:
        media = application.find_media(file_id)
        if media is None:
            missing.append(file_id)
        else:
            found.append(media)
    return {"MediaInfoSet": _infos(application, found, wanted), "NotExistFileIdSet": missing}


def _wanted(filters: list[str]) -> Collection[str]:
    for name in filters:
        if name not in MEMBERS:
            reason = f"must be one of {', '.join(MEMBERS)}"
            raise InvalidParameterValue(name="Filters", value=name[:100], reason=reason)
    return filters or MEMBERS.keys()


def _infos(application: Application, found: Iterable[Media], wanted: Collection[str]) -> list[Members]:
    addresses = application.reachable_addresses()
    return [media_info(media, application.media, addresses, wanted) for media in found]


# --- SearchMedia


async def search_media(application: Application, call: wire.SearchMedia) -> Members:
    if call.offset + call.limit > MAX_FOUND:
        raise documented("LimitExceeded", f"Offset and Limit may be {MAX_FOUND} together, not more.")
    wanted = _wanted(call.filters)
    tests = list(_tests(call))
    found, share = [], LoopShare()
    for place, media in enumerate(_known(application)):
        if place % 1_000 == 0:
            await share.turn()
        if all(test(media) for test in tests):
            found.append(media)
    ascending = call.sort is not None and call.sort.order == "Asc"
    found.sort(key=lambda media: (media.created_at, media.file_id), reverse=not ascending)
    names = [*call.names, *([call.text] if call.text else [])]
    if names:  # the best match first; the sort is stable
        found.sort(key=lambda media: min(_rank(media.name, name) for name in names))
    page = found[call.offset : call.offset + call.limit]
    return {"TotalCount": min(len(found), MAX_FOUND), "MediaInfoSet": _infos(application, page, wanted)}


def _known(application: Application) -> list[Media]:
    """The media files that were declared, uploaded or processed. Other plausible files are not found."""
    library = application.media
    known = {media.file_id: media for media in library.declared()}
    for file_id in library.with_outputs():
        if file_id not in known and (media := application.find_media(file_id)) is not None:
            known[file_id] = media
    return list(known.values())


def _rank(name: str, wanted: str) -> int:
    name, wanted = name.lower(), wanted.lower()
    return 0 if name == wanted else 1 if name.startswith(wanted) else 2 if wanted in name else 3


def _tests(call: wire.SearchMedia) -> Iterable[Callable[[Media], bool]]:
    """The tests that a media file must pass: one for each parameter of the request."""
    one_of: list[tuple[Collection[Any], Callable[[Media], Any]]] = [
        (call.file_ids, lambda media: media.file_id),
        ([*call.vids, *([call.vid] if call.vid else [])], lambda media: media.file_id),
        (call.class_ids, lambda media: media.class_id),
        (call.categories, category),
        ([*call.source_types, *([call.source_type] if call.source_type else [])], lambda media: media.source_type),
        (call.storage_regions, lambda _: "ap-chongqing"),
        (call.storage_classes, lambda _: "STANDARD"),
        (call.media_types, lambda media: media.type),
        (call.status, lambda _: "Normal"),
        (call.review_results, lambda _: "notModerated"),
    ]
    for values, of in one_of:
        if values:
            yield _one_of(values, of)
    # No media file here comes from a live stream or has a knowledge base.
    live = (call.stream_ids, call.stream_id, call.trtc_sdk_app_ids, call.trtc_room_ids, call.stream_domains)
    if any((*live, call.stream_paths, call.knowledge_bases)):
        yield lambda _: False
    if call.tags:
        yield lambda media: any(tag in media.tags for tag in call.tags)
    for names in (call.names, [call.text] if call.text else []):
        if names:
            yield _has_in_its_name([name.lower() for name in names])
    if call.name_prefixes:
        yield lambda media: any(media.name.startswith(prefix) for prefix in call.name_prefixes)
    if call.descriptions:
        yield lambda media: any(text.lower() in media.description.lower() for text in call.descriptions)
    created = call.create_time
    if call.start_time or call.end_time:
        created = TimeRange(After=call.start_time or "", Before=call.end_time or "")
    if created is not None:
        yield lambda media: within(iso(media.created_at), created)
    if call.expire_time is not None:
        yield lambda media: within(media.expire_time, call.expire_time)


def _one_of(values: Collection[Any], of: Callable[[Media], Any]) -> Callable[[Media], bool]:
    return lambda media: of(media) in values


def _has_in_its_name(names: list[str]) -> Callable[[Media], bool]:
    return lambda media: any(name in media.name.lower() for name in names)


# --- ModifyMediaInfo


async def modify_media_info(application: Application, call: wire.ModifyMediaInfo) -> Members:
    media = application.find_media(call.file_id)
    if media is None:
        raise FileNotExist(file_id=call.file_id[:100])
    changes: Members = {
        name: value
        for name in ("name", "description", "class_id", "expire_time")
        if (value := getattr(call, name)) is not None
    }
    changes["tags"] = _changed_tags(media, call)
    changes["key_frames"] = _changed_key_frames(media, call)
    changes["subtitles"], added = _changed_subtitles(application, media, call)
    if call.cover_data:
        content, form = _image(call.cover_data)
        application.media.store(media.file_id, f"cover.{form}", content)
        changes["cover_url"] = application.reachable_addresses().original(media.file_id, f"cover.{form}")
    try:
        application.media.change(media, **changes, updated_at=application.life.clock.epoch())
    except TooManyMedia as error:
        raise documented("FailedOperation", f"{error}.") from None
    return {"CoverUrl": changes.get("cover_url", ""), "AddedSubtitleSet": added}


def _changed_tags(media: Media, call: wire.ModifyMediaInfo) -> tuple[str, ...]:
    if call.add_tags and call.clear_tags:
        raise _conflict("InvalidParameterValue.AddTagsAndClearTagsConflict", "AddTags and ClearTags")
    if both := set(call.add_tags) & set(call.delete_tags):
        code = "InvalidParameterValue.AddTagsAndDeleteTagsConflict"
        raise _conflict(code, f"AddTags and DeleteTags of {min(both)[:32]!r}")
    if any(len(tag) > 32 for tag in call.add_tags):
        raise documented("InvalidParameterValue.TagTooLong", "A tag may have 32 characters.")
    kept = [] if call.clear_tags else [tag for tag in media.tags if tag not in call.delete_tags]
    tags = tuple(dict.fromkeys([*kept, *call.add_tags]))
    if len(tags) > MAX_TAGS:
        raise documented("LimitExceeded.TagCountReachMax", f"A media file may have {MAX_TAGS} tags.")
    return tags


def _changed_key_frames(media: Media, call: wire.ModifyMediaInfo) -> tuple[tuple[float, str], ...]:
    added = {one.time_offset: one.content for one in call.add_key_frame_descs}
    if added and call.clear_key_frame_descs:
        code = "InvalidParameterValue.AddKeyFrameDescsAndClearKeyFrameDescsConflict"
        raise _conflict(code, "AddKeyFrameDescs and ClearKeyFrameDescs")
    if set(added) & set(call.delete_key_frame_descs):
        code = "InvalidParameterValue.AddKeyFrameDescsAndDeleteKeyFrameDescsConflict"
        raise _conflict(code, "AddKeyFrameDescs and DeleteKeyFrameDescs")
    if any(not 1 <= len(content) <= 128 for content in added.values()):
        text = "The Content of a key frame description has 1 to 128 characters."
        raise documented("InvalidParameterValue.KeyFrameDescContentTooLong", text)
    kept = {} if call.clear_key_frame_descs else dict(media.key_frames)
    for offset in call.delete_key_frame_descs:
        kept.pop(offset, None)
    frames = sorted({**kept, **added}.items())
    if len(frames) > MAX_KEY_FRAMES:
        text = f"A media file may have {MAX_KEY_FRAMES} key frame descriptions."
        raise documented("LimitExceeded.KeyFrameDescCountReachMax", text)
    return tuple(frames)


def _changed_subtitles(
    application: Application, media: Media, call: wire.ModifyMediaInfo
) -> tuple[tuple[Mapping[str, Any], ...], list[Mapping[str, Any]]]:
    """All subtitles of a media file after the call, and those that it adds."""
    kept = [] if call.clear_subtitles else [one for one in media.subtitles if one["Id"] not in call.delete_subtitle_ids]
    if len(kept) + len(call.add_subtitles) > MAX_SUBTITLES:
        reason = f"a media file may have {MAX_SUBTITLES} subtitles"
        raise InvalidParameterValue(name="AddSubtitles", value=f"{len(call.add_subtitles)} subtitles", reason=reason)
    contents = [_subtitle(one.content) for one in call.add_subtitles]
    ids = _subtitle_ids([one["Id"] for one in kept], [one.id for one in call.add_subtitles])
    for gone in media.subtitles:
        if gone not in kept:
            application.media.delete_stored(media.file_id, f"subtitle/{gone['Id']}.")
    added: list[Mapping[str, Any]] = []
    for one, name, content in zip(call.add_subtitles, ids, contents, strict=True):
        url = application.reachable_addresses().original(media.file_id, f"subtitle/{name}.{one.format}")
        application.media.store(media.file_id, f"subtitle/{name}.{one.format}", content)
        members = {"Id": name, "Name": one.name, "Language": one.language, "Format": one.format, "Url": url}
        added.append({**members, "Source": "UserUploaded"})
    return (*kept, *added), added


def _subtitle_ids(present: list[str], given: list[str]) -> list[str]:
    """The Ids of subtitles to add beside those *present*; an empty one that was *given* gets the next free one."""
    taken = set(present)
    for one in filter(None, given):
        if one in taken:
            raise InvalidParameterValue(name="AddSubtitles", value=one, reason="Id names another subtitle of the file")
        taken.add(one)
    free = (name for number in count(1) if (name := f"subtitle{number}") not in taken)
    return [one or next(free) for one in given]


def _subtitle(content: str) -> bytes:
    """The content of a subtitle, decoded from Base64."""
    try:
        return base64.b64decode(content, validate=True)
    except ValueError:
        raise InvalidParameterValue(name="AddSubtitles", value="(not shown)", reason="Content must be Base64") from None


def _conflict(code: str, what: str) -> Exception:
    return documented(code, f"{what} cannot be given at once.")


def _image(data: str) -> tuple[bytes, str]:
    """The picture in Base64 *data*, and its extension."""
    try:
        content = base64.b64decode(data, validate=True)
    except ValueError:
        content = b""
    for head, form in IMAGE_TYPES:
        if content.startswith(head):
            return content, form
    text = "CoverData is not a gif, jpeg or png picture in Base64."
    raise documented("InvalidParameterValue.ImageDecodeError", text)


# --- DeleteMedia


async def delete_media(application: Application, call: wire.DeleteMedia) -> Members:
    delete(application, call.file_id, [one.model_dump(by_alias=True) for one in call.delete_parts])
    return {}


def delete(application: Application, file_id: str, parts: list[Members]) -> None:
    """Delete a media file or *parts* of it, and emit FileDeleted if its switch is ON."""
    if not file_id:
        raise MissingParameter(name="FileId")
    media = application.find_media(file_id)
    if media is None:
        raise documented("ResourceNotFound", f"The media file `{file_id[:100]}` does not exist.")
    for part in parts:
        if part["Type"] == "OriginalFiles":
            _delete_original(application, media)
        elif part["Type"] in PARTS:
            application.media.delete_outputs(file_id, PARTS[part["Type"]], part["Definition"])
    if not parts:
        application.uploads.delete(file_id)
        application.media.delete(file_id)
    if application.settings.delete_media_complete_event_switch == "ON":
        result = {"FileId": file_id, "DeleteParts": parts}
        structure = {"FileIdSet": [file_id], "FileDeleteResultInfo": [result]}
        application.emit_or_report("FileDeleted", structure)


def _delete_original(application: Application, media: Media) -> None:
    """Delete the uploaded file of a media file, with the cover that was uploaded; what jobs made of it stays."""
    application.uploads.delete_original(media.file_id)
    application.media.delete_stored(media.file_id, "cover.")
    cover = application.addresses.original(media.file_id, "cover.")
    uploaded = urlsplit(media.cover_url).path.startswith(urlsplit(cover).path)
    application.media.change(media, original="", cover_url="" if uploaded else media.cover_url)


ACTIONS: Final[dict[str, Action[Any]]] = {
    "DescribeMediaInfos": Action(wire.DescribeMediaInfos, describe_media_infos),
    "SearchMedia": Action(wire.SearchMedia, search_media),
    "ModifyMediaInfo": Action(wire.ModifyMediaInfo, modify_media_info),
    "DeleteMedia": Action(wire.DeleteMedia, delete_media),
}
