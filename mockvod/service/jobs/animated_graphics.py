"""AnimatedGraphics: a part of the media file as an animated GIF or WebP."""

from typing import Final

from mockvod.service.jobs.kind import Input, JobContext, JobKind, Output
from mockvod.service.jobs.sizes import clip, md5, picture_size

BYTES_A_FRAME: Final = 20_000


def run(context: JobContext, given: Input) -> Output:
    definition = given["Definition"]
    template = context.template("AnimatedGraphics", definition).content
    begins, ends = clip(given, context.end)
    width, height = picture_size(template, context)
    context.keep("AnimatedGraphicsLayout", definition, {"Template": template})
    url = context.product(f"v.f{definition}.{template['Format']}")
    size = int((ends - begins) * template["Fps"] * BYTES_A_FRAME)
    item = {
        "Url": url,
        "Definition": definition,
        "Container": template["Format"],
        "Height": height,
        "Width": width,
        "Bitrate": int(size * 8 / (ends - begins)),
        "Size": size,
        "Md5": md5(url),
        "StartTimeOffset": begins,
        "EndTimeOffset": ends,
    }
    return context.keep("AnimatedGraphicsSet", definition, item)


KIND: Final = JobKind("AnimatedGraphics", "AnimatedGraphicTask", run)
