"""A published version gets requests only when it has answered that it runs the artifact."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

import pulumi
import pytest

from stacks.aws_version import check_runs
from tests.stacks.deployment import deploy

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

        monkeypatch.setattr("pulumi.runtime.invoke_async", invoke)
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


@pytest.mark.parametrize(
    ("changes", "again"),
    [
        ({}, True),
        ({"better-together:rollout": "10"}, True),
        ({"better-together:maxInstances": "20"}, True),
        ({"better-together:environment": "production"}, True),
        ({"better-together:memoryMb": "2048"}, False),
        ({"better-together:timeoutSeconds": "20"}, False),
        ({"better-together:cacheTtlSeconds": "20"}, False),
        ({"better-together:tracing": "true"}, False),
    ],
)
def test_only_what_is_published_makes_another_deployment(changes: dict[str, str], again: bool) -> None:
    first = deploy("aws").outputs
    second = deploy("aws", changes, before=first)
    assert (second.outputs["deployment"] == first["deployment"]) == again
    assert second.inputs("lambda/function:Function")["description"] == second.outputs["deployment"]


def test_after_a_deployment_that_failed_the_same_inputs_make_another(monkeypatch: pytest.MonkeyPatch) -> None:
    before = deploy("aws").outputs
    descriptions: list[str] = []
    for now in (1000, 2000):
        monkeypatch.setattr("stacks.rollout.time.time", lambda now=now: now)
        tried = deploy("aws", {"better-together:memoryMb": "2048"}, before=before)
        descriptions.append(tried.inputs("lambda/function:Function")["description"])
    first, second = descriptions
    assert first != second
    assert first.partition("-")[0] == second.partition("-")[0]
