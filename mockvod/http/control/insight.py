"""Calls that analyse: why nothing arrives, and how the consumer behaves."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field

from mockvod.http.control.contract import Response
from mockvod.http.control.request import ControlRequest, Routes
from mockvod.insight.callbacks import Verdict
from mockvod.service.definitions import Part

if TYPE_CHECKING:
    from mockvod.insight.evidence import Finding

ROUTES: Final = Routes()


class DiagnosisQuery(Part):
    probe: bool = Field(False, description="Whether to connect to the application's callback URL, from the server.")


class FindingView(Response):
    code: str
    severity: Literal["ok", "notice", "warning", "problem"]
    message: str = Field(description="What is wrong, and what to do.")
    evidence: dict[str, Any] = Field(description="The facts behind it, such as the ids of `events`.")


class AddressSeen(Response):
    address: str
    family: str
    outcome: str = Field(description="`connected`, or the error of the system.")
    seconds: float


class Probe(Response):
    """The result of connecting to a callback URL."""

    ok: bool
    url: str
    verdict: Verdict = Field(description="`answers`, or the problem.")
    message: str
    addresses: list[AddressSeen]
    status: int | None
    allow: str | None = Field(description="The Allow header of the response to OPTIONS.")
    error: str | None
    seconds: float | None


class Diagnosis(Response):
    findings: list[FindingView] = Field(description="The most likely cause first; empty if nothing is wrong.")
    probe: Probe | None = Field(description="Only with `probe`, and if there is a callback URL.")


class ConsumerReport(Response):
    findings: list[FindingView] = Field(description="Every trait, the good ones too.")
    since: int = Field(description="The oldest journal entry examined.")
    complete: bool = Field(description="Whether that covers everything since the account was made or reset.")


@ROUTES.add(
    "GET",
    "/diagnosis",
    "Say why nothing arrives: problems in the account and on the way to its callback URLs, most likely first.",
)
async def get_diagnosis(request: ControlRequest, query: DiagnosisQuery) -> Diagnosis:
    from mockvod.http.control import probe  # 30 ms with insight.diagnosis: most servers never need it
    from mockvod.insight.diagnosis import diagnose

    result = None
    application = request.existing_application
    settings = application.settings if application else request.life.application_settings
    if query.probe and settings.callback_url:
        allowed = request.world.settings.allow_link_local
        result = Probe(**(await probe.probe(settings.callback_url, allow_link_local=allowed)).as_json())
    surroundings = await probe.surroundings(request.account, request.http.remote)
    return Diagnosis(findings=_views(await diagnose(request.account, request.applications, surroundings)), probe=result)


@ROUTES.add(
    "GET", "/report", "Rate how the consumer behaves: what it confirms, acknowledges and gives up, with evidence."
)
async def get_report(request: ControlRequest) -> ConsumerReport:
    from mockvod.insight.report import report  # as above

    result = await report(request.account, request.applications)
    return ConsumerReport(findings=_views(result.findings), since=result.since, complete=result.complete)


def _views(findings: "Iterable[Finding]") -> list[FindingView]:
    return [FindingView(**asdict(one)) for one in findings]
