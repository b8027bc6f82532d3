"""A scenario before it is checked: the data, the line of every key, and what is wrong with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mockvod.problems import MOST_PROBLEMS, Place, Problem


@dataclass(frozen=True, slots=True)
class Source:
    """The data of a scenario, not checked yet."""

    data: object
    name: str = ""
    """The file's name in messages; empty if there is no file."""
    folder: Path = field(default_factory=Path)
    """Relative paths in the scenario start here."""
    lines: Mapping[Place, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    """Problems found while the file was read."""

    def line(self, place: Place) -> int:
        """The 1-based line of the key at *place*, or of the nearest key around it; 0 if unknown."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 0)

    def locate(self, problem: Problem) -> str:
        """*problem* prefixed with file and line."""
        where = [*filter(None, (self.name, str(self.line(problem.place) or "")))]
        return f"{':'.join(where)}: {problem}" if where else str(problem)


class ScenarioError(Exception):
    """A scenario cannot be applied. The message has one line per problem."""

    def __init__(self, source: Source, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems, key=lambda one: source.line(one.place))[:MOST_PROBLEMS]
        lines = [source.locate(problem) for problem in self.problems]
        if len(lines) == MOST_PROBLEMS:
            lines.append(f"only the first {MOST_PROBLEMS} problems are reported")
        super().__init__("\n".join(lines))
