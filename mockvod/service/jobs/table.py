"""The kinds of job in a procedure, in the order of their results."""

from collections.abc import Mapping
from typing import Any, Final

from mockvod.service.jobs import (
    adaptive_dynamic_streaming,
    animated_graphics,
    cover_by_snapshot,
    image_sprite,
    sample_snapshot,
    snapshot_by_time_offset,
    transcode,
)
from mockvod.service.jobs.content_review import content_reviews
from mockvod.service.jobs.kind import Job, JobKind

KINDS: Final[Mapping[str, JobKind]] = {
    "TranscodeTaskSet": transcode.KIND,
    "AnimatedGraphicTaskSet": animated_graphics.KIND,
    "SnapshotByTimeOffsetTaskSet": snapshot_by_time_offset.KIND,
    "SampleSnapshotTaskSet": sample_snapshot.KIND,
    "ImageSpriteTaskSet": image_sprite.KIND,
    "CoverBySnapshotTaskSet": cover_by_snapshot.KIND,
    "AdaptiveDynamicStreamingTaskSet": adaptive_dynamic_streaming.KIND,
}
"""Each kind by its member of MediaProcessTask."""


def jobs_of(process: Mapping[str, Any] | None, review: Mapping[str, Any] | None = None) -> list[Job]:
    """The jobs that a MediaProcessTask and an AiContentReviewTask ask for, both complete.

    Raises KeyError for a content review template that does not exist.
    """
    jobs = [Job(kind, given) for name, kind in KINDS.items() for given in (process or {}).get(name, ())]
    return jobs + (content_reviews(review["Definition"]) if review else [])
