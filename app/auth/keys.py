"""The public keys of an issuer, found by OpenID Connect Discovery 1.0, fetched on demand and cached.

However many tokens arrive, and whatever `kid` they name, one thread asks the issuer at most every PAUSE seconds. While
the issuer is down, the cached keys remain in use for STALE seconds.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import urllib3
from jwt import PyJWK, PyJWTError
from werkzeug.http import parse_cache_control_header

from app import deadline
from app.auth import IssuerUnavailable
from app.metrics import Metrics
from app.settings import is_safe_url

ALGORITHMS = ("RS256", "ES256", "EdDSA")
TIMEOUT = 1.5  # seconds until the response begins, and for each read of its body
LONGEST_FETCH = 3 * TIMEOUT
"""Seconds for two requests, and one read that begins just before their time is over."""
COLD_WAIT = 0.5
"""Seconds that other threads wait for the first fetch, since the first requests of a new process often arrive together.
A healthy issuer answers within that time. Nobody waits for later fetches: known keys stay in use, and a token with an
unknown key is hardly ever valid."""
MAX_BYTES = 1024 * 1024
DEFAULT_LIFETIME, MIN_LIFETIME, MAX_LIFETIME = 600.0, 60.0, 3600.0
"""Seconds for which keys are fresh: the issuer's max-age, within the limits."""
STALE = 24 * 3600.0
"""Seconds for which keys may be used when the issuer does not answer."""
PAUSE = 5
"""Seconds between two fetches."""


class IssuerError(Exception):
    """The issuer does not answer, or its answer is unusable; the message is one line."""


class SigningKeys:
    """Keys by `kid`. Thread-safe."""

    def __init__(self, issuer: str, metrics: Metrics, now: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._metrics = metrics
        self._now = now
        self._fetching = threading.Lock()
        self._keys: Mapping[str, PyJWK] = {}
        self._fresh_until = self._usable_until = self._next_try = float("-inf")
        self._reachable = False

    def find(self, kid: str) -> PyJWK | None:
        """The key, or None if the issuer has no such key. Raises IssuerUnavailable if that cannot be known now.

        One thread at a time fetches, for LONGEST_FETCH at most; the others use the cached keys.
        """
        key = self._known(kid)
        if (key is None or self._now() >= self._fresh_until) and self._now() >= self._next_try:
            wait = COLD_WAIT if self._now() >= self._usable_until else 0
            if deadline.left() >= LONGEST_FETCH and self._fetching.acquire(timeout=wait):
                try:
                    if self._now() >= self._next_try:
                        self._fetch()
                finally:
                    self._fetching.release()
                key = self._known(kid)
            elif key is None:
                raise IssuerUnavailable(PAUSE)
        if key is None and not self._reachable:
            raise IssuerUnavailable(PAUSE)
        return key

    def _known(self, kid: str) -> PyJWK | None:
        return self._keys.get(kid) if self._now() < self._usable_until else None

    def _fetch(self) -> None:
        try:
            self._keys, lifetime = fetch_keys(self._issuer)
            self._fresh_until, self._usable_until = self._now() + lifetime, self._now() + STALE
            self._reachable = True
        except IssuerError as error:
            self._metrics.log("ERROR", f"issuer unavailable: {error}")
            self._reachable = False
        finally:
            self._next_try = self._now() + PAUSE


class _Configuration(msgspec.Struct):
    issuer: str
    jwks_uri: str


class _KeySet(msgspec.Struct):
    keys: list[dict[str, Any]]


def fetch_keys(issuer: str) -> tuple[dict[str, PyJWK], float]:
    """The issuer's keys, and the seconds for which they are fresh. Raises IssuerError."""
    end = time.monotonic() + 2 * TIMEOUT
    with urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(total=TIMEOUT)) as http:
        configuration, _ = _get(http, issuer.rstrip("/") + "/.well-known/openid-configuration", _Configuration, end)
        if configuration.issuer != issuer:
            raise IssuerError(f"{issuer} calls itself {configuration.issuer!r}")
        if not is_safe_url(configuration.jwks_uri):
            raise IssuerError(f"{issuer} has its keys at {configuration.jwks_uri!r}, which is not https")
        key_set, lifetime = _get(http, configuration.jwks_uri, _KeySet, end)
    keys = {key.key_id: key for data in key_set.keys if (key := _usable(data)) and isinstance(key.key_id, str)}
    if not keys:
        raise IssuerError(f"{configuration.jwks_uri} has no key for {', '.join(ALGORITHMS)}")
    return keys, lifetime


def _get[T](http: urllib3.PoolManager, url: str, type: type[T], end: float) -> tuple[T, float]:
    try:
        response = http.request("GET", url, redirect=False, preload_content=False)
        with response:
            body = _read(response, url, end)
        if response.status != 200:
            raise IssuerError(f"{url} answers {response.status}")
        max_age = parse_cache_control_header(response.headers.get("Cache-Control")).max_age
        return msgspec.json.decode(body, type=type), _lifetime(max_age)
    except urllib3.exceptions.HTTPError as error:
        raise IssuerError(f"{url} does not answer: {error}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise IssuerError(f"{url} answers nonsense: {error}") from None


def _read(response: urllib3.BaseHTTPResponse, url: str, end: float) -> bytes:
    """The body. Raises IssuerError if it is too long or late: urllib3's timeout starts again with every read."""
    body = b""
    while chunk := response.read1(MAX_BYTES):
        body += chunk
        if len(body) > MAX_BYTES:
            raise IssuerError(f"{url} answers more than {MAX_BYTES} bytes")
        if time.monotonic() > end:
            raise IssuerError(f"{url} does not end its answer")
    return body


def _lifetime(max_age: int | None) -> float:
    return DEFAULT_LIFETIME if max_age is None else min(max(max_age, MIN_LIFETIME), MAX_LIFETIME)


def _usable(data: dict[str, Any]) -> PyJWK | None:
    """The key, if it verifies signatures of an asymmetric algorithm."""
    try:
        key = PyJWK(data)
    except (PyJWTError, LookupError, TypeError, ValueError, NotImplementedError):  # the others of malformed keys
        return None
    return key if key.algorithm_name in ALGORITHMS and key.public_key_use in (None, "sig") else None
