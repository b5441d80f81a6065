"""A mistake in the command is one line and exit code 2."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from ops.archive import download
from ops.contract import Contract
from ops.deployment import Deployment
from ops.stack import Stack, UsageError
from ops.target import Target
from tests.ops.conftest import DIGEST, ROOT, Check

OUTPUTS = {"url": "http://127.0.0.1:1", "artifactDigest": DIGEST, "stableDigest": DIGEST}


def test_neither_or_both(check: Check) -> None:
    for arguments in ([], ["--stack", "aws", "--url", "https://a.example"]):
        result = check(*arguments)
        assert (result.code, result.out) == (2, "")
        assert result.err == "name a stack or a URL: make check STACK=aws, or make check URL=https://...\n"


BAD_URLS = [
    *(
        "a.example",
        "ftp://a.example",
        "https://",
        "https://a.example/users",
        "https://a?b",
        "https://a?",
        "https://a#b",
    ),
    *("http://[::1", "http://localhost:abc", "http://a..b", f"https://{'a' * 64}.example"),
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_a_url_that_is_none(check: Check, url: str) -> None:
    result = check("--url", url)
    assert (result.code, result.out) == (2, "")
    assert result.err == f"URL={url} must be https://host or http://host:port, without a path or query\n"


def test_a_password_in_a_url_is_not_printed(check: Check) -> None:
    result = check("--url", "https://ada:hunter2@a.example")
    assert result.code == 2
    assert "hunter2" not in result.out + result.err


def test_nobody_is_there(check: Check) -> None:
    result = check("--url", "http://127.0.0.1:1")
    assert result.code == 2
    assert result.err.startswith("http://127.0.0.1:1 cannot be reached: ")
    assert result.err.count("\n") == 1


def test_another_api(liars: dict[str, Any], check: Check) -> None:
    url = liars["urls"]["hidden"]
    result = check("--url", url)
    assert result.code == 2
    assert result.err == f"the API is not there: GET {url}/openapi.json: 403, <html>Forbidden</html>\n"


def test_there_is_no_pulumi(check: Check, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = check("--stack", "aws")
    assert (result.code, result.out) == (2, "")
    how = "install it (https://www.pulumi.com/docs/iac/download-install/)"
    assert result.err == f"stack aws: `pulumi` is not on PATH: {how}\n"


@pytest.mark.parametrize(("on_laptop", "where"), [(False, ":"), (True, " is not on the local clouds, and")])
def test_the_stack_is_unknown(
    check: Check, outputs: Callable[..., None], tmp_path: Path, on_laptop: bool, where: str
) -> None:
    outputs(error="error: no stack named aws found")
    if on_laptop:
        (tmp_path / "home").mkdir()
    result = check("--stack", "aws")
    assert (result.code, result.out) == (2, "")
    assert result.err == f"stack aws{where} pulumi says: no stack named aws found\n"
    assert "--non-interactive" in (tmp_path / "arguments").read_text()


def test_the_stack_has_no_outputs_yet(check: Check, outputs: Callable[..., None]) -> None:
    outputs({})
    result = check("--stack", "aws")
    assert (result.code, result.out) == (2, "")
    where = "stack aws of `pulumi stack output`"
    assert result.err == f"{where} has no output 'artifactDigest' yet: bring it up first\n"


@pytest.mark.parametrize("printed", ["", "{", "[]"])
def test_outputs_that_are_no_json(check: Check, outputs: Callable[..., None], tmp_path: Path, printed: str) -> None:
    outputs({})
    (tmp_path / "pulumi").write_text(f"#!/bin/sh\necho '{printed}'\n")
    result = check("--stack", "aws")
    assert (result.code, result.out) == (2, "")
    assert result.err == f"stack aws: `pulumi stack output` says no JSON object: {printed!r}\n"


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UsageError, match=f"^{file}/1{{64}}/app.zip cannot be written: Not a directory$"):
        download(Stack("aws", {"cloud": "aws"}), DIGEST, file)


def test_the_stack_is_asked_for_by_its_whole_name(check: Check, outputs: Callable[..., None], tmp_path: Path) -> None:
    outputs(OUTPUTS)
    result = check("--stack", "acme/better-together/aws")
    assert result.out == "stack acme/better-together/aws of `pulumi stack output`: http://127.0.0.1:1\n"
    asked = "stack output --json --stack acme/better-together/aws --non-interactive\n"
    assert (tmp_path / "arguments").read_text() == asked


def test_writes_need_a_token_that_counts(liars: dict[str, Any], check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    url, expired = liars["urls"]["asks_for_tokens"], liars["tokens"]["expired"]
    monkeypatch.delenv("TOKEN", raising=False)
    result = check("--url", url, "--write")
    assert result.code == 2
    assert result.err == "this API asks for tokens: WRITE=1 needs an admin's token in the environment variable TOKEN\n"
    monkeypatch.setenv("TOKEN", expired)
    result = check("--url", url, "--write")
    assert result.code == 2
    assert result.err == "TOKEN is refused: The token has expired.\n"
    for broken in ("geheim\n", "ge heim", "gehéim"):
        monkeypatch.setenv("TOKEN", broken)
        result = check("--url", url, "--write")
        assert (result.code, result.err) == (2, "TOKEN must be printable ASCII without blanks\n")
        assert "heim" not in result.out


@pytest.mark.parametrize("url", ["https://a.example", "http://127.0.0.1:8081", "http://a.example"])
def test_a_token_is_not_sent_in_plain_text(url: str) -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(415)

    paths: dict[str, Any] = {"/users": {"post": {"security": [{"token": []}]}}}
    contract = Contract({"info": {"title": "Better Together"}, "paths": paths, "components": {"securitySchemes": {}}})
    with httpx.Client(base_url=url, transport=httpx.MockTransport(answer)) as client:
        deployment = Deployment(Target("a URL", url), client, contract, "secret")
        if url == "http://a.example":
            with pytest.raises(UsageError, match=f"^TOKEN is only sent to https URLs, and this is {url}$"):
                deployment.must_accept_token()
            assert sent == []
        else:
            deployment.must_accept_token()
            assert [request.headers["authorization"] for request in sent] == ["Bearer secret"]


def test_ops_knows_neither_the_app_nor_the_stacks() -> None:
    imported: set[str] = set()
    for path in (ROOT / "ops").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").split(".")[0])
            elif isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
    assert imported.isdisjoint({"app", "stacks", "tests", "pulumi", "pulumi_aws", "pulumi_gcp"})
