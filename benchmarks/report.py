"""A row of figures, what it should keep to, and the table that people read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

WORDS = {"ours": "", "ratio": " ×", "more": " more"}


@dataclass(frozen=True, slots=True)
class Limit:
    """What one figure of a row should keep to: our value, its ratio to bare, or how much more than bare it is."""

    of: Literal["ours", "ratio", "more"]
    value: float
    least: bool = False
    """Whether more is better."""

    def __str__(self) -> str:
        return f"{'≥' if self.least else '≤'} {self.value:g}{WORDS[self.of]}"


def at_most(value: float, of: Literal["ours", "ratio", "more"] = "ours") -> Limit:
    return Limit(of, value)


def at_least(value: float, of: Literal["ours", "ratio", "more"] = "ratio") -> Limit:
    return Limit(of, value, least=True)


@dataclass(frozen=True, slots=True)
class Row:
    """One figure, ours and bare's of each turn. The table shows medians: of ours, of bare, of the ratios of each turn.

    *target* must be met, *goal* is where we want to be; a row without them only informs.
    """

    name: str
    unit: str
    turns: Sequence[float]
    bare_turns: Sequence[float]
    target: Limit | None = None
    goal: Limit | None = None

    @property
    def ours(self) -> float:
        return median(self.turns)

    @property
    def bare(self) -> float:
        return median(self.bare_turns)

    @property
    def ratios(self) -> list[float]:
        """Of each turn; none where bare's figure was 0 in one."""
        if not all(self.bare_turns):
            return []
        return [ours / bare for ours, bare in zip(self.turns, self.bare_turns, strict=True)]

    @property
    def ratio(self) -> float | None:
        return median(self.ratios) if self.ratios else None

    @property
    def met(self) -> bool | None:
        return self._keeps(self.target)

    @property
    def reached(self) -> bool | None:
        return self._keeps(self.goal)

    def _keeps(self, limit: Limit | None) -> bool | None:
        if limit is None:
            return None
        figure = {"ours": self.ours, "ratio": self.ratio, "more": self.ours - self.bare}[limit.of]
        return figure is not None and (figure >= limit.value if limit.least else figure <= limit.value)

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "unit": self.unit,
            "ours": self.ours,
            "bare": self.bare,
            "ratio": self.ratio,
            "ratios": self.ratios,
            "target": None if self.target is None else str(self.target),
            "met": self.met,
            "goal": None if self.goal is None else str(self.goal),
            "reached": self.reached,
        }


def laps(rounds: int) -> range:
    """The numbers of the turns. Before the first there is one, -1, that only warms up; a quick run does without."""
    return range(-1 if rounds > 1 else 0, rounds)


def table(rows: Iterable[Row]) -> str:
    heads = ("", "unit", "ours", "bare", "ratio", "target", "met", "goal", "reached")
    lines = [heads, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    left = {0, 1, 5, 6, 7, 8}
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        row.unit,
        _figure(row.ours),
        _figure(row.bare),
        "-" if row.ratio is None else f"{row.ratio:.2f}",
        "-" if row.target is None else str(row.target),
        _yes_or_no(row.met),
        "-" if row.goal is None else str(row.goal),
        _yes_or_no(row.reached),
    )


def _figure(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def _yes_or_no(answer: bool | None) -> str:
    return "-" if answer is None else "yes" if answer else "no"
