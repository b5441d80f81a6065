"""What `ops` does about a version that is not ready, and about an invocation that Lambda refuses."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from ops import version_transport
from ops.stack import UsageError
from ops.version_transport import VersionTransport
from tests.ops.cloud import Cloud


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setattr(version_transport, "PAUSE", 0)
    with closing(Cloud()) as cloud:
        yield cloud


def get(functions: Cloud) -> httpx.Response:
    transport = VersionTransport(functions.stack("aws"), "7")
    with httpx.Client(base_url="https://api.example", transport=transport) as client:
        return client.get("/users?limit=1")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (409, "ResourceConflictException"),
        (409, "SnapStartNotReadyException"),
        (429, "TooManyRequestsException"),
        (502, "ResourceNotReadyException"),
    ],
)
def test_a_version_that_is_not_ready_is_waited_for(functions: Cloud, status: int, code: str) -> None:
    def answer(asked: dict[str, Any]) -> tuple[int, Any]:
        if len(functions.asked) == 1:
            return status, {"__type": code, "message": "not yet"}
        return 200, {"statusCode": 200, "body": asked["rawPath"] + "?" + asked["rawQueryString"]}

    functions.answer = answer
    assert get(functions).text == "/users?limit=1"
    assert len(functions.asked) == 2


def test_a_version_that_never_becomes_ready(functions: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(version_transport, "READY_WITHIN", -1)
    functions.answer = lambda asked: (409, {"__type": "SnapStartNotReadyException", "message": "not yet"})
    with pytest.raises(
        UsageError, match=r"^stack aws of the local clouds, account 123456789012: .*SnapStartNotReady.*: not yet$"
    ):
        get(functions)


def test_a_missing_permission(functions: Cloud) -> None:
    functions.answer = lambda asked: (403, {"__type": "AccessDeniedException", "message": "not yours"})
    with pytest.raises(UsageError, match=r": not yours \(docs/deployer.md lists the permissions\)$"):
        get(functions)
