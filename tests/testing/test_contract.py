"""The clients have the parameters and results of the control API: its models are the contract."""

import inspect
from dataclasses import fields
from typing import Any

import pytest
from pydantic import BaseModel

from mockvod.engine.events import TERMINAL
from mockvod.http.control import accounts, clock, events, faults, insight, media, uploads, waiting
from mockvod.testing import shapes
from mockvod.testing.calls import Calls, ClockCalls


@pytest.mark.parametrize(
    ("shape", "model"),
    [
        (shapes.Event, events.EventDetail),
        (shapes.ClockState, clock.ClockMoved),
        (shapes.AccountInfo, accounts.AccountMade),
        (shapes.Media, media.MediaView),
        (shapes.Upload, uploads.UploadedView),
        (shapes.Fault, faults.FaultView),
        (shapes.Finding, insight.FindingView),
        (shapes.Diagnosis, insight.Diagnosis),
        (shapes.Report, insight.ConsumerReport),
    ],
)
def test_a_result_has_the_fields_of_the_response(shape: Any, model: type[BaseModel]) -> None:
    assert {field.name for field in fields(shape)} == set(model.model_fields)


def parameters(call: str) -> set[str]:
    return set(inspect.signature(vars(Calls)[call]._function).parameters) - {"self"}


@pytest.mark.parametrize(
    ("call", "model", "renamed", "not_offered"),
    [
        ("emit", events.Emit, {}, {}),
        ("events", events.EventsQuery, {}, {"cursor", "order"}),
        ("wait_for", waiting.WaitFor, {"event_id": "id"}, {"settled", "quiet"}),
        ("declare_media", media.ROUTES[0].body, {}, {}),
        ("upload", uploads.ROUTES[0].body, {}, {}),
        ("make_account", next(one.body for one in accounts.ROUTES if one.path == "/accounts" and one.body), {}, {}),
    ],
)
def test_a_call_has_the_fields_of_the_request(
    call: str, model: type[BaseModel], renamed: dict[str, str], not_offered: set[str]
) -> None:
    names = {renamed.get(name, name) for name in parameters(call)}
    assert names - set(model.model_fields) == set()
    assert set(model.model_fields) - names == set(not_offered)


def test_every_move_of_the_clock_has_a_call() -> None:
    calls = {name for name in vars(ClockCalls) if not name.startswith("_")}
    assert calls == set(clock.ClockChange.model_fields)


def test_terminal_states_are_those_of_the_server() -> None:
    assert set(shapes.TERMINAL) == TERMINAL
