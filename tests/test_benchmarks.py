"""The benchmarks run; how fast is none of a test's business."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import main

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/smaps_rollup").exists(), reason="CPU time and memory are read from /proc"
)

ROWS = {"start": 3, "drain": 10, "push": 5, "wake": 2, "held": 5, "making": 1, "kit": 5}


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", *arguments])
    main()


@pytest.mark.timeout(300)
def test_every_benchmark_gives_its_rows(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run(monkeypatch, "--quick", "--json")
    written = capsys.readouterr()
    found = json.loads(written.out)
    assert len(found) == sum(ROWS.values())
    for row in found:
        assert row["ours"] > 0 or row["name"].startswith("CPU of"), row  # so little that none was counted
        assert row["unit"]
        assert (row["target"] is None) == (row["met"] is None)
    assert [line.partition(":")[0] for line in written.err.splitlines()] == list(ROWS)


def test_people_get_a_table_and_the_progress_beside_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "making", "--quick")
    written = capsys.readouterr()
    head, line = written.out.splitlines()
    assert head.split() == ["unit", "ours", "bare", "ratio", "target", "met", "goal", "reached"]
    assert line.startswith("making and storing an event, CPU")
    assert written.err.startswith("making: ")


def test_an_unknown_name_is_refused_with_the_known_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        run(monkeypatch, "drian")
    assert end.value.code == 2
    assert "no benchmark 'drian': there are start, drain" in capsys.readouterr().err


def test_more_rounds_give_more_ratios(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run(monkeypatch, "making", "--quick", "--rounds", "3", "--json")
    [row] = json.loads(capsys.readouterr().out)
    assert len(row["ratios"]) == 3
    assert sorted(row["ratios"])[1] == row["ratio"]


def test_no_rounds_are_too_few(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        run(monkeypatch, "making", "--rounds", "0")
    assert end.value.code == 2
    assert "--rounds 0: at least 1" in capsys.readouterr().err
