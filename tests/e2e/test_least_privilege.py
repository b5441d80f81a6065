"""The function's role has exactly the permissions that the routes need: without any one of them, some route fails.

The tests change the policy that the engine attached and restore it afterwards; local/cloud/aws/iam.py enforces it. They
do not cover the permissions for logs: on AWS, Lambda itself writes logs with them, and on the laptop logs go to a file.
"""

import copy
import json
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, cast

import boto3  # pyright: ignore[reportMissingTypeStubs]
import httpx
import pytest

from tests.e2e.breaking import kill_workers
from tests.e2e.laptop import Laptop

ROLE = "better-together-aws"
POLICY = "function"
LOG_ACTIONS = {"logs:CreateLogStream", "logs:PutLogEvents"}
BREAKS_WITHOUT = {
    "dynamodb:BatchGetItem": {"GET /cached-users", "GET /followers", "GET /cached-followers"},
    "dynamodb:BatchWriteItem": {"POST /bootstrap"},
    "dynamodb:DeleteItem": {"DELETE /users/{id}"},
    "dynamodb:GetItem": {
        "GET /users/{id}",
        "PUT /users/{id}",
        "GET /followers",
        "GET /profile-pic",
        "GET /cached-profile-pic",
        "GET /health/ready",
    },
    "dynamodb:PutItem": {"POST /users", "PUT /users/{id}"},
    "dynamodb:Scan": {"GET /users"},
}
ALL_ROUTES = set[str]().union(*BREAKS_WITHOUT.values())

type Statements = list[dict[str, Any]]


@pytest.fixture
def iam(clouds: Laptop) -> Generator[Any]:
    make_client = cast(Callable[..., Any], boto3.client)  # pyright: ignore[reportUnknownMemberType]
    keys = {"aws_access_key_id": "somebody", "aws_secret_access_key": "else"}
    client = make_client("iam", "us-east-1", endpoint_url=clouds.daemon()["aws"], **keys)
    yield client
    client.close()


@pytest.fixture
def client(runtimes: dict[str, httpx.Client]) -> httpx.Client:
    """Of the app on Lambda, with the demo's users."""
    runtimes["aws"].post("/bootstrap").raise_for_status()
    return runtimes["aws"]


@contextmanager
def changed_policy(iam: Any, change: Callable[[Statements], object]) -> Generator[None]:
    before = iam.get_role_policy(RoleName=ROLE, PolicyName=POLICY)["PolicyDocument"]
    after = copy.deepcopy(before)
    change(after["Statement"])
    put(iam, after)
    try:
        yield
    finally:
        put(iam, before)


def put(iam: Any, document: dict[str, Any]) -> None:
    iam.put_role_policy(RoleName=ROLE, PolicyName=POLICY, PolicyDocument=json.dumps(document))


def without(action: str) -> Callable[[Statements], None]:
    def change(statements: Statements) -> None:
        [statement] = [statement for statement in statements if action in statement["Action"]]
        statement["Action"].remove(action)
        if not statement["Action"]:
            statements.remove(statement)

    return change


def on_another_table(statements: Statements) -> None:
    [statement] = [statement for statement in statements if "dynamodb:GetItem" in statement["Action"]]
    statement["Resource"] += "-2"


def broken_routes(client: httpx.Client) -> set[str]:
    """All routes that need the store are asked: those that answer 503. The cached ones are asked for nobody."""
    new: dict[str, Any] = {"id": f"new-{uuid.uuid4()}", "name": "New", "followers": []}
    one = {"id": "1", "name": "One", "followers": ["2"]}
    nobody, as_one = f"nobody-{uuid.uuid4()}", {"x-user-id": "1"}
    answers = {
        "POST /bootstrap": (201, client.post("/bootstrap")),
        "GET /users": (200, client.get("/users")),
        "POST /users": (201, client.post("/users", json=new)),
        "GET /users/{id}": (200, client.get("/users/1")),
        "PUT /users/{id}": (200, client.put("/users/1", json=one, headers={"if-match": "*"})),
        "GET /cached-users": (404, client.get(f"/cached-users/{nobody}")),
        "GET /followers": (200, client.get("/followers/1")),
        "GET /cached-followers": (404, client.get(f"/cached-followers/{nobody}")),
        "GET /profile-pic": (200, client.get("/profile-pic/1", headers=as_one)),
        "GET /cached-profile-pic": (404, client.get(f"/cached-profile-pic/{nobody}", headers=as_one)),
        "GET /health/ready": (200, client.get("/health/ready")),
    }
    created = answers["POST /users"][1].status_code == 201
    answers["DELETE /users/{id}"] = (204 if created else 404, client.delete(f"/users/{new['id']}"))
    broken = {route for route, (_, answer) in answers.items() if answer.status_code == 503}
    for route, (works, answer) in answers.items():
        assert answer.status_code == works or route in broken, (route, answer.text)
    return broken


def test_every_right_is_shown_to_be_needed(iam: Any, clouds: Laptop) -> None:
    statements = iam.get_role_policy(RoleName=ROLE, PolicyName=POLICY)["PolicyDocument"]["Statement"]
    actions = {action for statement in statements for action in statement["Action"]}
    assert actions == {*BREAKS_WITHOUT, "ssm:GetParameter", *LOG_ACTIONS}
    assert iam.list_role_policies(RoleName=ROLE)["PolicyNames"] == [POLICY]
    assert iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"] == []


def test_with_the_whole_policy_every_route_works(client: httpx.Client) -> None:
    assert broken_routes(client) == set()


@pytest.mark.parametrize(("action", "routes"), BREAKS_WITHOUT.items(), ids=BREAKS_WITHOUT.keys())
def test_without_an_action_its_routes_break(iam: Any, client: httpx.Client, action: str, routes: set[str]) -> None:
    with changed_policy(iam, without(action)):
        assert broken_routes(client) == routes
    assert broken_routes(client) == set()


def test_rights_on_another_table_are_none(iam: Any, client: httpx.Client) -> None:
    with changed_policy(iam, on_another_table):
        assert broken_routes(client) == ALL_ROUTES


def test_without_the_right_to_its_key_the_cache_is_a_miss(iam: Any, client: httpx.Client, clouds: Laptop) -> None:
    assert kill_workers(clouds, "aws")  # a new process reads the key
    with changed_policy(iam, without("ssm:GetParameter")):
        assert client.get("/cached-users/1").headers["cache-status"] == "momento; fwd=miss; detail=unconfigured"
        assert broken_routes(client) == set()
    assert kill_workers(clouds, "aws")
    client.post("/users", json={"id": "key-read", "name": "Key", "followers": []}).raise_for_status()
    answers = [client.get("/cached-users/key-read") for _ in range(2)]
    assert answers[1].headers["cache-status"] == "momento; hit"
