"""The benchmarks run; how fast is none of a test's business."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/smaps_rollup").exists(), reason="CPU time and memory are read from /proc"
)

ROOT = Path(__file__).parent.parent


def benchmarks(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our own


@pytest.mark.parametrize(
    ("name", "rows"), [("start", 3), ("drain", 8), ("push", 5), ("wake", 2), ("held", 5), ("making", 1)]
)
def test_a_benchmark_gives_its_rows(name: str, rows: int) -> None:
    done = benchmarks(name, "--quick", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found) == rows
    for row in found:
        assert row["ours"] > 0 or row["name"].startswith("CPU of"), row  # so little that none was counted
        assert row["unit"]
        assert (row["target"] is None) == (row["met"] is None)


def test_people_get_a_table_and_the_progress_beside_it() -> None:
    done = benchmarks("making", "--quick")
    assert done.returncode == 0, done.stderr
    head, line = done.stdout.splitlines()
    assert head.split() == ["unit", "ours", "bare", "ratio", "target", "met", "goal", "reached"]
    assert line.startswith("making and storing an event, CPU")
    assert done.stderr.startswith("making: ")


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    done = benchmarks("drian")
    assert done.returncode == 2
    assert "no benchmark 'drian': there are start, drain" in done.stderr
