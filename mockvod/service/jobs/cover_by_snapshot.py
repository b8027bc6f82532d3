"""CoverBySnapshot: a picture of the media file becomes its cover."""

from typing import Final

from mockvod.service.jobs.kind import Input, JobContext, JobFailed, JobKind, Output


def run(context: JobContext, given: Input) -> Output:
    definition, media = given["Definition"], context.media
    template = context.template("SnapshotByTimeOffset", definition).content
    seconds = given["PositionValue"]
    if given["PositionType"] == "Percent":
        seconds = media.duration * seconds / 100
    if round(seconds * 1000) > round(context.end * 1000):
        raise JobFailed("InvalidInput.InvalidTimeOffset")
    url = context.product(f"coverBySnapshot/coverBySnapshot_{definition}_0.{template['Format']}")
    context.keep("CoverLayout", definition, {"Template": template, "TimeOffset": round(seconds * 1000)})
    present = context.library.find(media.file_id)
    context.library.change(present or media, cover_url=url)
    return {"CoverUrl": url}


KIND: Final = JobKind("CoverBySnapshot", "CoverBySnapshotTask", run)
