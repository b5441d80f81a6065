"""CORS (https://fetch.spec.whatwg.org/#http-cors-protocol) through WSGI and Lambda."""

from collections.abc import Generator, Iterator

import httpx
import pytest

from app.bootstrap import assemble
from app.cache.none import NoCache
from app.data import StoreUnavailable
from app.data.memory import MemoryDataClient
from app.metrics import Metrics
from app.model import User
from app.settings import Settings
from tests.app.clients import NewClient

PAGE, OTHER_PAGE = "https://www.example.com", "http://localhost:3000"
STRANGERS = [
    *("https://evil.example", "https://www.example.com.evil.example", "https://example.com", "http://www.example.com"),
    *("https://www.example.com:8443", "https://www.example.com/", "HTTPS://WWW.EXAMPLE.COM", "null", "*", ""),
]
READABLE = {"cache-status", "etag", "link", "location", "retry-after", "x-request-id"}
SENDABLE = {"authorization", "content-type", "if-match", "if-none-match", "x-user-id"}
ADA = {"id": "ada", "name": "Ada", "followers": ["grace"]}


class Down(MemoryDataClient):
    def list_users(self, limit: int, after: str | None = None) -> Iterator[User]:
        raise StoreUnavailable

    def ping(self) -> None:
        raise ZeroDivisionError


@pytest.fixture
def client(new_client: NewClient, metrics: Metrics) -> Generator[httpx.Client]:
    with new_client(assemble(Settings(cors_origins=(PAGE, OTHER_PAGE)), metrics, Down(), NoCache())) as client:
        yield client


def preflight(client: httpx.Client, path: str, origin: str, method: str = "PUT") -> httpx.Response:
    headers = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "if-match"}
    return client.options(path, headers=headers)


def names(header: str) -> set[str]:
    return {name.strip().lower() for name in header.split(",")}


def of_cors(answer: httpx.Response) -> list[str]:
    return [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("origin", [PAGE, OTHER_PAGE])
@pytest.mark.parametrize("path", ["/users/ada", "/users", "/openapi.json", "/nowhere"])
def test_a_page_may_ask_before_it_sends(client: httpx.Client, path: str, origin: str) -> None:
    answer = preflight(client, path, origin)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == origin
    assert names(answer.headers["access-control-allow-methods"]) == {"get", "head", "post", "put", "delete"}
    assert names(answer.headers["access-control-allow-headers"]) == SENDABLE
    assert answer.headers["access-control-max-age"] == "7200"
    assert names(answer.headers["vary"]) >= {"origin"}
    assert "x-request-id" in answer.headers


def test_what_a_page_gets_it_may_read(client: httpx.Client) -> None:
    created = client.post("/users", json=ADA, headers={"Origin": PAGE})
    assert created.status_code == 201
    assert created.headers["access-control-allow-origin"] == PAGE
    assert names(created.headers["access-control-expose-headers"]) == READABLE
    assert names(created.headers["vary"]) >= {"origin"}
    assert "access-control-allow-credentials" not in created.headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/users/nobody", 404),
        ("GET", "/nowhere", 404),
        ("DELETE", "/health/live", 405),
        ("GET", "/users?limit=0", 400),
        ("GET", "/users", 503),
        ("GET", "/health/ready", 500),
    ],
)
def test_errors_too(client: httpx.Client, method: str, path: str, status: int) -> None:
    answer = client.request(method, path, headers={"Origin": PAGE})
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == PAGE


@pytest.mark.parametrize("origin", STRANGERS)
def test_other_pages_are_told_nothing(client: httpx.Client, origin: str) -> None:
    answers = preflight(client, "/users/ada", origin), client.get("/users/ada", headers={"Origin": origin})
    for answer in answers:
        assert of_cors(answer) == []
        assert answer.headers["vary"] == "Origin"


def test_without_an_origin_a_cache_is_told_that_it_matters(client: httpx.Client) -> None:
    answer = client.get("/health/live")
    assert (answer.headers["vary"], of_cors(answer)) == ("Origin", [])


def test_options_without_a_preflight_is_what_it_was(client: httpx.Client) -> None:
    answer = client.options("/users", headers={"Origin": PAGE})
    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")


def test_without_origins_there_is_no_header_at_all(new_client: NewClient, metrics: Metrics) -> None:
    with new_client(assemble(Settings(), metrics, MemoryDataClient(), NoCache())) as client:
        for answer in (preflight(client, "/users/ada", PAGE), client.get("/users", headers={"Origin": PAGE})):
            assert of_cors(answer) == []
            assert "vary" not in answer.headers
