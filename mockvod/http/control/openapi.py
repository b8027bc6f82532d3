"""The control API described in OpenAPI 3.1, from the table of its routes and the models."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic.json_schema import models_json_schema

from mockvod import __version__
from mockvod.http.control.contract import ErrorResponse
from mockvod.http.control.request import ROOT, Route
from mockvod.http.control.waiting import WaitTimedOut

_ERRORS: Final = {
    400: "The query or the body is invalid; the message names the field.",
    404: "The account, the event, or what else the path names does not exist.",
    408: "The wait timed out; the body says what was seen.",
    409: "Conflicts with the current state, or the account was reset or deleted meanwhile; the message says which.",
    413: "The body is too large, or the call exceeds a budget.",
    429: "Pending events exceed `pending-bytes`.",
    503: "The server is stopping.",
}
_REF: Final = "#/components/schemas/{model}"
_SCOPE: Final = [
    {
        "name": "secret_id",
        "in": "query",
        "description": "The account. Empty, or not given: the default account.",
        "schema": {"type": "string"},
    },
    {
        "name": "sub_app_id",
        "in": "query",
        "description": "The application. Default: the default application.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
    },
]


def document(routes: Sequence[Route]) -> Mapping[str, Any]:
    models: list[tuple[type[BaseModel], Any]] = [(ErrorResponse, "serialization"), (WaitTimedOut, "serialization")]
    models += [(route.body, "validation") for route in routes if route.body]
    models += [(route.response, "serialization") for route in routes if route.response]
    schemas, definitions = models_json_schema(list(dict.fromkeys(models)), ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(ROOT + route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "mockvod control API", "version": __version__},
        "paths": paths,
        "components": {"schemas": definitions.get("$defs", {})},
    }


def _operation(route: Route, schemas: Mapping[Any, Any]) -> dict[str, Any]:
    def content(model: type[BaseModel], mode: str) -> dict[str, Any]:
        return {"application/json": {"schema": schemas[model, mode]}}

    response = content(route.response, "serialization") if route.response else {"application/json": {"schema": {}}}
    errors = sorted({400, *route.errors, *((404,) if route.scoped else ()), *((413,) if route.body else ())})
    if route.stream:
        response |= {"text/event-stream": {"schema": {"type": "string"}}}
    responses: dict[str, Any] = {str(route.status): {"description": route.summary, "content": response}}
    for status in errors:
        model = WaitTimedOut if status == 408 else ErrorResponse
        responses[str(status)] = {"description": _ERRORS[status], "content": content(model, "serialization")}
    operation: dict[str, Any] = {
        "operationId": route.run.__name__,
        "summary": route.summary,
        "parameters": list(_parameters(route)),
        "responses": responses,
    }
    if route.body:
        operation["requestBody"] = {
            "required": _required(route.body),
            "content": content(route.body, "validation"),
        }
    return operation


def _required(model: type[BaseModel]) -> bool:
    """Whether the body must not be empty."""
    try:
        model()
    except ValidationError:
        return True
    # A model that is described as one of several is required if each of those is.
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})
    several = [definitions[one["$ref"].rpartition("/")[2]] for one in schema.get("anyOf", ())]
    return bool(several) and all(one.get("required") for one in several)


def _parameters(route: Route) -> Sequence[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in ("id", "secret_id", "name")
        if f"{{{name}}}" in route.path
    ]
    if route.scoped:
        parameters += _SCOPE
    if route.query:
        for name, schema in route.query.model_json_schema()["properties"].items():
            parameter = {"name": name, "in": "query", "description": schema.pop("description", ""), "schema": schema}
            parameters.append({**parameter, "style": "form", "explode": False})
    return parameters
