"""Lengths and sizes that several kinds of job compute."""

import hashlib
from collections.abc import Mapping
from typing import Any

from mockvod.pictures.drawing import Look, size_of
from mockvod.service.jobs.kind import JobContext, JobFailed


def picture_size(template: Mapping[str, Any], context: JobContext) -> tuple[int, int]:
    """Width and height in px of the output of a template."""
    adaptive = template["ResolutionAdaptive"] != "close"
    look = Look(template["Width"], template["Height"], resolution_adaptive=adaptive)
    return size_of(look, (context.media.width, context.media.height))


def clip(given: Mapping[str, Any], duration: float) -> tuple[float, float]:
    """Begin and end in seconds of the part that StartTimeOffset and EndTimeOffset name.

    0 means the beginning or the end, a negative offset counts from the end. Raises JobFailed for an empty part.
    """
    start, end = given["StartTimeOffset"], given["EndTimeOffset"]
    begins = max(0.0, duration + start) if start < 0 else min(start, duration)
    ends = duration if end == 0 else max(0.0, duration + end) if end < 0 else min(end, duration)
    if ends <= begins:
        raise JobFailed("InvalidInput.InvalidTimeOffset")
    return begins, ends


def md5(url: str) -> str:
    """A plausible checksum of the file at *url*."""
    return hashlib.md5(url.encode(), usedforsecurity=False).hexdigest()


def sampling(template: Mapping[str, Any], duration: float, at_most: int) -> tuple[float, int]:
    """How a template samples a media file: milliseconds between two pictures, and how many there are, from 0 on."""
    interval = max(1, template["SampleInterval"])
    step = duration * 10 * interval if template["SampleType"] == "Percent" else interval * 1000.0
    last = duration * 1000
    count = int(last // step) + 1 if step else 1
    # The last moment is the end of the file, which has no picture of its own.
    if count > 1 and (count - 1) * step >= last:
        count -= 1
    return step, min(count, at_most)
