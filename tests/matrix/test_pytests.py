"""The driver of pytest's versions: what it writes for a stranger's project, and the table."""

from pathlib import Path

from tests.matrix.pytests import TRIED, Row, table, write


def test_a_mode_is_set_and_strict_tests_have_the_mark(tmp_path: Path) -> None:
    strict = next(one for one in TRIED if (one.plugin, one.mode) == ("pytest-aiohttp", "strict"))
    write(strict, tmp_path / "project")
    assert "asyncio_mode = strict\n" in (tmp_path / "project" / "pytest.ini").read_text(encoding="utf-8")
    tests = [path.read_text(encoding="utf-8") for path in sorted((tmp_path / "project").glob("test_*.py"))]
    assert [text.count("@pytest.mark.asyncio\n") for text in tests] == [0, 1, 1]


def test_the_table_has_a_row_for_each_plugin_and_mode() -> None:
    versions = {"pytest": "9.2.0", "pytest-asyncio": "1.5.0", "pytest-xdist": "3.8.0"}
    lines = "".join(table([Row(versions, TRIED[1], "3 passed", "failed: 1 failed, 2 passed")])).splitlines()
    assert lines[2] == "| 9.2.0 | pytest-asyncio 1.5.0 | auto | 3 passed | failed: 1 failed, 2 passed (3.8.0) |"
