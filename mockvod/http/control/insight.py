"""The calls that judge: why nothing arrived, and how the consumer behaves."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from mockvod.http.control.models import Answer, Shape
from mockvod.http.control.request import ControlRequest
from mockvod.service.application import Application


class DiagnosisQuery(Shape):
    probe: bool = Field(False, description="Whether the application's callback URL is looked at, from the server.")


class Cause(Answer):
    code: str
    words: str = Field(description="What is so, and what to do.")
    evidence: dict[str, Any]


class AddressSeen(Answer):
    address: str
    family: str
    outcome: str = Field(description="`connected`, or what the system said.")
    seconds: float


class Probe(Answer):
    """What was seen of a callback URL."""

    ok: bool
    url: str
    verdict: str = Field(
        description="answers; or name_not_found, refused, other_loopback, tls, timeout, broken_answer, status."
    )
    words: str
    addresses: list[AddressSeen]
    status: int | None
    allow: str | None = Field(description="The Allow header of the answer to OPTIONS.")
    error: str | None
    seconds: float | None


class Diagnosis(Answer):
    findings: list[Cause] = Field(description="The likeliest cause first; none when nothing is wrong.")
    probe: Probe | None = Field(description="Only where it was asked for and there is a callback URL.")


class Trait(Answer):
    code: str
    grade: Literal["ok", "notice", "warning", "problem"]
    words: str
    evidence: dict[str, Any]


class ConsumerReport(Answer):
    findings: list[Trait] = Field(description="Every trait that is judged, the good ones too.")
    since: int = Field(description="The oldest entry of the journal that was looked at.")
    complete: bool = Field(description="Whether that is all since the account began or was reset.")


async def get_diagnosis(asked: ControlRequest) -> Diagnosis:
    from mockvod.http.control import probe
    from mockvod.insight.diagnosis import diagnose

    query: DiagnosisQuery = asked.query
    seen = None
    if query.probe and (url := asked.application.settings.callback_url):
        seen = Probe(**(await probe.probe(url)).as_json())
    findings = diagnose(asked.account, _meant(asked), await probe.surroundings(asked.account))
    causes = [Cause(code=one.code, words=one.words, evidence=dict(one.evidence)) for one in findings]
    return Diagnosis(findings=causes, probe=seen)


async def get_report(asked: ControlRequest) -> ConsumerReport:
    from mockvod.insight.report import report

    told = report(asked.account, _meant(asked))
    traits = [
        Trait(code=one.code, grade=one.grade, words=one.words, evidence=dict(one.evidence)) for one in told.findings
    ]
    return ConsumerReport(findings=traits, since=told.since, complete=told.complete)


def _meant(asked: ControlRequest) -> Sequence[Application]:
    """The application that the call names, or all of the account."""
    return [asked.application] if asked.names_application else asked.account.applications()
