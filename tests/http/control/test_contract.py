"""The shapes that the Python client returns are those that the control API sends."""

from dataclasses import fields
from typing import Any

import pytest
from pydantic import BaseModel

from mockvod.http.control import accounts, clock, events, faults, insight, media
from mockvod.testing import shapes

PAIRS: list[tuple[Any, type[BaseModel]]] = [
    (shapes.Event, events.EventDetail),
    (shapes.ClockState, clock.ClockMoved),
    (shapes.AccountInfo, accounts.AccountMade),
    (shapes.Media, media.MediaView),
    (shapes.Fault, faults.FaultView),
    (shapes.Diagnosis, insight.Diagnosis),
    (shapes.Finding, insight.FindingView),
    (shapes.Report, insight.ConsumerReport),
]


@pytest.mark.parametrize(("shape", "model"), PAIRS)
def test_the_client_reads_fields_that_the_server_sends(shape: Any, model: type[BaseModel]) -> None:
    assert {field.name for field in fields(shape)} <= set(model.model_fields)
