"""The control API described in OpenAPI 3.1, from the table of its routes and the models."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError
from pydantic.json_schema import models_json_schema

from mockvod import __version__
from mockvod.http.control.models import ErrorAnswer, WaitTimedOut

if TYPE_CHECKING:
    from mockvod.http.control.request import Route

_REFUSED = {
    400: "The query or the body does not fit; the message names what.",
    404: "There is no such account, or no such event.",
    408: "The time is over; what was seen instead.",
    409: "Not as things stand; the message says why.",
    413: "The body is too large.",
    429: "Too many events wait to be taken.",
    503: "The account was deleted meanwhile, or the server is stopping.",
}
_REF = "#/components/schemas/{model}"
_WHOM = (
    ("secret_id", "The account; without it the default one.", {"type": "string"}),
    (
        "sub_app_id",
        "The application; without it the default one.",
        {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
    ),
)


def document(routes: Sequence["Route"]) -> Mapping[str, Any]:
    models: list[tuple[type[BaseModel], Any]] = [(ErrorAnswer, "serialization"), (WaitTimedOut, "serialization")]
    models += [(route.body, "validation") for route in routes if route.body]
    models += [(route.answer, "serialization") for route in routes if route.answer]
    schemas, definitions = models_json_schema(list(dict.fromkeys(models)), ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault("/mockvod/v1" + route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "mockvod control API", "version": __version__},
        "paths": paths,
        "components": {"schemas": definitions.get("$defs", {})},
    }


def _operation(route: "Route", schemas: Mapping[Any, Any]) -> dict[str, Any]:
    def content(model: type[BaseModel], mode: str) -> dict[str, Any]:
        return {"application/json": {"schema": schemas[model, mode]}}

    answer = content(route.answer, "serialization") if route.answer else {"application/json": {"schema": {}}}
    refusals = sorted({400, *route.errors, *((404,) if route.whom else ()), *((413,) if route.body else ())})
    if route.stream:
        answer |= {"text/event-stream": {"schema": {"type": "string"}}}
    responses: dict[str, Any] = {str(route.status): {"description": route.words, "content": answer}}
    for status in refusals:
        model = WaitTimedOut if status == 408 else ErrorAnswer
        responses[str(status)] = {"description": _REFUSED[status], "content": content(model, "serialization")}
    operation: dict[str, Any] = {
        "operationId": route.run.__name__,
        "summary": route.words,
        "parameters": list(_parameters(route)),
        "responses": responses,
    }
    if route.body:
        operation["requestBody"] = {
            "required": _says_something(route.body),
            "content": content(route.body, "validation"),
        }
    return operation


def _says_something(model: type[BaseModel]) -> bool:
    """Whether there is no call without a body."""
    try:
        model()
    except ValidationError:
        return True
    # Of a model that is described as one of several, each of those may have to say something.
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})
    several = [definitions[one["$ref"].rpartition("/")[2]] for one in schema.get("anyOf", ())]
    return bool(several) and all(one.get("required") for one in several)


def _parameters(route: "Route") -> Sequence[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in ("id", "secret_id", "name")
        if f"{{{name}}}" in route.path
    ]
    if route.whom:
        parameters += [
            {"name": name, "in": "query", "description": words, "schema": schema} for name, words, schema in _WHOM
        ]
    if route.query:
        for name, schema in route.query.model_json_schema()["properties"].items():
            words = schema.pop("description", "")
            parameters.append(
                {"name": name, "in": "query", "description": words, "schema": schema, "style": "form", "explode": False}
            )
    return parameters
