"""`ops check` finds and names every fault, reports none where there is none, and leaves no users behind."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest

from ops import __main__, reads
from ops import check as ops_check
from ops.contract import Contract
from ops.deployment import Deployment, Wrong
from ops.target import Target
from tests.ops.conftest import DIGEST, ROOT, Check, users_left

NOT_THE_APPS = "the app sent no problem details (RFC 9457): <html>Not Found</html>"
FRONT_DOORS = 'the front door sent no problem details (RFC 9457): {"message":"Too Many Requests"}'


@pytest.mark.parametrize("arguments", [[], ["--write"]], ids=["reads", "writes"])
@pytest.mark.parametrize("server", ["truth", "front"])
def test_the_truth_is_ok(liars: dict[str, Any], check: Check, server: str, arguments: list[str]) -> None:
    url = liars["urls"][server]
    result = check("--url", url, *arguments)
    assert (result.code, result.wrong, result.err) == (0, [], "")
    assert result.out.splitlines()[0] == f"a URL alone: {url}"
    assert result.out.splitlines()[-1].endswith(" ok, 0 WRONG, 5 skipped")
    assert "skipped  digest: " + DIGEST in result.out
    assert users_left(url) == []


@pytest.mark.parametrize(
    ("lie", "wrong"),
    [
        ("html_errors", f"GET /nowhere: 404, {NOT_THE_APPS}"),
        ("html_errors", f"routes of /followers/{{user_id}}: 404, {NOT_THE_APPS}"),
        ("throttled", f"GET /health/ready: 429 instead of 200: {FRONT_DOORS}"),
        ("no_etag", "GET /followers/ada: 200, lacks the header ETag"),
        ("stale_cache", "cache after a write: /cached-users/cache has the name Ada instead of Grace"),
        ("cache_in_vain", "cache after a write: no hit in 5 reads but momento; fwd=miss; detail=timeout"),
        ("cors", "CORS: a page of https://check.invalid gets access-control-allow-origin: *"),
        ("same_request_id", "X-Request-Id: '1' instead of the client's 'request'"),
        ("unconditional", "conditional GET and HEAD: 200 instead of 304"),
        ("lost_updates", "versions of a user: 200 instead of 412"),
        ("endless", "too long a header: 200 instead of 431"),
        ("same_page", "pages of users, with ours: two pages of one user are cache, cache"),
        ("another_type", "versions of a user: 201, not as in openapi.json: $.followers: '' is not of type 'array'"),
        ("sniffable", "pictures: /profile-pic has x-content-type-options: None instead of nosniff"),
        ("careless", "POST /users {not json: 201 instead of 400"),
        ("deaf", "DELETE /users/ada: 204 instead of 404"),
    ],
)
def test_a_lie_is_found_and_named(liars: dict[str, Any], check: Check, lie: str, wrong: str) -> None:
    result = check("--url", liars["urls"][lie], "--write")
    assert result.code == 1
    assert wrong in result.wrong, result.out


def test_a_cache_that_does_not_answer_is_found_by_reads(liars: dict[str, Any], check: Check) -> None:
    url = liars["urls"]["cache_in_vain"]
    httpx.post(f"{url}/users", json={"id": "mine", "name": "Ada"}).raise_for_status()
    assert check("--url", url).wrong == ["cached reads: no hit in 5 reads but momento; fwd=miss; detail=timeout"]


def test_a_stack_knows_its_digests(liars: dict[str, Any], check: Check, outputs: Callable[..., None]) -> None:
    other = "sha256:" + "2" * 64
    outputs({"url": liars["urls"]["truth"], "artifactDigest": DIGEST, "stableDigest": DIGEST})
    assert f"ok       digest: {DIGEST} in 20 of 20 answers\n" in check("--stack", "aws").out
    outputs({"url": liars["urls"]["truth"], "artifactDigest": other, "stableDigest": DIGEST})
    assert f"ok       digest: {DIGEST} in 20 of 20 answers, during a rollout\n" in check("--stack", "aws").out
    outputs({"url": liars["urls"]["another_digest"], "artifactDigest": DIGEST, "stableDigest": DIGEST})
    result = check("--stack", "aws")
    assert result.code == 1
    assert result.wrong == [f"digest: {other} in 20 of 20 answers; the stack has {DIGEST}"]


def test_a_stack_that_does_not_serve_the_api(liars: dict[str, Any], check: Check, outputs: Callable[..., None]) -> None:
    url = liars["urls"]["hidden"]
    outputs({"url": url, "artifactDigest": DIGEST, "stableDigest": DIGEST})
    result = check("--stack", "gcp")
    assert result.code == 1
    fault = f"the API is not there: GET {url}/openapi.json: 403, <html>Forbidden</html>"
    assert result.wrong == [f"openapi.json: {fault}"]


def test_what_cannot_be_removed_is_named(liars: dict[str, Any], check: Check) -> None:
    url = liars["urls"]["keeping"]
    result = check("--url", url, "--write")
    assert result.code == 1
    fault = "503, the front door sent no problem details (RFC 9457): Service Unavailable"
    assert result.wrong == [f"removal of cache: {fault}"]
    [left] = users_left(url)
    assert result.err == f"may still be there: {left}\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_no_users(liars: dict[str, Any], number: signal.Signals) -> None:
    url = liars["urls"]["stuck"]
    command = [sys.executable, "-m", "ops", "check", "--url", url, "--write"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        next(line for line in process.stdout if "-grace" in line and line.endswith(": 201\n"))
        assert len(users_left(url)) == 2
        os.kill(process.pid, number)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (130, "interrupted\n"), out
    assert users_left(url) == []


def test_a_reader_that_goes_away_leaves_no_users(liars: dict[str, Any]) -> None:
    url = liars["urls"]["truth"]
    command = [sys.executable, "-m", "ops", "check", "--url", url, "--write"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        next(line for line in process.stdout if "-grace" in line and line.endswith(": 201\n"))
        process.stdout.close()
        assert process.stderr
        assert process.stderr.read() == ""
    assert process.returncode == 0
    assert users_left(url) == []


def test_an_interrupt_that_gets_lost_ends_the_check_all_the_same(
    liars: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose() -> str:
        with suppress(KeyboardInterrupt):
            __main__.interrupt(signal.SIGINT, None)
        return "lost"

    def never() -> str:
        raise AssertionError("the check went on")

    monkeypatch.setattr(__main__, "interrupted", event := threading.Event())
    monkeypatch.setattr("ops.check.interrupted", event)

    def checks(deployment: Deployment) -> list[tuple[str, Callable[[], str]]]:
        return [("a", lose), ("b", never)]

    monkeypatch.setattr("ops.reads.checks", checks)
    with pytest.raises(KeyboardInterrupt):
        ops_check.check(Target.of_url(liars["urls"]["truth"]), write=False)


def test_reads_change_nothing(liars: dict[str, Any], check: Check) -> None:
    """Other users are read and stay unchanged."""
    url = liars["urls"]["truth"]
    with httpx.Client(base_url=url) as client:
        for user_id in ("mine", "yours"):
            client.post("/users", json={"id": user_id, "name": user_id}).raise_for_status()
        before = client.get("/users").text, client.get("/users/mine").headers["etag"]
        result = check("--url", url)
        assert (result.code, result.wrong) == (0, [])
        assert "ok       pages of users: the second continues after the first\n" in result.out
        assert "ok       cached reads: momento; hit\n" in result.out
        assert check("--url", url, "--write").code == 0
        assert before == (client.get("/users").text, client.get("/users/mine").headers["etag"])
        for user_id in ("mine", "yours"):
            changed = {"id": user_id, "name": "New"}
            client.put(f"/users/{user_id}", json=changed, headers={"if-match": "*"}).raise_for_status()
        assert "skipped  cached reads: momento; fwd=uri-miss: the user was just written" in check("--url", url).out
        for user_id in ("mine", "yours"):
            client.delete(f"/users/{user_id}").raise_for_status()


def test_without_a_token_only_reads(liars: dict[str, Any], check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    url = liars["urls"]["asks_for_tokens"]
    monkeypatch.setenv("TOKEN", "is not sent")
    result = check("--url", url)
    assert (result.code, result.wrong) == (0, [])
    assert "ok       POST /users {not json: 401\n" in result.out
    assert "ok       callers without a token: 401\n" in result.out


def test_an_admins_token_may_write(liars: dict[str, Any], check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    url, token = liars["urls"]["asks_for_tokens"], liars["tokens"]["admin"]
    monkeypatch.setenv("TOKEN", token)
    result = check("--url", url, "--write")
    assert (result.code, result.wrong) == (0, [])
    assert "ok       POST /users {not json: 400\n" in result.out
    assert "ok       callers without a token: 401\n" in result.out
    assert token not in result.out
    assert users_left(url) == []


def test_a_door_that_is_open(liars: dict[str, Any], check: Check) -> None:
    result = check("--url", liars["urls"]["open_door"])
    assert result.code == 1
    assert "callers without a token: 415 instead of 401: The body must be application/json." in result.wrong


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (httpx.ConnectError("refused"), "no answer"),
        (
            httpx.Response(302, headers={"location": "https://a.example/health/live"}),
            "302 https://a.example/health/live",
        ),
        (httpx.Response(403, text="Forbidden"), "403"),
        (httpx.Response(200, text="ok"), "200 at http://a.example/health/live: ok"),
        (httpx.Response(302, headers={"location": "http://b.example"}), "302 at http://a.example/health/live: nothing"),
    ],
)
def test_plain_http(monkeypatch: pytest.MonkeyPatch, answer: httpx.Response | Exception, seen: str) -> None:
    def get(url: str, timeout: float) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        answer.request = httpx.Request("GET", url)
        return answer

    monkeypatch.setattr(httpx, "get", get)
    contract = Contract({"info": {"title": "Better Together"}, "paths": {}, "components": {}})
    with httpx.Client() as client:
        deployment = Deployment(Target("a URL", "https://a.example"), client, contract, "")
        if " at " in seen:
            with pytest.raises(Wrong, match=f"^{seen}$"):
                reads.plain_http(deployment)
        else:
            assert reads.plain_http(deployment) == seen
