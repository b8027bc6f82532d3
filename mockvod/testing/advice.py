"""What the server judges: why nothing arrived, and how the consumer behaves."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause of nothing arriving: what is so and what to do (`words`), and what shows it."""

    code: str
    words: str
    evidence: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.code}: {self.words}"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why nothing arrives, the likeliest cause first; docs/diagnosis.md explains each."""

    findings: list[Cause]
    probe: dict[str, Any] | None = None
    """What was seen of the callback URL, where that was asked for."""

    @property
    def ok(self) -> bool:
        return not self.findings and (self.probe is None or self.probe["ok"])

    def __str__(self) -> str:
        return "\n".join(map(str, self.findings)) or "nothing is wrong as far as can be seen"


@dataclass(frozen=True, slots=True)
class Finding:
    """One trait of the consumer: `grade` is ok, notice, warning or problem."""

    code: str
    grade: str
    words: str
    evidence: dict[str, Any]

    def __str__(self) -> str:
        shown = {name: value for name, value in self.evidence.items() if value and name in {"events", "entries"}}
        told = "; ".join(f"{name} {', '.join(map(str, value))}" for name, value in shown.items())
        return f"{self.grade}: {self.code}: {self.words}" + (f" [{told}]" if told and self.grade != "ok" else "")


@dataclass(frozen=True, slots=True)
class Report:
    """How the consumer behaves, trait by trait; docs/consumer.md explains each."""

    findings: list[Finding]
    since: int
    """The oldest entry of the journal that was looked at."""
    complete: bool
    """Whether that is all since the account began or was reset."""

    def __getitem__(self, code: str) -> Finding:
        for finding in self.findings:
            if finding.code == code:
                return finding
        raise KeyError(f"{code!r} is no trait; there are {', '.join(one.code for one in self.findings)}")

    def assert_ok(self, ignore: Collection[str] = ()) -> None:
        """Raise AssertionError, telling the findings, if any is a warning or a problem; *ignore* names codes.

        A code that does not exist is a KeyError.
        """
        ignored = {self[code].code for code in ([ignore] if isinstance(ignore, str) else ignore)}
        bad = [one for one in self.findings if one.grade in {"warning", "problem"} and one.code not in ignored]
        if bad:
            raise AssertionError("\n".join(["the consumer does not behave:", *map(str, bad)]))

    def __str__(self) -> str:
        lines = [] if self.complete else [f"from entry {self.since} of the journal on; what was before is forgotten"]
        return "\n".join([*lines, *map(str, self.findings)])
