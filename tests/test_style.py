"""The vocabulary: words and phrases that the code and the names of tests do not use, with the term to use instead."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# In identifiers the parts between underscores count as words.
AVOIDED = {
    r"time-outs?": "timeout",
    r"comes? back|came back": "redelivery; visible again",
    r"(is|are) held|held poll": "blocks; pending; leased",
    r"do(es)? not fit|takes no|is no recipe": "reject; invalid; must be one of",
    r"put out|what is over": "evicted; in a terminal state",
    r"owed|owes": "pending",
    r"strikes?|struck|in force": "fires; applies; active",
    r"misbehaves?|misbehaved": "a fault; an error",
    r"mistake of|mistakes? of ours": "unhandled exception (a bug in mockvod)",
    r"asks? nobody|who asks|whoever|somebody|nobody|those who": "the caller; the client; the receiver; unauthenticated",
    r"stands? in|stood in": "is in; see; listed in",
    r"doors?": "route; endpoint",
    r"wish|wishes|wished": "request; argument",
    r"told|said|asked": "request; response; report",
    r"(an?|the|this|every|its|their|no|of|an empty|whole) answers?": "response; result; return value",
    r"films?": "video; media file",
    r"as it is(?=[.,;:)`]|$)|what there is": "default; supported values",
    r"how-man\w+": "count",
    r"in vain": "without success; times out",
    r"\(set\)": "redacted",
}
# Names that users know: codes of findings, fields and faults.
KNOWN = ("nobody_pulls", "mode_in_force", "broken_answer", "empty-answer")

PATTERNS = [
    (re.compile(rf"(?<![a-z])({words})(?![a-z])", re.IGNORECASE), instead) for words, instead in AVOIDED.items()
]


def avoided(text: str) -> Iterator[str]:
    for name in KNOWN:
        text = text.replace(name, "")
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, instead in PATTERNS:
            if found := pattern.search(line.replace("_", " ")):
                yield f"line {number}: {found[0]!r}: write {instead}"


@pytest.mark.parametrize("path", sorted((ROOT / "mockvod").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_code_uses_the_fields_terms(path: Path) -> None:
    assert [*avoided(path.read_text(encoding="utf-8"))] == []


def test_the_names_of_tests_use_the_fields_terms() -> None:
    names = [
        node.name
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]
    assert [*avoided("\n".join(names))] == []
