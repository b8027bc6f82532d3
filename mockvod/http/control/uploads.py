"""Calls that list uploads, and the one that says that a media file was uploaded."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints

from mockvod.http.control.contract import Response
from mockvod.http.control.request import ControlError, ControlRequest, Routes
from mockvod.service.application import Application
from mockvod.service.definitions import Part, Whole
from mockvod.service.media import TITLES
from mockvod.service.media_info import media_url
from mockvod.service.uploads import Finished, Session, storage_host
from mockvod.wire.errors import ApiError

ROUTES: Final = Routes()

MAX_LISTED: Final = 1_000
Text = Annotated[str, StringConstraints(max_length=1_000)]


class Uploaded(Part):
    """A media file, as if it had been uploaded now."""

    name: Annotated[str, StringConstraints(max_length=300)] = Field("", description="Name of the media file.")
    media_type: Annotated[str, StringConstraints(max_length=20)] = Field("mp4", description="Extension of its file.")
    file_id: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        None, description="Its FileId; drawn when not given."
    )
    size: Whole | None = Field(None, description="Bytes; plausible when not given.")
    procedure: Text = Field("", description="Name of the procedure that starts with it.")
    source_context: Annotated[str, StringConstraints(max_length=250)] = Field("", description="SourceContext.")
    session_context: Text = Field("", description="SessionContext of the procedure.")


class UploadView(Response):
    file_id: str
    name: str
    media_type: str
    state: Literal["under_way", "finished"]
    size: int = Field(description="Bytes that the storage has of it; of a finished one those of the media file.")
    at: float = Field(description="When it was applied for, or finished: real seconds since 1970.")
    media_url: str = Field(description="Address of the media file; empty while the upload is under way.")


class UploadedView(UploadView):
    event: str | None = Field(description="Id of the event NewFileUpload; null while its switch is OFF.")


class UploadList(Response):
    storage_host: str = Field(description="Host name of the storage for uploads without a StorageRegion.")
    uploads: list[UploadView]


@ROUTES.add(
    "POST",
    "/uploads",
    "Say that a media file was uploaded: it is declared, its procedure starts, and NewFileUpload is emitted.",
    status=201,
    errors=(409,),
)
async def post_upload(request: ControlRequest, uploaded: Uploaded) -> UploadedView:
    await request.world.load("mockvod.http.uploads", TITLES)
    from mockvod.http.uploads import finish, upload_request

    application = request.application
    last = application.life.events.last_number
    try:
        wanted = upload_request(
            "ApplyUpload",
            uploaded.media_type,
            "",
            name=uploaded.name,
            procedure=uploaded.procedure,
            source_context=uploaded.source_context,
            session_context=uploaded.session_context,
        )
        facts: dict[str, Any] = {} if uploaded.size is None else {"size": uploaded.size}
        finish(application, wanted, uploaded.file_id, **facts)
    except ApiError as error:
        field = "media_type" if "MediaType" in error.code else None
        raise ControlError(400, "bad_value", f"media_type: {error}" if field else str(error), field) from None
    event = application.life.events.find(last + 1)
    upload = application.uploads.finished()[-1]
    return UploadedView(**_finished(application, upload), event=None if event is None else event.id)


@ROUTES.add(
    "GET", "/uploads", "List the newest 1,000 uploads that have become media files, and those that are under way."
)
async def list_uploads(request: ControlRequest) -> UploadList:
    application = request.existing_application
    if application is None:
        addresses, uploads = request.life.addresses(request.life.key(request.sub_app_id)), []
    else:
        addresses = application.addresses
        uploads = [_finished(application, one) for one in application.uploads.finished()[-MAX_LISTED:]]
        uploads += [_under_way(session, size) for session, size in application.uploads.under_way()]
    return UploadList(storage_host=storage_host(addresses.bucket), uploads=[UploadView(**one) for one in uploads])


def _finished(application: Application, upload: Finished) -> dict[str, Any]:
    media = application.find_media(upload.file_id)
    return {
        "file_id": upload.file_id,
        "name": upload.name,
        "media_type": upload.media_type,
        "state": "finished",
        "size": upload.size,
        "at": upload.at,
        "media_url": media_url(media, application.reachable_addresses()) if media else "",
    }


def _under_way(session: Session, size: int) -> dict[str, Any]:
    return {
        "file_id": session.file_id,
        "name": session.request.name,
        "media_type": session.request.media_type,
        "state": "under_way",
        "size": size,
        "at": session.applied_at,
        "media_url": "",
    }
