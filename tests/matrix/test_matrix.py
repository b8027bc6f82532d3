"""The driver of the SDK matrix, with the SDK that the tests have; the table it writes."""

import sys
from pathlib import Path

import pytest

from tests.matrix.__main__ import Outcome, Row, Setup, run, table
from tests.matrix.plan import TESTED, WAYS

PYTHON_SDK = TESTED[0]


@pytest.mark.parametrize("setup", [Setup("http", "strict"), Setup("https", "strict", names=True)], ids=str)
def test_every_call_of_the_sdk_succeeds_and_a_wrong_key_is_refused(setup: Setup) -> None:
    found = run(PYTHON_SDK._replace(ways=WAYS[:1]), Path(sys.prefix), setup)
    assert [one.action for one in found] == [*(action for action, _ in PYTHON_SDK.calls), "wrong key"]
    assert [one for one in found if one.error] == []


def test_the_table_counts_what_went_well_and_lists_what_did_not() -> None:
    outcomes = [Outcome("HmacSHA1", "GET", "PullEvents", ""), Outcome("HmacSHA1", "GET", "Fly", "InvalidAction: no")]
    lines = "".join(table([Row(PYTHON_SDK, "3.1.0", {Setup("http", "lenient"): outcomes})])).splitlines()
    assert lines[2].split(" | ")[1:] == [
        "3.1.0",
        "TC3-HMAC-SHA256, HmacSHA1, HmacSHA256",
        "POST, GET",
        "1 of 2",
        "",
        "",
        "",
        " |",
    ]
    assert lines[-1] == "- 1 × Python SDK 3.1.0: Fly: InvalidAction: no"
