"""The driver of the upload SDKs: what it takes for an upload that went well, and the table it writes."""

import pytest

from mockvod.testing import MockVod
from tests.matrix.uploads import COLUMNS, TESTED, Row, problem, table


def test_an_upload_without_its_event_or_with_other_bytes_is_a_problem() -> None:
    with MockVod() as server:
        file_id = server.client.declare_media(file_id="17").file_id
        upload = {"file_id": file_id, "media_url": f"{server.url}/mockvod/livez", "cover_url": ""}
        assert problem(server, {"error": "refused"}, 5, {file_id}) == "refused"
        assert problem(server, upload, 5, set()) == "no NewFileUpload"
        assert problem(server, upload, 5, {file_id}).endswith("does not have the bytes that were uploaded")


@pytest.mark.parametrize("outcome", ["ok", "no NewFileUpload"])
def test_the_table_has_a_row_for_each_sdk(outcome: str) -> None:
    lines = "".join(table([Row(TESTED[0], "1.1.0", dict.fromkeys(COLUMNS, outcome))])).splitlines()
    assert lines[2] == f"| Node upload SDK | 1.1.0 | {outcome} | {outcome} | {outcome} |"
