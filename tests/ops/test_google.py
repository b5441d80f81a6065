"""Application default credentials, of a service account whose tokens a server of ours gives out."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ops import google
from ops.stack import UsageError
from tests.ops.cloud import Cloud


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Cloud]:
    """Gives out tokens for the default credentials."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encoding, no_password = serialization.Encoding.PEM, serialization.NoEncryption()
    pem = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, no_password).decode()
    file = tmp_path / "account.json"
    with closing(Cloud()) as cloud:
        account = {"type": "service_account", "client_email": "a@p.iam.gserviceaccount.com", "private_key": pem}
        file.write_text(json.dumps(account | {"token_uri": cloud.url}))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
        monkeypatch.delenv("GOOGLE_CLOUD_QUOTA_PROJECT", raising=False)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        cloud.answer = lambda asked: (200, {"access_token": f"t{len(cloud.asked)}", "expires_in": 3600})
        yield cloud


def sent(cloud: Cloud, count: int = 1) -> list[httpx.Headers]:
    """The headers of so many requests to a stack with an account."""
    seen: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "logging.googleapis.com"
        seen.append(request.headers)
        return httpx.Response(200)

    stack = replace(cloud.stack("gcp"), laptop=None)
    with google.errors(stack), google.client(stack, "logging") as client:
        transport = httpx.MockTransport(answer)
        probe = httpx.Client(base_url=client.base_url, auth=client.auth, transport=transport)
        for _ in range(count):
            google.ask(probe, "POST", "/v2/entries:list", {})
    return seen


def test_a_token_is_fetched_once_and_sent(tokens: Cloud) -> None:
    assert [headers["authorization"] for headers in sent(tokens, 2)] == ["Bearer t1", "Bearer t1"]
    assert "x-goog-user-project" not in sent(tokens)[0]


def test_the_quota_project_of_the_credentials_is_sent(tokens: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "q")
    [headers] = sent(tokens)
    assert headers["x-goog-user-project"] == "q"


def test_credentials_that_are_refused(tokens: Cloud) -> None:
    tokens.answer = lambda asked: (400, {"error": "invalid_grant", "error_description": "expired"})
    with pytest.raises(
        UsageError,
        match=r"^stack gcp of `pulumi stack output`, project p: invalid_grant: expired: log in with `gcloud auth ",
    ):
        sent(tokens)


def test_no_credentials(tokens: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere")
    with pytest.raises(
        UsageError, match=r"^stack gcp of `pulumi stack output`, project p: .*/nowhere.*: log in with `gcloud auth "
    ):
        sent(tokens)
