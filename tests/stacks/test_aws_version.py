"""A published version gets requests only after it reports that it runs the artifact."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

import pulumi
import pytest

from stacks.aws_version import check_runs

FAILED = "invocation of aws:lambda/getInvocation:getInvocation returned an error: 1 error occurred:\n\t* "
PENDING = f"{FAILED}operation error Lambda: Invoke, StatusCode: 409, SnapStartNotReadyException: Lambda is initializing"
CRASHED = f'{FAILED}Lambda Function (f) returned error: ({{"errorMessage": "no \\"wine\\" left", "errorType": "X"}})'
RUNS = {"statusCode": 200, "body": '{"status":"ok","artifact":"sha256:a"}'}

type Check = Callable[[Sequence[Any]], int]


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Check:
    """Checks version 3 of f with these answers, an Exception is raised; returns how many were needed."""
    monkeypatch.setattr("stacks.aws_version.PAUSE", 0)

    def run(answers: Sequence[Any]) -> int:
        left = list(answers)

        async def invoke(token: str, arguments: dict[str, Any]) -> Any:
            assert (arguments["functionName"], arguments["qualifier"]) == ("f", "3")
            answer = left.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return {"result": json.dumps(answer)}

        monkeypatch.setattr("stacks.aws_version.call", invoke)
        asyncio.run(check_runs("f", "3", "sha256:a"))
        return len(answers) - len(left)

    return run


def test_a_version_is_waited_for(check: Check) -> None:
    assert check([Exception(PENDING), Exception(PENDING), RUNS, RUNS]) == 3


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Exception(CRASHED), 'version 3 of f does not run: no "wine" left'),
        (Exception(f"{FAILED}AccessDeniedException"), "version 3 of f does not run: invocation of .*AccessDenied"),
        ({"statusCode": 200, "body": '{"artifact":"sha256:b"}'}, "version 3 of f answers 'sha256:b', not 'sha256:a'"),
        ({"statusCode": 500, "body": "{}"}, "version 3 of f answers .*500.*, not 'sha256:a'"),
        (None, "version 3 of f answers 'null', not 'sha256:a'"),
    ],
)
def test_what_does_not_run_is_refused_in_one_line(check: Check, answer: Any, words: str) -> None:
    with pytest.raises(pulumi.RunError, match=words) as error:
        check([answer])
    assert "\n" not in str(error.value)


def test_a_version_that_never_becomes_ready_is_given_up(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stacks.aws_version.READY_WITHIN", -1)
    with pytest.raises(pulumi.RunError, match="does not run"):
        check([Exception(PENDING)])
