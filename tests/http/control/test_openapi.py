"""The OpenAPI document: valid, complete, and true of what the server answers to calls that were made up from it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from mockvod import __version__
from mockvod.http.control.events import Emit
from mockvod.http.control.openapi import document
from mockvod.http.control.request import ROOT, Route
from mockvod.http.control.routes import ROUTES
from tests.background import Background, in_background

DOCUMENT: dict[str, Any] = json.loads(json.dumps(document(ROUTES)))


def harmless() -> dict[str, Any]:
    """The document with nothing in it that takes long by design, calls another server, or needs a file."""
    copy: dict[str, Any] = json.loads(json.dumps(DOCUMENT))
    shapes = copy["components"]["schemas"]
    shapes["WaitFor"]["properties"]["timeout"]["maximum"] = 0.01
    shapes["WaitFor"]["required"] = ["timeout"]
    shapes["Emit"]["properties"]["count"]["maximum"] = 20
    shapes["ClockChange"]["properties"]["advance"]["maximum"] = 100
    shapes["ClockChange"]["properties"]["set"]["maximum"] = 1000
    for name in ("Config", "ApplicationSettings"):
        settings = shapes[name]["properties"]
        settings["callback_url"]["enum"] = settings["callback_url_v2"]["enum"] = ["", "http://127.0.0.1:9/callback"]
        settings.get("callback_ca", {})["enum"] = [""]
        settings.get("every", {})["enum"] = [0, 60]
    event = shapes["ScenarioEvent"]["properties"]
    event["every"], event["count"] = {"enum": [60]}, {"enum": [1, 20]}
    return copy


FITTING = schemathesis.openapi.from_dict(harmless())
UNFITTING = schemathesis.openapi.from_dict(DOCUMENT)


@pytest.fixture(scope="module")
def server() -> Iterator[Background]:
    with in_background(log_level="error", settle_grace=0.01, pending_bytes=200_000) as server:
        yield server


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def test_the_document_is_openapi() -> None:
    schemathesis.openapi.from_dict(DOCUMENT).validate()
    assert DOCUMENT["openapi"].startswith("3.1")
    assert DOCUMENT["info"]["version"] == __version__


def test_every_route_is_in_the_document_and_nothing_else() -> None:
    described = {(method.upper(), path) for path, operations in DOCUMENT["paths"].items() for method in operations}
    assert described == {(route.method, ROOT + route.path) for route in ROUTES}


def test_every_parameter_of_a_path_is_described() -> None:
    for path, operations in DOCUMENT["paths"].items():
        for operation in operations.values():
            described = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
            assert described == set(re.findall(r"\{(\w+)\}", path))


def test_the_descriptions_of_a_model_are_in_the_document() -> None:
    shape = DOCUMENT["components"]["schemas"]["Emit"]["properties"]
    assert shape["delay"]["description"] == Emit.model_fields["delay"].description


def test_operation_ids_are_unique() -> None:
    names = [one["operationId"] for operations in DOCUMENT["paths"].values() for one in operations.values()]
    assert len(names) == len(set(names))


def test_the_journal_is_documented_as_a_stream_too() -> None:
    content = DOCUMENT["paths"][f"{ROOT}/journal"]["get"]["responses"]["200"]["content"]
    assert set(content) == {"application/json", "text/event-stream"}


def test_the_server_gives_the_document(server: Background, session: requests.Session) -> None:
    assert session.get(f"{server.url}{ROOT}/openapi.json", timeout=5).json() == DOCUMENT


def test_a_body_is_required_if_no_call_is_valid_without_one() -> None:
    required = {
        (method, path)
        for path, operations in DOCUMENT["paths"].items()
        for method, operation in operations.items()
        if operation.get("requestBody", {}).get("required")
    }
    assert required == {
        ("put", f"{ROOT}/procedures/{{name}}"),
        ("post", f"{ROOT}/clock"),
        ("post", f"{ROOT}/wait"),
        ("post", f"{ROOT}/faults"),
        ("post", f"{ROOT}/scenario/file"),
        ("put", f"{ROOT}/inbox"),
    }


MAY_BE_WRONG = [route for route in ROUTES if route.body or route.query or route.scoped]
ANY_OUTCOME = {
    f"{ROOT}/wait",  # a timeout is a valid response
    f"{ROOT}/events",  # fields may contradict each other
    f"{ROOT}/events/check",
    f"{ROOT}/scenario/file",  # the text may be no scenario
    f"{ROOT}/inbox",  # only the last response may be without times
    f"{ROOT}/scenario",  # and so may a scenario's parts
}


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_valid_calls_get_the_documented_response(server: Background, session: requests.Session, route: Route) -> None:
    operation = FITTING[ROOT + route.path][route.method]
    excluded = [positive_data_acceptance] if ROOT + route.path in ANY_OUTCOME else []
    make_calls(operation.as_strategy(), server, session, excluded)


@pytest.mark.parametrize("route", MAY_BE_WRONG, ids=named)
def test_invalid_calls_get_the_documented_error(server: Background, session: requests.Session, route: Route) -> None:
    operation = UNFITTING[ROOT + route.path][route.method]
    make_calls(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE), server, session, [])


def make_calls(
    calls: st.SearchStrategy[Any], server: Background, session: requests.Session, excluded: list[Any]
) -> None:
    @seed(7)
    @settings(
        max_examples=8, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(calls)
    def answered_as_described(case: Any) -> None:
        case.call_and_validate(base_url=server.url, session=session, excluded_checks=excluded, timeout=10)

    answered_as_described()
