"""SampleSnapshot: pictures at regular intervals."""

from typing import Final

from mockvod.service.jobs.kind import Input, JobContext, JobKind, Output, watermark_definitions
from mockvod.service.jobs.sizes import sampling

MAX_PICTURES: Final = 1_000


def run(context: JobContext, given: Input) -> Output:
    definition = given["Definition"]
    template = context.template("SampleSnapshot", definition).content
    step, count = sampling(template, context.end, MAX_PICTURES)
    context.keep("SampleSnapshotLayout", definition, {"Template": template, "Step": step})
    item = {
        "Definition": definition,
        "SampleType": template["SampleType"],
        "Interval": template["SampleInterval"],
        "ImageUrlSet": [
            context.product(f"sampleSnapshot/sampleSnapshot_{definition}_{number}.{template['Format']}")
            for number in range(count)
        ],
        "WaterMarkDefinition": watermark_definitions(given),
    }
    return context.keep("SampleSnapshotSet", definition, item)


KIND: Final = JobKind("SampleSnapshot", "SampleSnapshotTask", run)
