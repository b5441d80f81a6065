"""One HTTP transcript gives the same answers on aws, gcp and `flask run`."""

import re
from dataclasses import dataclass, field
from typing import Any

import httpx

HEADERS_THAT_MATTER = ("content-type", "location", "cache-status", "allow", "retry-after", "etag")
ADA = {"id": "ada", "name": "Ada Lovelace", "followers": ["grace", "kurt"]}
JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Step:
    method: str
    path: str
    status: int
    body: Any = None
    content: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])


TRANSCRIPT = [
    Step("GET", "/health/ready", 200),
    Step("GET", "/users/ada", 404),
    Step("GET", "/cached-users/ada", 404),
    Step("POST", "/users", 201, ADA),
    Step("POST", "/users", 409, ADA),
    Step("GET", "/users/ada", 200),
    Step("GET", "/cached-users/ada", 200),
    Step("HEAD", "/users/ada", 200),
    Step("OPTIONS", "/users/ada", 204),
    Step("GET", "/users?limit=0", 400),
    Step("POST", "/users", 201, {"id": "grace", "name": "Grace Hopper 日本", "followers": []}),
    Step("GET", "/followers/ada", 200),
    Step("GET", "/cached-followers/ada", 200),
    Step("GET", "/profile-pic/ada", 403),
    Step("GET", "/profile-pic/ada", 403, headers={"x-user-id": "nobody"}),
    Step("PUT", "/users/ada", 428, ADA),
    Step("PUT", "/users/ada", 412, ADA, headers={"if-match": '"0123456789abcdef"'}),
    Step("DELETE", "/users/ada", 204),
    Step("DELETE", "/users/ada", 404),
    Step("GET", "/users/ada", 404),
    Step("GET", "/users/émile", 400),
    Step("GET", "/users/__x__", 400),
    Step("POST", "/users", 400, {"id": "émile 日本", "name": "Émile", "followers": []}),
    Step("POST", "/users", 400, {"id": "bob"}),
    Step("POST", "/users", 400, {"id": "bob", "name": 7, "followers": []}),
    Step("POST", "/users", 400, content=b"{not json", headers=JSON),
    Step("POST", "/users", 415, content=b"id=bob", headers={"content-type": "text/plain"}),
    Step("POST", "/users", 413, content=b"x" * (400 * 1024 + 1), headers=JSON),
    Step("GET", "/nowhere", 404),
    Step("DELETE", "/health/live", 405),
]


def answer(client: httpx.Client, step: Step) -> tuple[int, dict[str, str], bytes]:
    response = client.request(step.method, step.path, json=step.body, content=step.content, headers=step.headers)
    headers = {name: response.headers[name] for name in HEADERS_THAT_MATTER if name in response.headers}
    if re.fullmatch(r'"[0-9a-f]{16}"', headers.get("etag", "")):
        headers["etag"] = "a user's version: every write makes a new one"
    if not response.content:
        headers.pop("content-type", None)  # API Gateway gives even nothing a type
    return response.status_code, headers, response.content


def test_the_same_transcript(runtimes: dict[str, httpx.Client]) -> None:
    for step in TRANSCRIPT:
        answers = {name: answer(client, step) for name, client in runtimes.items()}
        assert answers["aws"] == answers["gcp"], step
        assert answers["aws"][0] == step.status, (step, answers["aws"])
        assert without_cache(answers["flask run"]) == without_cache(answers["aws"]), step


def without_cache(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, dict[str, str], bytes]:
    """`flask run` as it comes has no cache, so it says nothing of one."""
    status, headers, body = answer
    return status, {name: value for name, value in headers.items() if name != "cache-status"}, body


def test_a_cached_read_says_where_it_came_from(runtimes: dict[str, httpx.Client]) -> None:
    for name in ("aws", "gcp"):
        client = runtimes[name]
        client.post("/users", json={"id": "cached", "name": "Cached", "followers": []})
        first, second = client.get("/cached-users/cached"), client.get("/cached-users/cached")
        assert "fwd=" in first.headers["cache-status"], name
        assert "; hit" in second.headers["cache-status"], name
        assert first.json() == second.json() == client.get("/users/cached").json()


def test_both_report_the_same_artifact(runtimes: dict[str, httpx.Client]) -> None:
    digests = {name: runtimes[name].get("/health/live").json()["artifact"] for name in ("aws", "gcp")}
    assert digests["aws"] == digests["gcp"]
    assert digests["aws"].startswith("sha256:")
