"""One HTTP transcript gives the same answers on aws, gcp and `flask run`."""

import re

import httpx

from ops import transcript
from ops.transcript import Step

HEADERS_THAT_MATTER = ("content-type", "location", "cache-status", "allow", "retry-after", "etag")


def answer(client: httpx.Client, step: Step) -> tuple[int, dict[str, str], bytes]:
    response = client.request(step.method, step.path, json=step.body, content=step.content, headers=step.headers)
    headers = {name: response.headers[name] for name in HEADERS_THAT_MATTER if name in response.headers}
    if re.fullmatch(r'"[0-9a-f]{16}"', headers.get("etag", "")):
        headers["etag"] = "a user's version: every write makes a new one"
    if not response.content:
        headers.pop("content-type", None)  # API Gateway gives even nothing a type
    return response.status_code, headers, response.content


def test_the_same_transcript(runtimes: dict[str, httpx.Client]) -> None:
    for step in [*transcript.reads("same-"), *transcript.writes("same-")]:
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
