"""Clients of Google Cloud's REST APIs: with application default credentials, or of the laptop's Google Cloud.

https://cloud.google.com/docs/authentication/application-default-credentials
"""

import time
from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import google.auth
import httpx
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, RefreshError
from google.auth.transport.requests import Request

from ops.stack import Stack, UsageError, one_line

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
TIMEOUT = 60  # seconds
ATTEMPTS = 20  # of a request above a quota, of which that of reading logs is 60 a minute
PAUSE = 5.0  # seconds


class _Credentials(httpx.Auth):
    """Refreshes the access token when it is due. Adds the quota project of the credentials if they have one."""

    def __init__(self) -> None:
        self._credentials: Any = google.auth.default(scopes=[SCOPE])[0]  # pyright: ignore[reportUnknownMemberType]

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        headers: dict[str, str] = {}
        self._credentials.before_request(Request(), request.method, str(request.url), headers)
        request.headers.update(headers)
        yield request


def client(stack: Stack, service: str) -> httpx.Client:
    """A client of `service`.googleapis.com, to be closed. Raises what `errors` translates."""
    if stack.laptop:
        return httpx.Client(base_url=stack.laptop.google, timeout=TIMEOUT, trust_env=False)
    return httpx.Client(base_url=f"https://{service}.googleapis.com", timeout=TIMEOUT, auth=_Credentials())


def ask(client: httpx.Client, method: str, path: str, json: Any = None) -> httpx.Response:
    """The answer to a request that changes nothing, and is repeated above a quota. Raises what `errors` translates."""
    for _ in range(ATTEMPTS - 1):
        answer = client.request(method, path, json=json)
        if answer.status_code not in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
            return answer.raise_for_status()
        time.sleep(PAUSE)
    return client.request(method, path, json=json).raise_for_status()


@contextmanager
def errors(stack: Stack) -> Generator[None]:
    """Turns errors of credentials and of HTTP into UsageError."""
    project = stack.output("account")
    try:
        yield
    except (GoogleAuthError, httpx.HTTPError) as error:
        reason = one_line(_reason(error))
        raise UsageError(f"{stack.title}, project {project}: {reason}{_fix(error)}") from None


def _reason(error: Exception) -> str:
    """Google's own message if it sent one: https://cloud.google.com/apis/design/errors#http_mapping"""
    if isinstance(error, httpx.HTTPStatusError):
        try:
            return f"{error.response.status_code}, {error.response.json()['error']['message']}"
        except (ValueError, LookupError, TypeError):
            return f"{error.response.status_code} from {error.request.url}"
    return str(next(iter(error.args), "")) or type(error).__name__  # RefreshError has the whole answer as well


def _fix(error: Exception) -> str:
    if isinstance(error, DefaultCredentialsError | RefreshError):
        return ": log in with `gcloud auth application-default login`"
    if isinstance(error, httpx.HTTPStatusError) and error.response.status_code == HTTPStatus.FORBIDDEN:
        return " (docs/deployer.md lists the permissions)"
    return ""
