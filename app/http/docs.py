"""`/openapi.json`, and `/docs`, which shows it without scripts or other servers. Built on first use."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from flask import Blueprint, Response, render_template_string

from app.http.bodies import no_content
from app.http.routes import Route

if TYPE_CHECKING:
    from app.http.openapi import Json

PAGE = Path(__file__).with_name("docs.html")
NOTHING_BUT_STYLE = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


class Docs:
    """The documentation of these routes; with `auth`, callers need bearer tokens."""

    def __init__(self, routes: list[Route], auth: bool) -> None:
        self._routes = routes
        self._auth = auth

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("docs", __name__)
        for path, view in (("/openapi.json", self.openapi), ("/docs", self.docs)):
            blueprint.add_url_rule(path, view_func=view, methods=["GET"], provide_automatic_options=False)
            blueprint.add_url_rule(path, f"options {view.__name__}", _options, methods=["OPTIONS"])
        return blueprint

    @cached_property
    def _document(self) -> "Json":
        from app.http.openapi import document

        return document(self._routes, self._auth)

    def openapi(self) -> Response:
        return Response(msgspec.json.encode(self._document), mimetype="application/json")

    def docs(self) -> Response:
        page = render_template_string(PAGE.read_text(), api=self._document, schema=_schema)
        return Response(page, headers=NOTHING_BUT_STYLE, mimetype="text/html")


def _options() -> Response:
    return no_content({"Allow": "GET, HEAD, OPTIONS"})


def _schema(schema: "Json") -> str:
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode()
