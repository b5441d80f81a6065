"""Who may do what when there is an issuer: real tokens and a real issuer, through WSGI and Lambda's events."""

import base64
import hashlib
import hmac
import io
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

from app.auth import Caller, InvalidToken, IssuerUnavailable, TokenMissing
from app.auth.bearer import BearerAuthenticator
from app.auth.keys import DEFAULT_LIFETIME, PAUSE, STALE, IssuerError, SigningKeys, fetch_keys
from app.bootstrap import assemble
from app.cache.none import NoCache
from app.data.memory import MemoryDataClient
from app.metrics import Metrics
from app.settings import AuthSettings, Settings
from local.cloud.issuer import AUDIENCE, Issuer
from tests.app.clients import NewClient
from tests.app.test_routes import PNG, problem

RSA = rsa.generate_private_key(65537, 2048)
STRANGER = rsa.generate_private_key(65537, 2048)
ED25519 = ed25519.Ed25519PrivateKey.generate()
PUBLIC_PEM = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


class WatchedIssuer(Issuer):
    """Counts how often its keys are fetched, has more keys, can be out of order, and holds requests unless `let_go`."""

    def __init__(self) -> None:
        super().__init__()
        self.fetches = 0
        self.broken = False
        self.held = threading.Event()
        self.let_go = threading.Event()
        self.let_go.set()
        self.configuration: dict[str, str] = {}
        rsa_key = RSAAlgorithm.to_jwk(RSA.public_key(), as_dict=True)
        self.more: list[dict[str, Any]] = [
            rsa_key | {"kid": "rsa", "alg": "RS256"},
            rsa_key | {"kid": "encryption", "use": "enc"},
            OKPAlgorithm.to_jwk(ED25519.public_key(), as_dict=True) | {"kid": "ed25519"},
            {"kty": "oct", "kid": "shared", "alg": "HS256", "k": base64.urlsafe_b64encode(b"s" * 32).decode()},
            {"kty": "nonsense", "kid": "nonsense"},
            {"kty": "oct", "kid": "without a key"},
            {"kty": "RSA", "kid": "without an algorithm", "alg": "none"},
            rsa_key | {"kid": "several algorithms", "alg": ["RS256"]},
            rsa_key | {"kid": ["several", "ids"]},
        ]

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        self.held.set()
        self.let_go.wait()
        if self.broken:
            return 500, {}
        status, answer = super().answer(method, path, body)
        if path == "/jwks":
            self.fetches += 1
            return status, {"keys": [*answer["keys"], *self.more]}
        return status, answer | self.configuration if "issuer" in answer else answer

    def claims(self, **changed: object) -> dict[str, object]:
        """Those of a good token; None takes a claim away."""
        claims = {"iss": self.url, "aud": AUDIENCE, "sub": "1", "exp": time.time() + 600} | changed
        return {name: value for name, value in claims.items() if value is not None}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def issuer() -> Generator[WatchedIssuer]:
    with WatchedIssuer() as issuer:
        yield issuer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def authenticator(issuer: WatchedIssuer, clock: Clock, metrics: Metrics) -> BearerAuthenticator:
    return BearerAuthenticator(AuthSettings(issuer.url, AUDIENCE), SigningKeys(issuer.url, metrics, clock))


def ask(authenticator: BearerAuthenticator, token: str) -> Caller:
    return authenticator.caller({"Authorization": f"Bearer {token}"})


def refused(authenticator: BearerAuthenticator, token: str) -> str:
    with pytest.raises(InvalidToken) as error:
        ask(authenticator, token)
    return str(error.value)


def sign(claims: dict[str, object], key: Any = RSA, alg: str = "RS256", kid: str | None = "rsa") -> str:
    return jwt.encode(claims, key, alg, {"kid": kid} if kid else None)


def forge(header: dict[str, object], claims: dict[str, object], signature: bytes = b"") -> str:
    parts = json.dumps(header).encode(), json.dumps(claims).encode(), signature
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


class TestTokens:
    def test_a_good_token(self, authenticator: BearerAuthenticator, issuer: WatchedIssuer) -> None:
        assert ask(authenticator, issuer.token("1")) == Caller("1", admin=False)
        assert authenticator.caller({"Authorization": f"bearer  {issuer.token('2')}"}) == Caller("2", admin=False)

    @pytest.mark.parametrize(
        ("key", "alg", "kid"), [(RSA, "RS256", "rsa"), (ED25519, "EdDSA", "ed25519")], ids=["rsa", "ed25519"]
    )
    def test_each_kind_of_key(
        self, authenticator: BearerAuthenticator, issuer: WatchedIssuer, key: Any, alg: str, kid: str
    ) -> None:
        assert ask(authenticator, sign(issuer.claims(), key, alg, kid)).user_id == "1"

    @pytest.mark.parametrize(
        ("scopes", "admin"),
        [("a users:admin b", True), (["a", "users:admin"], True)]
        + [
            (scopes, False)
            for scopes in ("users:administrator", ["users:administrator"], [["users:admin"]], 1, {"users:admin": 1})
        ],
    )
    @pytest.mark.parametrize("claim", ["scope", "scp"])
    def test_the_scope_makes_an_admin(
        self, authenticator: BearerAuthenticator, issuer: WatchedIssuer, claim: str, scopes: object, admin: bool
    ) -> None:
        assert ask(authenticator, sign(issuer.claims(**{claim: scopes}))) == Caller("1", admin)

    @pytest.mark.parametrize("sub", ["abc@clients", "auth0|1", "../1", "", "1\n", "\udcff"], ids=ascii)
    @pytest.mark.parametrize("admin", [True, False])
    def test_a_machine_is_no_user(
        self, authenticator: BearerAuthenticator, issuer: WatchedIssuer, sub: str, admin: bool
    ) -> None:
        scope = "users:admin" if admin else None
        assert ask(authenticator, sign(issuer.claims(sub=sub, scope=scope))) == Caller(None, admin)

    @pytest.mark.parametrize(
        "token",
        ["\udcff", "e30.e30.\udcff", "\xff.\xff.\xff", f"{base64.urlsafe_b64encode(b'[' * 100_000).decode()}.e30.e30"],
        ids=["surrogate", "surrogate signature", "bytes", "nesting"],
    )
    def test_what_is_no_jwt_at_all(self, authenticator: BearerAuthenticator, token: str) -> None:
        assert refused(authenticator, token) == "The token is malformed."

    @pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic YTpi"}, {"Authorization": ""}])
    def test_no_token(self, authenticator: BearerAuthenticator, headers: dict[str, str]) -> None:
        with pytest.raises(TokenMissing):
            authenticator.caller(headers)

    @pytest.mark.parametrize(
        ("changed", "reason"),
        [
            ({"exp": 1}, "The token has expired."),
            ({"exp": time.time() - 60}, "The token has expired."),
            ({"nbf": time.time() + 3600}, "The token is not valid yet."),
            ({"iss": "https://example.com"}, "The token is from another issuer."),
            ({"aud": "another"}, "The token is for another audience."),
            ({"aud": ["another", "third"]}, "The token is for another audience."),
            ({"iss": None}, "The token must have iss, aud, exp and sub."),
            ({"aud": None}, "The token must have iss, aud, exp and sub."),
            ({"exp": None}, "The token must have iss, aud, exp and sub."),
            ({"sub": None}, "The token must have iss, aud, exp and sub."),
            ({"sub": 1}, "The token is malformed."),
            ({"exp": "soon"}, "The token is malformed."),
        ],
    )
    def test_bad_claims(
        self, authenticator: BearerAuthenticator, issuer: WatchedIssuer, changed: dict[str, object], reason: str
    ) -> None:
        assert refused(authenticator, sign(issuer.claims(**changed))) == reason

    def test_clocks_may_differ_a_little(self, authenticator: BearerAuthenticator, issuer: WatchedIssuer) -> None:
        assert ask(authenticator, sign(issuer.claims(exp=time.time() - 5, nbf=time.time() + 20))).user_id == "1"

    def test_none_is_no_algorithm(self, authenticator: BearerAuthenticator, issuer: WatchedIssuer) -> None:
        for alg in ("none", "None", ""):
            token = forge({"alg": alg, "kid": "rsa"}, issuer.claims())
            assert "algorithm" in refused(authenticator, token)

    def test_the_public_key_is_no_shared_secret(
        self, authenticator: BearerAuthenticator, issuer: WatchedIssuer
    ) -> None:
        unsigned = forge({"alg": "HS256", "kid": "rsa"}, issuer.claims()).rstrip(".")
        mac = base64.urlsafe_b64encode(hmac.digest(PUBLIC_PEM, unsigned.encode(), hashlib.sha256)).decode().rstrip("=")
        assert "algorithm" in refused(authenticator, f"{unsigned}.{mac}")

    @pytest.mark.parametrize("kid", ["unknown", "shared", "encryption", "nonsense", None])
    def test_keys_that_do_not_count(
        self, authenticator: BearerAuthenticator, issuer: WatchedIssuer, kid: str | None
    ) -> None:
        token = sign(issuer.claims(), b"s" * 32, "HS256", kid) if kid == "shared" else sign(issuer.claims(), kid=kid)
        assert refused(authenticator, token) == "The token is not signed with a key of the issuer."

    def test_another_ones_key_under_a_known_kid(
        self, authenticator: BearerAuthenticator, issuer: WatchedIssuer
    ) -> None:
        assert refused(authenticator, sign(issuer.claims(), STRANGER)) == "The token's signature is wrong."
        embedded = RSAAlgorithm.to_jwk(STRANGER.public_key(), as_dict=True)
        token = jwt.encode(issuer.claims(), STRANGER, "RS256", {"kid": "rsa", "jwk": embedded})
        assert refused(authenticator, token) == "The token's signature is wrong."

    def test_another_algorithm_of_the_same_key(self, authenticator: BearerAuthenticator, issuer: WatchedIssuer) -> None:
        assert "algorithm" in refused(authenticator, sign(issuer.claims(), alg="PS256"))

    @pytest.mark.fuzz
    def test_any_text_is_refused(
        self, authenticator: BearerAuthenticator, issuer: WatchedIssuer, tally: Counter[str]
    ) -> None:
        good = sign(issuer.claims())

        @given(st.text(st.characters()) | st.integers(0, len(good) - 1).map(lambda i: good[:i]))
        def check(token: str) -> None:
            reason = refused(authenticator, token)
            tally["tokens refused"] += 1
            assert reason.isascii()
            assert '"' not in reason
            assert "\\" not in reason

        check()


class TestKeys:
    def test_are_fetched_once_for_their_lifetime(
        self, authenticator: BearerAuthenticator, issuer: WatchedIssuer, clock: Clock
    ) -> None:
        for _ in range(3):
            ask(authenticator, issuer.token("1"))
        assert issuer.fetches == 1
        clock.now += DEFAULT_LIFETIME
        ask(authenticator, issuer.token("1"))
        assert issuer.fetches == 2

    def test_a_key_that_was_taken_away_stops_counting(
        self, authenticator: BearerAuthenticator, issuer: WatchedIssuer, clock: Clock
    ) -> None:
        token = sign(issuer.claims())
        ask(authenticator, token)
        issuer.more.clear()
        clock.now += DEFAULT_LIFETIME
        assert "key of the issuer" in refused(authenticator, token)

    def test_a_new_key_is_fetched_when_a_token_names_it(
        self, authenticator: BearerAuthenticator, issuer: WatchedIssuer, clock: Clock
    ) -> None:
        old = issuer.token("1")
        ask(authenticator, old)
        issuer.rotate()
        clock.now += PAUSE
        assert ask(authenticator, issuer.token("1")) == ask(authenticator, old)
        assert issuer.fetches == 2

    def test_unknown_kids_do_not_flood_the_issuer(
        self, authenticator: BearerAuthenticator, issuer: WatchedIssuer, clock: Clock
    ) -> None:
        for i in range(20):
            refused(authenticator, sign(issuer.claims(), kid=f"random{i}"))
        assert issuer.fetches == 1
        clock.now += PAUSE
        for i in range(20):
            refused(authenticator, sign(issuer.claims(), kid=f"more{i}"))
        assert issuer.fetches == 2

    def test_known_keys_outlive_an_issuer_that_is_down(
        self, authenticator: BearerAuthenticator, issuer: WatchedIssuer, clock: Clock, log: io.StringIO
    ) -> None:
        token = sign(issuer.claims())
        ask(authenticator, token)
        issuer.broken = True
        clock.now += STALE - 1
        assert ask(authenticator, token).user_id == "1"
        assert "answers 500" in json.loads(log.getvalue())["message"]
        with pytest.raises(IssuerUnavailable):
            ask(authenticator, sign(issuer.claims(), kid="new"))
        clock.now += 1
        with pytest.raises(IssuerUnavailable):
            ask(authenticator, token)
        issuer.broken = False
        clock.now += PAUSE
        assert ask(authenticator, token).user_id == "1"

    def test_an_issuer_that_was_never_there(self, issuer: WatchedIssuer, metrics: Metrics, clock: Clock) -> None:
        with WatchedIssuer() as gone:
            pass
        authenticator = BearerAuthenticator(AuthSettings(gone.url, AUDIENCE), SigningKeys(gone.url, metrics, clock))
        with pytest.raises(IssuerUnavailable):
            ask(authenticator, gone.token("1"))

    def test_the_first_requests_of_a_process_wait_for_one_fetch(
        self, authenticator: BearerAuthenticator, issuer: WatchedIssuer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.auth.keys.COLD_WAIT", 30)  # however busy the machine is
        start, token = threading.Barrier(8), issuer.token("1")

        def first(_: int) -> Caller:
            start.wait()
            return ask(authenticator, token)

        with ThreadPoolExecutor(8) as threads:
            assert list(threads.map(first, range(8))) == [Caller("1", admin=False)] * 8
        assert issuer.fetches == 1

    @pytest.mark.parametrize("known", [True, False], ids=["later", "at first"])
    def test_a_slow_issuer_keeps_one_thread_waiting(
        self,
        authenticator: BearerAuthenticator,
        issuer: WatchedIssuer,
        clock: Clock,
        monkeypatch: pytest.MonkeyPatch,
        known: bool,
    ) -> None:
        monkeypatch.setattr("app.auth.keys.COLD_WAIT", 0.01)
        monkeypatch.setattr("app.auth.keys.TIMEOUT", 30)
        good = issuer.token("1")
        if known:
            ask(authenticator, good)
            clock.now += PAUSE
        issuer.held.clear()
        issuer.let_go.clear()
        with ThreadPoolExecutor(1) as threads:
            try:
                slow = threads.submit(refused, authenticator, sign(issuer.claims(), kid="new"))
                issuer.held.wait()
                issuer.held.clear()
                for kid in ("new", "other"):
                    with pytest.raises(IssuerUnavailable):
                        ask(authenticator, sign(issuer.claims(), kid=kid))
                if known:
                    assert ask(authenticator, good).user_id == "1"
                assert not issuer.held.is_set()
                assert not slow.done()
            finally:
                issuer.let_go.set()
            assert slow.result() == "The token is not signed with a key of the issuer."

    def test_an_answer_that_drips_is_given_up(self) -> None:
        def drip() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
                while not over.wait(0.01):
                    connection.sendall(b" ")

        over = threading.Event()
        with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as threads:
            threads.submit(drip)
            try:
                with pytest.raises(IssuerError, match="does not end its answer"):
                    fetch_keys(f"http://127.0.0.1:{server.getsockname()[1]}")
            finally:
                over.set()

    @pytest.mark.parametrize(
        "configuration",
        [
            {"issuer": "https://example.com"},
            {"jwks_uri": "http://0.0.0.0:PORT/jwks"},
            {"jwks_uri": "file:///etc/passwd"},
            {"jwks_uri": ""},
        ],
    )
    def test_a_configuration_that_is_not_to_be_believed(
        self, authenticator: BearerAuthenticator, issuer: WatchedIssuer, configuration: dict[str, str]
    ) -> None:
        port = issuer.url.rpartition(":")[2]
        issuer.configuration = {name: value.replace("PORT", port) for name, value in configuration.items()}
        with pytest.raises(IssuerUnavailable):
            ask(authenticator, issuer.token("1"))
        assert issuer.fetches == 0


@pytest.fixture
def guarded(
    new_client: NewClient, issuer: WatchedIssuer, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> Generator[httpx.Client]:
    """A client of an app with an issuer. User 1 has follower 2 and a picture."""
    monkeypatch.setattr("app.auth.keys.TIMEOUT", 30)  # however busy the machine is
    settings = Settings(demo=True, auth=AuthSettings(issuer.url, AUDIENCE))
    with new_client(assemble(settings, metrics, MemoryDataClient(), NoCache())) as client:
        user = {"id": "1", "name": "Ann", "followers": ["2"], "profile_pic": base64.b64encode(PNG).decode()}
        assert client.post("/users", json=user, headers=as_user(issuer, "1")).status_code == 201
        yield client


def as_user(issuer: Issuer, user_id: str, scope: str = "") -> dict[str, str]:
    return {"Authorization": f"Bearer {issuer.token(user_id, scope)}"}


ANN = {"id": "1", "name": "Ann again"}
MATCH = {"If-Match": "*"}
WRITES = [("POST", "/users", ANN), ("PUT", "/users/1", ANN), ("DELETE", "/users/1", None), ("POST", "/bootstrap", None)]
PICTURES = [("GET", "/profile-pic/1", None), ("GET", "/cached-profile-pic/1", None)]


@pytest.mark.parametrize(("method", "path", "body"), WRITES + PICTURES)
class TestNobody:
    def test_is_asked_who_it_is(self, guarded: httpx.Client, method: str, path: str, body: object) -> None:
        answer = guarded.request(method, path, json=body, headers={"X-User-Id": "1"})
        problem(answer, 401)
        assert answer.headers["www-authenticate"] == 'Bearer realm="better-together"'
        assert guarded.get("/users/1").json()["name"] == "Ann"

    def test_is_told_what_is_wrong_with_a_token(
        self, guarded: httpx.Client, issuer: WatchedIssuer, method: str, path: str, body: object
    ) -> None:
        token = sign(issuer.claims(exp=1))
        answer = guarded.request(method, path, json=body, headers={"Authorization": f"Bearer {token}"})
        assert problem(answer, 401) == "The token has expired."
        assert answer.headers["www-authenticate"] == (
            'Bearer realm="better-together", error="invalid_token", error_description="The token has expired."'
        )

    def test_is_asked_to_come_back_while_the_issuer_is_down(
        self, new_client: NewClient, issuer: WatchedIssuer, metrics: Metrics, method: str, path: str, body: object
    ) -> None:
        issuer.broken = True
        settings = Settings(demo=True, auth=AuthSettings(issuer.url, AUDIENCE))
        with new_client(assemble(settings, metrics, MemoryDataClient(), NoCache())) as client:
            answer = client.request(method, path, json=body, headers=as_user(issuer, "1"))
        problem(answer, 503)
        assert answer.headers["retry-after"] == str(PAUSE)


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_another_user_may_not_write(
    guarded: httpx.Client, issuer: WatchedIssuer, method: str, path: str, body: object
) -> None:
    answer = guarded.request(method, path, json=body, headers=as_user(issuer, "2") | MATCH)
    problem(answer, 403)
    assert 'error="insufficient_scope", scope="users:admin"' in answer.headers["www-authenticate"]
    assert guarded.get("/users/1").json()["name"] == "Ann"


@pytest.mark.parametrize(("user_id", "scope"), [("1", ""), ("admin", "users:admin")], ids=["user", "admin"])
def test_the_user_and_an_admin_may_write(
    guarded: httpx.Client, issuer: WatchedIssuer, user_id: str, scope: str
) -> None:
    headers = as_user(issuer, user_id, scope)
    assert guarded.put("/users/1", json=ANN, headers=headers | MATCH).status_code == 200
    assert guarded.delete("/users/1", headers=headers).status_code == 204
    assert guarded.post("/users", json=ANN, headers=headers).status_code == 201
    bootstrapped = guarded.post("/bootstrap", headers=headers)
    assert bootstrapped.status_code == (201 if scope else 403)


@pytest.mark.parametrize("scope", ["", "users:admin"], ids=["machine", "admin"])
def test_a_machine_may_write_only_as_an_admin(guarded: httpx.Client, issuer: WatchedIssuer, scope: str) -> None:
    headers = as_user(issuer, "abc@clients", scope)
    for path in [path for _, path, _ in PICTURES]:
        problem(guarded.get(path, headers=headers), 403)
    if scope:
        assert guarded.put("/users/1", json=ANN, headers=headers | MATCH).status_code == 200
        assert guarded.delete("/users/1", headers=headers).status_code == 204
    else:
        for method, path, body in [*WRITES, ("DELETE", "/users/abc@clients", None)]:
            problem(guarded.request(method, path, json=body, headers=headers | MATCH), 403)


@pytest.mark.parametrize("path", [path for _, path, _ in PICTURES])
def test_pictures_are_for_the_user_and_followers(guarded: httpx.Client, issuer: WatchedIssuer, path: str) -> None:
    for user_id in ("1", "2"):
        assert guarded.get(path, headers=as_user(issuer, user_id)).content == PNG
    problem(guarded.get(path, headers=as_user(issuer, "3") | {"X-User-Id": "1"}), 403)


@pytest.mark.parametrize(
    "path", ["/users", "/users/1", "/cached-users/1", "/followers/1", "/cached-followers/1", "/health/ready"]
)
def test_reads_need_no_token_and_no_issuer(guarded: httpx.Client, issuer: WatchedIssuer, path: str) -> None:
    issuer.broken = True
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        assert guarded.get(path, headers=headers).status_code == 200
