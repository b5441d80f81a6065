"""An HTTP client of a deployment that validates every response against the deployment's own openapi.json."""

import secrets
from collections.abc import Generator
from contextlib import contextmanager
from typing import Self

import httpx

from ops.contract import Contract, excerpt, problem_fault
from ops.stack import UsageError
from ops.target import Target, must_keep_secret
from ops.transcript import Step

TIMEOUT = 30  # seconds


class Wrong(Exception):
    """The deployment does something wrong; the message is one line."""


class Skipped(Exception):
    """Something cannot be checked; the message says why."""


class Deployment:
    """`made` are the ids of users that our requests may have created. All of them begin with `prefix`."""

    def __init__(self, target: Target, client: httpx.Client, contract: Contract, token: str) -> None:
        self.target, self.contract = target, contract
        self.prefix = f"check-{secrets.token_hex(4)}-"
        self.made: set[str] = set()
        self._client, self._token = client, token if contract.auth else ""

    @classmethod
    @contextmanager
    def open(cls, target: Target, token: str, transport: httpx.BaseTransport | None = None) -> Generator[Self]:
        """`transport` may lead to a revision without traffic, instead of to the URL.

        Raises UsageError if the URL does not serve this API, or Wrong if it is a stack's own URL.
        """
        with httpx.Client(base_url=target.url, timeout=TIMEOUT, transport=transport) as client:
            try:
                answer = client.get("/openapi.json")
            except httpx.RequestError as error:
                raise UsageError(f"{target.url} cannot be reached: {why(error)}") from None
            try:
                contract = Contract(answer.raise_for_status().json())
            except (httpx.HTTPStatusError, ValueError):
                where = answer.headers.get("location") or excerpt(answer)
                text = f"GET {target.url}/openapi.json: {answer.status_code}, {where}"
                raise (Wrong if target.digests else UsageError)(f"the API is not there: {text}") from None
            yield cls(target, client, contract, token)

    def must_accept_token(self) -> None:
        """Raises UsageError if the API needs a token and ours is missing, refused, or would be sent in plain text."""
        if not self.contract.auth:
            return
        if not self._token:
            raise UsageError(
                "this API asks for tokens: WRITE=1 needs an admin's token in the environment variable TOKEN"
            )
        must_keep_secret(self._token, self.target.url)
        try:
            response = self.send(Step("POST", "/users", 415))
        except httpx.RequestError as error:
            raise UsageError(f"{self.target.url} does not take a POST: {why(error)}") from None
        if response.status_code == 401:
            raise UsageError(f"TOKEN is refused: {detail_of(response)}")

    def ask(self, step: Step, *, anonymous: bool = False) -> httpx.Response:
        """Send the step. Raises Wrong unless the response is as expected by the step and openapi.json.

        The expected status is 401 if the operation needs a token and none is sent.
        """
        response = self.send(step, anonymous=anonymous)
        locked = (anonymous or not self._token) and self.contract.takes_a_token(step.method, step.path)
        expected = 401 if locked else step.status
        if response.status_code != expected:
            detail = f": {detail_of(response)}" if response.is_error else ""
            raise Wrong(f"{response.status_code} instead of {expected}{detail}")
        if fault := self.contract.fault(step.method, step.path, response):
            raise Wrong(f"{expected}, {fault}")
        return response

    def send(self, step: Step, *, anonymous: bool = False) -> httpx.Response:
        before = set(self.made)
        if step.method in ("POST", "PUT") and step.body:
            self.made.add(step.body["id"])
        shows_token = self._token and not anonymous and self.contract.takes_a_token(step.method, step.path)
        headers = step.headers | ({"authorization": f"Bearer {self._token}"} if shows_token else {})
        response = self._client.request(step.method, step.path, json=step.body, content=step.content, headers=headers)
        if response.is_client_error:
            self.made = before
        return response

    def remove(self, user_id: str) -> str:
        """Delete the user. Raises Wrong if it may still exist."""
        response = self.send(Step("DELETE", f"/users/{user_id}", 204))
        if response.status_code not in (204, 404):
            raise Wrong(f"{response.status_code}, {detail_of(response)}")
        self.made.discard(user_id)
        return str(response.status_code)


def detail_of(response: httpx.Response) -> str:
    """The detail of an error response."""
    if response.request.method == "HEAD":
        return "nothing"
    return problem_fault(response) or response.json()["detail"]


def why(error: httpx.RequestError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return f"no answer within {TIMEOUT} s"
    return str(error) or type(error).__name__
