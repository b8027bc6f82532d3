"""The call that says that a media file was uploaded."""

from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from mockvod.http.control.contract import Response
from mockvod.http.control.request import ControlError, ControlRequest, Route
from mockvod.http.uploads import finish, upload_request
from mockvod.service.definitions import Part, Whole
from mockvod.service.media_info import media_url
from mockvod.wire.errors import ApiError

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


class UploadedView(Response):
    file_id: str
    media_url: str
    event: str | None = Field(description="Id of the event NewFileUpload; null while its switch is OFF.")


async def post_upload(request: ControlRequest) -> UploadedView:
    uploaded: Uploaded = request.body
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
        media = finish(application, wanted, uploaded.file_id, **facts)
    except ApiError as error:
        field = "media_type" if "MediaType" in error.code else None
        raise ControlError(400, "bad_value", f"media_type: {error}" if field else str(error), field) from None
    event = application.life.events.find(last + 1)
    return UploadedView(
        file_id=media.file_id,
        media_url=media_url(media, application.reachable_addresses()),
        event=None if event is None else event.id,
    )


ROUTES: Final = (
    Route(
        "POST",
        "/uploads",
        post_upload,
        "Say that a media file was uploaded: it is declared, its procedure starts, and NewFileUpload is emitted.",
        body=Uploaded,
        response=UploadedView,
        status=201,
    ),
)
