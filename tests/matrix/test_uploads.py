"""The driver of the upload SDKs: what it takes for an upload that went well, and the table it writes."""

from pathlib import Path

import pytest

from mockvod.testing import MockVod
from tests.matrix.__main__ import SECRET_ID, SECRET_KEY
from tests.matrix.uploads import COLUMNS, TESTED, Row, Session, Upload, problem, table


def test_an_upload_without_its_event_or_with_other_bytes_is_a_problem() -> None:
    with MockVod(upload_media_complete_event_switch="ON") as server:
        uploaded = server.client.upload(file_id="17", media_type="m3u8")
        result = {"file_id": "17", "media_url": uploaded.media_url, "cover_url": ""}
        assert problem(server, {"error": "refused"}, {}) == "refused"
        assert problem(server, {**result, "file_id": "18"}, {}) == "no NewFileUpload"
        assert problem(server, result, {"": b"other"}).endswith("does not have the bytes that were uploaded")
        assert problem(server, result, {}) == "ok"


def test_the_python_sdk_passes(tmp_path: Path) -> None:
    (tmp_path / "small.mp4").write_bytes(b"video")
    (tmp_path / "large.mp4").write_bytes(bytes(TESTED[0].part * 2 + 1))
    with MockVod(
        tls=True, auth="strict", secret_id=SECRET_ID, secret_key=SECRET_KEY, upload_media_complete_event_switch="ON"
    ) as server:
        session = Session(server, TESTED[0], tmp_path)
        assert session.outcome(Upload(tmp_path / "small.mp4")) == "ok"
        assert session.outcome(Upload(tmp_path / "large.mp4"), break_once=True) == "ok"
        assert session.resumed(Upload(tmp_path / "large.mp4", path="/resumed.mp4")) == "ok"
        assert session.refused(Upload(tmp_path / "small.mp4")) == "ok"


@pytest.mark.parametrize("outcome", ["ok", "no NewFileUpload"])
def test_the_table_has_a_row_for_each_sdk(outcome: str) -> None:
    lines = "".join(table([Row(TESTED[1], "1.1.0", dict.fromkeys(COLUMNS, outcome))])).splitlines()
    assert lines[2] == f"| Node upload SDK | 1.1.0 | {' | '.join([outcome] * len(COLUMNS))} |"
