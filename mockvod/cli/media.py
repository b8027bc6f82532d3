"""Commands about media files."""

from mockvod.cli.command import ALL_APPLICATIONS, JSON, SCOPE, Options, command, duration, number, option
from mockvod.cli.connection import arguments, ask
from mockvod.cli.output import printable, show
from mockvod.testing.shapes import Media

TITLE = "Media"


@command("media", "List the declared media files.", ALL_APPLICATIONS, JSON)
def media(options: Options) -> None:
    found = ask(options, lambda client: client.media())
    show(options, found, map(_media_line, found))


@command(
    "media add",
    "Declare a media file; what is not given is made up.",
    SCOPE,
    option("--file", dest="file_id", metavar="FILE_ID", help="its FileId"),
    option("--name", help="its name"),
    option("--duration", type=duration, metavar="SECONDS", help="its duration"),
    option("--width", type=number, metavar="PIXELS", help="its width"),
    option("--height", type=number, metavar="PIXELS", help="its height"),
    option("--size", type=number, metavar="BYTES", help="its size"),
    option("--video", metavar="PATH", help="a video file on the server's machine, whose frames become the pictures"),
    option("--fails-with", metavar="CODE", help="ErrCodeExt that every job on it fails with"),
    JSON,
)
def add_media(options: Options) -> None:
    one = ask(options, lambda client: client.declare_media(**arguments(options, client.declare_media)))
    show(options, one, [_media_line(one)])


def _media_line(one: Media) -> str:
    fails = f"  fails with {one.fails_with}" if one.fails_with else ""
    return (
        f"{one.file_id}  {one.duration:g} s  {one.width}×{one.height}  {one.size:,} bytes  {printable(one.name)}{fails}"
    )
