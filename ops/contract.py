"""Validates responses against the deployment's own openapi.json."""

import re
import sys
from typing import Any

import httpx

from ops.stack import one_line

PROBLEM_JSON = "application/problem+json"


class Contract:
    """An OpenAPI 3.1 document. Raises ValueError if it describes another API."""

    def __init__(self, document: Any) -> None:
        match document:
            case {"info": {"title": "Better Together"}, "paths": paths, "components": components}:
                self.paths: dict[str, dict[str, Any]] = paths
                self._components: dict[str, Any] = components
            case _:
                raise ValueError("the document describes another API")
        self.auth = "securitySchemes" in self._components
        """Whether callers need bearer tokens."""

    def takes_a_token(self, method: str, path: str) -> bool:
        return "security" in (self._operation(method, path) or {})

    def fault(self, method: str, path: str, response: httpx.Response) -> str | None:
        """What is wrong with the response to a request, in one line; None if it is valid."""
        if response.is_error and (fault := problem_fault(response)):
            return fault
        if "x-request-id" not in response.headers:
            return "lacks the header X-Request-Id"
        operation = self._operation(method, path)
        return self._undocumented(operation, response) if operation else None

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        for template, operations in self.paths.items():
            if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), path.partition("?")[0]):
                return operations.get("get" if method == "HEAD" else method.lower())
        return None

    def _undocumented(self, operation: dict[str, Any], response: httpx.Response) -> str | None:
        documented = operation["responses"].get(str(response.status_code))
        if documented is None:
            return "not in openapi.json"
        if "$ref" in documented:
            documented = self._components["responses"][documented["$ref"].rpartition("/")[2]]
        for name, header in documented["headers"].items():
            if header["required"] and name not in response.headers:
                return f"lacks the header {name}"
        content = documented.get("content")
        if not content or not response.content:
            return None
        if (media_type := media_type_of(response)) not in content:
            return f"{media_type or 'no media type'} instead of {' or '.join(content)}"
        return self._misshapen(content[media_type].get("schema"), response)

    def _misshapen(self, schema: dict[str, Any] | None, response: httpx.Response) -> str | None:
        if schema is None:
            return None
        # With this package, which other tools need, jsonschema builds a grammar of IRIs, which takes a second.
        # https://docs.python.org/3/reference/import.html#the-module-cache
        sys.modules.setdefault("rfc3987_syntax", None)  # pyright: ignore[reportCallIssue, reportArgumentType]
        import jsonschema  # late, because few commands need it

        validator: Any = jsonschema.Draft202012Validator(schema | {"components": self._components})
        try:
            validator.validate(response.json())
        except jsonschema.ValidationError as error:
            return f"not as in openapi.json: {error.json_path}: {error.message[:120]}"
        except ValueError:
            return f"not JSON: {excerpt(response)}"
        return None


def problem_fault(response: httpx.Response) -> str | None:
    """Why an error response is not problem details (RFC 9457); None if it is, or if the request was a HEAD."""
    if response.request.method == "HEAD":
        return None
    if media_type_of(response) != PROBLEM_JSON:
        source = "the app" if "x-request-id" in response.headers else "the front door"
        return f"{source} sent no problem details (RFC 9457): {excerpt(response)}"
    try:
        problem = response.json()
        valid = problem["status"] == response.status_code and problem["title"] and problem["detail"]
    except (ValueError, LookupError, TypeError):
        valid = False
    return None if valid else f"invalid problem details (RFC 9457): {excerpt(response)}"


def media_type_of(response: httpx.Response) -> str:
    return response.headers.get("content-type", "").partition(";")[0].strip().lower()


def excerpt(response: httpx.Response) -> str:
    """The beginning of the body, as one line."""
    return one_line(response.text)[:120] or "nothing"
