"""Commands about uploads."""

from mockvod.cli.command import JSON, SCOPE, Options, command, number, option
from mockvod.cli.connection import arguments, ask
from mockvod.cli.output import date, printable, show
from mockvod.testing.shapes import Upload

TITLE = "Uploads"


@command(
    "uploads",
    "List the uploads that have become media files, and those under way.",
    SCOPE,
    option("--host", action="store_true", help="print the host name of the storage instead"),
    JSON,
)
def uploads(options: Options) -> None:
    if options.host:
        host = ask(options, lambda client: client.storage_host())
        show(options, host, [host])
        return
    found = ask(options, lambda client: client.uploads())
    show(options, found, map(_upload_line, found))


@command(
    "uploads add",
    "Say that a media file was uploaded; what is not given is made up.",
    SCOPE,
    option("--name", help="its name"),
    option("--type", dest="media_type", metavar="EXTENSION", help="the extension of its file (default: mp4)"),
    option("--file", dest="file_id", metavar="FILE_ID", help="its FileId"),
    option("--size", type=number, metavar="BYTES", help="its size"),
    option("--procedure", metavar="NAME", help="the procedure that starts"),
    option("--source-context", metavar="TEXT", help="SourceContext of the media file"),
    option("--session-context", metavar="TEXT", help="SessionContext of the procedure"),
    JSON,
)
def add_upload(options: Options) -> None:
    one = ask(options, lambda client: client.upload(**arguments(options, client.upload)))
    show(options, one, [_upload_line(one)])


def _upload_line(one: Upload) -> str:
    state = one.state.replace("_", " ")
    return f"{one.file_id}  {state:<9}  {date(one.at)}  {one.size:,} bytes  {printable(one.name)}.{one.media_type}"
