"""A kind of job: its parameters, its output and its failures."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from mockvod.service.addresses import Addresses
from mockvod.service.media import Media, MediaLibrary
from mockvod.service.templates import Template, Templates

Input = Mapping[str, Any]
Output = dict[str, Any]

ERR_CODES: Final = {"": 0, "SourceFileError": 30009, "InvalidInput": 30009, "InternalError": 30010}
"""ErrCode of a result by the first word of its ErrCodeExt. The numbers are documented, their reasons are not."""
MESSAGES: Final = {
    "": "SUCCESS",
    "InvalidInput.DefinitionNotExist": "the template does not exist",
    "InvalidInput.InvalidTimeOffset": "no time offset lies within the media",
    "SourceFileError.DownloadNotAccessible": "the media file does not exist any more",
    "SourceFileError.NoVideoMedia": "the media file has no picture",
}


class JobFailed(Exception):
    """A job cannot make its output. *err_code_ext* is one of the documented reasons (266/50368)."""

    def __init__(self, err_code_ext: str) -> None:
        super().__init__(MESSAGES.get(err_code_ext, err_code_ext))
        self.err_code_ext = err_code_ext


class Result(NamedTuple):
    """How a job ended: with an output, or with the ErrCodeExt and the message of its failure."""

    output: Output | None
    err_code_ext: str = ""
    message: str = MESSAGES[""]

    @property
    def err_code(self) -> int:
        return ERR_CODES.get(self.err_code_ext.partition(".")[0], 30010)


class JobContext(NamedTuple):
    """The media file of a job, and the collaborators that it uses."""

    media: Media
    library: MediaLibrary
    templates: Templates
    addresses: Addresses
    now: float
    """Seconds since 1970 on the account's clock."""

    def template(self, family: str, definition: int) -> Template:
        """The template that the job names. Raises JobFailed if it does not exist."""
        template = self.templates.find(family, definition)
        if template is None:
            raise JobFailed("InvalidInput.DefinitionNotExist")
        return template

    def product(self, name: str) -> str:
        """The address of a file that the job makes."""
        return self.addresses.product(self.media.file_id, name)

    def keep(self, kind: str, definition: int, item: Output) -> Output:
        """Store *item* for DescribeMediaInfos, in place of an earlier one of the same kind and definition."""
        self.library.keep(self.media.file_id, kind, definition, item)
        return item

    @property
    def end(self) -> float:
        """Seconds until the last picture. A declared video file may end before its media file does."""
        inspection = self.media.inspection
        if inspection is None or inspection.video is None:
            return self.media.duration
        return min(self.media.duration, inspection.video.duration)


class JobKind(NamedTuple):
    """A kind of job. *run* makes the output or raises JobFailed."""

    type: str
    """`Type` of its results."""
    field: str
    """The member of a result that carries it."""
    run: Callable[[JobContext, Input], Output]
    result_set: str = "MediaProcessResultSet"
    """The member of a procedure that has its results."""
    needs_picture: bool = True


class Job(NamedTuple):
    """A kind of job with its parameters, in the vendor's spelling and complete."""

    kind: JobKind
    input: Input


def run_job(job: Job, context: JobContext, *, error: str = "") -> Result:
    """Run *job*. It fails with *error* if given, else with the error that its media file was declared with."""
    media = context.media
    failure = error or media.fails_with
    if not failure and context.library.is_deleted(media.file_id):
        failure = "SourceFileError.DownloadNotAccessible"
    if not failure and media.inspection is not None and (problem := media.inspection.error) is not None:
        return Result(None, getattr(problem, "err_code_ext", "InternalError"), str(problem))
    if not failure and job.kind.needs_picture and not media.width:
        failure = "SourceFileError.NoVideoMedia"
    if failure:
        return Result(None, failure, MESSAGES.get(failure, failure))
    try:
        return Result(job.kind.run(context, job.input))
    except JobFailed as failed:
        return Result(None, failed.err_code_ext, str(failed))


def watermark_definitions(given: Input) -> list[int]:
    """The watermark templates that a job names."""
    return [mark["Definition"] for mark in given.get("WatermarkSet") or ()]
