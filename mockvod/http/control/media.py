"""Calls that declare media files and procedures."""

from importlib.util import find_spec
from typing import Annotated, Final

from pydantic import Field

from mockvod.http.control.contract import Response
from mockvod.http.control.request import ControlError, ControlRequest, Routes
from mockvod.pictures.video import UnsupportedVideo
from mockvod.service.definitions import MediaDefinition, Part, Whole
from mockvod.service.jobs.snapshot_by_time_offset import declare_procedure, snapshots
from mockvod.service.media import TITLES, Media, inspect_video
from mockvod.service.templates import Template
from mockvod.wire.calls import ExtTimeOffset

ROUTES: Final = Routes()


class MediaView(Response):
    file_id: str
    name: str
    duration: float = Field(description="Seconds.")
    width: int
    height: int
    size: int = Field(description="Bytes.")
    created_at: float = Field(description="Seconds since 1970 on the account's clock.")
    video: str | None
    fails_with: str | None
    reviews: dict[str, str] = Field(description="What a content review suggests, by its Type.")


class MediaList(Response):
    media: list[MediaView]


class ProcedureSnapshots(Part):
    """Snapshots by one template."""

    definition: Whole = Field(10, description="The template.")
    ext_time_offsets: Annotated[list[ExtTimeOffset], Field(min_length=1, max_length=1000)] = Field(
        description="Seconds, or a part of the duration: `3.5s`, `10%`."
    )


class Procedure(Part):
    snapshots: Annotated[list[ProcedureSnapshots], Field(min_length=1, max_length=100)]


class SnapshotsView(Response):
    definition: int
    ext_time_offsets: list[str]
    time_offsets: list[float] = Field(description="Milliseconds; used if there are no ext_time_offsets.")


class ProcedureView(Response):
    name: str
    snapshots: list[SnapshotsView]


class Procedures(Response):
    procedures: list[ProcedureView]


@ROUTES.add(
    "POST",
    "/media",
    "Declare a media file: its duration, its size, and how jobs on it fail.",
    status=201,
    errors=(409,),
)
async def declare_media(request: ControlRequest, media: MediaDefinition) -> MediaView:
    if media.video is not None and find_spec("av") is None:
        message = "frames of a video need PyAV, which is not installed: pip install 'mockvod[video]'"
        raise ControlError(409, "no_video", message, "video")
    facts = media.model_dump(exclude_none=True)
    if media.video is not None:
        facts["inspection"] = inspection = await inspect_video(request.world.worker, media.video)
        if isinstance(inspection.error, UnsupportedVideo):
            raise ControlError(400, "bad_value", f"video: {inspection.error}", "video")
    await request.world.load(TITLES)
    return _media(request.application.declare_media(**facts))


def _media(media: Media) -> MediaView:
    return MediaView(**{name: getattr(media, name) for name in MediaView.model_fields})


@ROUTES.add("GET", "/media", "List the declared media files.")
async def list_media(request: ControlRequest) -> MediaList:
    application = request.existing_application
    declared = application.media.declared() if application else ()
    return MediaList(media=[_media(one) for one in declared])


@ROUTES.add(
    "PUT", "/procedures/{name}", "Declare what ProcessMediaByProcedure does for this procedure name.", errors=(409,)
)
async def put_procedure(request: ControlRequest, procedure: Procedure) -> ProcedureView:
    name = request.path("name")
    if len(name) > 200:
        raise ControlError(400, "bad_value", "name: must have at most 200 characters", "name")
    jobs = [snapshots(one.definition, one.ext_time_offsets) for one in procedure.snapshots]
    return _procedure(declare_procedure(request.application.templates, request.life.clock.epoch(), name, jobs))


@ROUTES.add("GET", "/procedures", "List the declared procedures.")
async def list_procedures(request: ControlRequest) -> Procedures:
    application = request.existing_application
    templates = application.templates.all("Procedure") if application else ()
    return Procedures(procedures=[_procedure(one) for one in templates if not one.preset])


def _procedure(template: Template) -> ProcedureView:
    jobs = template.content["MediaProcessTask"]["SnapshotByTimeOffsetTaskSet"]
    return ProcedureView(
        name=str(template.key),
        snapshots=[
            SnapshotsView(
                definition=job["Definition"],
                ext_time_offsets=job["ExtTimeOffsetSet"],
                time_offsets=job["TimeOffsetSet"],
            )
            for job in jobs
        ],
    )
