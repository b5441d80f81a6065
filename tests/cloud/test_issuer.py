"""The laptop's issuer, asked over HTTP as `make token` does."""

import io
from collections.abc import Generator

import httpx
import pytest

from app.auth import Caller, InvalidToken
from app.auth.bearer import BearerAuthenticator
from app.auth.keys import SigningKeys
from app.metrics import Metrics
from app.settings import AuthSettings
from local.cloud.issuer import AUDIENCE, Issuer


@pytest.fixture
def http() -> Generator[httpx.Client]:
    with Issuer() as issuer, httpx.Client(base_url=issuer.url) as client:
        yield client


def caller(http: httpx.Client, token: str) -> Caller:
    issuer = str(http.base_url).rstrip("/")
    keys = SigningKeys(issuer, Metrics(stream=io.StringIO()))
    return BearerAuthenticator(AuthSettings(issuer, AUDIENCE), keys).caller({"Authorization": f"Bearer {token}"})


def token(http: httpx.Client, **wanted: object) -> str:
    return http.post("/tokens", json=wanted).raise_for_status().json()["token"]


def test_a_token_is_good_before_and_after_a_rotation(http: httpx.Client) -> None:
    before = token(http, sub="1")
    http.post("/rotate").raise_for_status()
    after = token(http, sub="1", scope="users:admin")
    assert (caller(http, before), caller(http, after)) == (Caller("1", admin=False), Caller("1", admin=True))
    assert len(http.get("/jwks").json()["keys"]) == 2


@pytest.mark.parametrize("wanted", [{"sub": "1", "expiresIn": -60}, {"sub": "1", "aud": "another"}])
def test_a_bad_token_on_request(http: httpx.Client, wanted: dict[str, object]) -> None:
    with pytest.raises(InvalidToken):
        caller(http, token(http, **wanted))


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"sub": "1", "colour": "red"}'])
def test_a_wrong_request(http: httpx.Client, body: bytes) -> None:
    assert http.post("/tokens", content=body).status_code == 400


def test_only_public_halves_are_in_the_set(http: httpx.Client) -> None:
    [key] = http.get("/jwks").json()["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
