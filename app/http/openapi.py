"""The OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1.html), built from the routes and the msgspec types."""

from collections.abc import Iterable
from typing import Any

import msgspec
from werkzeug.http import HTTP_STATUS_CODES

from app.http import paging
from app.http.operations import OPERATIONS, Answer, Operation
from app.http.problems import PROBLEM_JSON
from app.http.routes import Route
from app.http.schemas import ProblemBody
from app.model import UserId

type Json = dict[str, Any]

VERSION = "0.1.0"
"""The project's version, as in pyproject.toml, which is no part of the artifact."""
REF = "#/components/{}/{}"
STRING = {"type": "string"}
HEADERS = {
    "Accept-Post": "The media type that a body must have.",
    "Cache-Status": "How the cache handled the request (RFC 9211).",
    "ETag": "The version, for If-Match and If-None-Match.",
    "Link": "The next page, if there is one (RFC 8288).",
    "Location": "The path of the new user.",
    "Retry-After": "The seconds to wait before a retry.",
    "WWW-Authenticate": "The token that is required, and what is wrong with the given one (RFC 6750).",
    "X-Request-Id": "The id of the request in the logs.",
}
PROBLEM_HEADERS = {
    401: ("WWW-Authenticate",),
    403: ("WWW-Authenticate?",),
    415: ("Accept-Post",),
    503: ("Retry-After",),
}
TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "`sub` is the user's id; the scope `users:admin` allows writing every user.",
}


def document(routes: Iterable[Route], auth: bool) -> Json:
    """The whole document; with `auth`, callers need bearer tokens."""
    operations = [(route, OPERATIONS[route.view.__name__]) for route in routes]
    types = [ProblemBody, *(t for _, operation in operations for t in _types(operation))]
    schemas, components = msgspec.json.schema_components(types, ref_template=REF.format("schemas", "{name}"))
    schema_of = dict(zip(map(repr, types), schemas, strict=True))
    paths: Json = {}
    for route, operation in operations:
        path = paths.setdefault(route.path.replace("<", "{").replace(">", "}"), {})
        path[route.method.lower()] = _operation(route.view.__name__, operation, schema_of, auth)
    statuses = sorted({status for _, operation in operations for status in _problems(operation, auth)})
    return {
        "openapi": "3.1.1",
        "info": {"title": "Better Together", "version": VERSION, "description": "Users, their followers and pictures."},
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {_phrase(status): _problem(status, schema_of) for status in statuses},
        }
        | ({"securitySchemes": {"token": TOKEN}} if auth else {}),
    }


def _types(operation: Operation) -> list[Any]:
    bodies = [answer.body for answer in operation.answers.values()]
    return [t for t in [operation.body, *bodies] if t is not None]


def _problems(operation: Operation, auth: bool) -> list[int]:
    return sorted({*operation.problems, *((401, 403, 503) if auth and operation.caller else ())})


def _operation(name: str, operation: Operation, schema_of: Json, auth: bool) -> Json:
    responses = {str(status): _answer(answer, schema_of) for status, answer in operation.answers.items()}
    for status in _problems(operation, auth):
        responses[str(status)] = {"$ref": REF.format("responses", _phrase(status))}
    shown = [p for p in operation.parameters if not (auth and p == "X-User-Id")]
    return (
        {"operationId": name, "summary": operation.summary}
        | ({"parameters": [_parameter(p) for p in shown]} if shown else {})
        | ({"requestBody": {"required": True, "content": _json(operation.body, schema_of)}} if operation.body else {})
        | {"responses": responses}
        | ({"security": [{"token": []}]} if auth and operation.caller else {})
    )


def _answer(answer: Answer, schema_of: Json) -> Json:
    response: Json = {"description": answer.description, "headers": _headers(answer.headers)}
    if answer.media_types:
        response["content"] = {media_type: {} for media_type in answer.media_types}
    elif answer.body is not None:
        response["content"] = _json(answer.body, schema_of)
    return response


def _problem(status: int, schema_of: Json) -> Json:
    content = {PROBLEM_JSON: {"schema": schema_of[repr(ProblemBody)]}}
    headers = _headers(PROBLEM_HEADERS.get(status, ()))
    return {"description": HTTP_STATUS_CODES[status], "headers": headers, "content": content}


def _phrase(status: int) -> str:
    return HTTP_STATUS_CODES[status].replace(" ", "")


def _json(type: Any, schema_of: Json) -> Json:
    return {"application/json": {"schema": schema_of[repr(type)]}}


def _headers(names: Iterable[str]) -> Json:
    """Headers by name; a trailing `?` marks an optional one."""
    return {
        name.rstrip("?"): {
            "description": HEADERS[name.rstrip("?")],
            "required": not name.endswith("?"),
            "schema": STRING,
        }
        for name in [*names, "X-Request-Id"]
    }


def _parameter(name: str) -> Json:
    match name:
        case "user_id":
            schema = msgspec.json.schema(UserId)
            return {"name": name, "in": "path", "required": True, "schema": schema}
        case "limit":
            schema = {"type": "integer", "minimum": 1, "maximum": paging.MAX_LIMIT, "default": paging.DEFAULT_LIMIT}
            return {"name": name, "in": "query", "schema": schema}
        case "cursor":
            text = "The `next_cursor` of the previous page."
            return {"name": name, "in": "query", "description": text, "schema": STRING}
        case "X-User-Id":
            text = "The caller's user id, which is trusted, because the API asks for no tokens."
            return {"name": name, "in": "header", "description": text, "schema": STRING}
        case _:
            return {"name": name, "in": "header", "description": "ETags, or *.", "schema": STRING}
