"""The OpenAPI document and its page."""

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest

from app.settings import Settings
from tests.app.openapi_file import PATH, WHOLE, content, quiet_app


def document(settings: Settings = WHOLE) -> dict[str, Any]:
    return quiet_app(settings).test_client().get("/openapi.json").json or {}


def test_the_checked_in_copy_is_the_apps() -> None:
    assert PATH.read_text() == content(), "the contract changed: if that is meant, run `make openapi`"


def test_every_route_is_in_it() -> None:
    paths = document()["paths"]
    documented = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    rules = quiet_app(WHOLE).url_map.iter_rules()
    routes = {
        (m, re.sub("<(.*?)>", r"{\1}", r.rule)) for r in rules for m in r.methods or () if r.endpoint[:4] != "docs"
    }
    assert documented == {(method, path) for method, path in routes if method not in ("HEAD", "OPTIONS")}


def test_without_an_issuer_nobody_shows_a_token() -> None:
    assert "token" in document()["components"]["securitySchemes"]
    text = str(document(Settings(demo=True)))
    assert "security" not in text
    assert "401" not in text
    assert "X-User-Id" in text
    assert "X-User-Id" not in str(document())


def test_without_the_demo_there_is_no_bootstrap() -> None:
    assert "/bootstrap" not in document(Settings())["paths"]


@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
def test_they_can_be_cached(path: str) -> None:
    client = quiet_app(WHOLE).test_client()
    etag = client.get(path).headers["ETag"]
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304


class Links(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.ids |= {value for name, value in attrs if name == "id" and value}
        self.links |= {value for name, value in attrs if name in ("href", "src", "action") and value}


def test_the_page_shows_every_operation_and_needs_nothing_else() -> None:
    answer = quiet_app(WHOLE).test_client().get("/docs")
    page = Links(answer.text)
    operations = [operation for methods in document()["paths"].values() for operation in methods.values()]
    assert {operation["operationId"] for operation in operations} <= page.ids
    assert all(operation["summary"] in unescape(answer.text) for operation in operations)
    assert page.links == {"openapi.json", *(link for link in page.links if link[0] == "#" and link[1:] in page.ids)}
    assert page.tags.isdisjoint({"script", "link", "img", "iframe"})
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
