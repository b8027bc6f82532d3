"""AiContentReview: a media file passes each review, unless it was declared with another suggestion."""

from collections.abc import Callable
from typing import Any, Final

from mockvod.service.jobs.kind import Input, Job, JobContext, JobKind, Output

TYPES: Final = {
    10: ("Porn", "Terrorism", "Political"),
    20: ("Porn", "Terrorism", "Political", "Porn.Asr", "Porn.Ocr", "Political.Asr", "Political.Ocr"),
}
"""The reviews that each preset template makes (2019)."""
CONFIDENCE: Final = {"pass": 0.0, "review": 75.0, "block": 99.0}
LONGEST: Final = 10.0
"""Seconds of the segment that a review objects to."""


def _run(review: str) -> Callable[[JobContext, Input], Output]:
    def run(context: JobContext, given: Input) -> Output:  # noqa: ARG001 - as every `run` of a job
        suggestion = context.media.reviews.get(review, "pass")
        label = "" if suggestion == "pass" else review.partition(".")[0].lower()
        output: Output = {"Confidence": CONFIDENCE[suggestion], "Suggestion": suggestion}
        if "." not in review:
            output["Label"] = label
        output["SegmentSet"] = [] if suggestion == "pass" else [_segment(review, suggestion, label, context)]
        return {**output, "SegmentSetFileUrl": "", "SegmentSetFileUrlExpireTime": ""}

    return run


def _segment(review: str, suggestion: str, label: str, context: JobContext) -> dict[str, Any]:
    segment: dict[str, Any] = {
        "StartTimeOffset": 0.0,
        "EndTimeOffset": min(LONGEST, context.media.duration),
        "Confidence": CONFIDENCE[suggestion],
        "Suggestion": suggestion,
    }
    if review.endswith(".Asr"):
        return {**segment, "KeywordSet": [label]}
    url = context.addresses.snapshot(context.media.file_id, 10, 0, 0, "jpg")
    if review.endswith(".Ocr"):
        return {**segment, "KeywordSet": [label], "AreaCoordSet": [0, 0, 100, 100], "Url": url, "PicUrlExpireTime": ""}
    segment |= {"Label": label, "Url": url, "PicUrlExpireTimeStamp": 0, "PicUrlExpireTime": ""}
    return {**segment, "Name": "", "AreaCoordSet": []} if review == "Political" else segment


KINDS: Final = {
    review: JobKind(
        review,
        f"{review.replace('.', '')}Task",
        _run(review),
        result_set="AiContentReviewResultSet",
        needs_picture=not review.endswith(".Asr"),
    )
    for review in TYPES[20]
}


def content_reviews(definition: int) -> list[Job]:
    """The reviews of a template. Raises KeyError when there is no such template."""
    return [Job(KINDS[review], {"Definition": definition}) for review in TYPES[definition]]
