"""The function's role has exactly the permissions that the routes need: without any one of them, some route fails.

The tests change the policy that the engine attached and restore it afterwards; local/cloud/aws/iam.py enforces it. They
do not cover the permissions for logs: on AWS, Lambda itself writes logs with them, and on the laptop logs go to a file.
"""

import copy
import json
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.e2e.breaking import kill_workers
from tests.e2e.laptop import Laptop, aws

ROLE = "better-together-aws"
POLICY = "function"
USERS, PICTURES = "better-together-aws", "better-together-aws-pictures"
LOG_ACTIONS = {"logs:CreateLogStream", "logs:PutLogEvents"}
TORN = "GET /profile-pic of a damaged user"
OF_BOTH = {"GET /profile-pic", "GET /cached-profile-pic", TORN, "GET /health/ready"}
BREAKS_WITHOUT = {
    (USERS, "dynamodb:BatchGetItem"): {"GET /cached-users", "GET /followers", "GET /cached-followers", *OF_BOTH},
    (USERS, "dynamodb:DeleteItem"): {"DELETE /users/{id}"},
    (USERS, "dynamodb:GetItem"): {"GET /users/{id}", "PUT /users/{id}", "GET /followers", TORN},
    (USERS, "dynamodb:PutItem"): {"POST /bootstrap", "POST /users", "PUT /users/{id}"},
    (USERS, "dynamodb:Scan"): {"GET /users"},
    (PICTURES, "dynamodb:BatchGetItem"): OF_BOTH,
    (PICTURES, "dynamodb:DeleteItem"): {"DELETE /users/{id}"},
    (PICTURES, "dynamodb:GetItem"): {TORN},
    (PICTURES, "dynamodb:PutItem"): {"POST /bootstrap"},
}
ALL_ROUTES = set[str]().union(*BREAKS_WITHOUT.values())

type Statements = list[dict[str, Any]]


@pytest.fixture(scope="module")
def iam(clouds: Laptop) -> Generator[Any]:
    with aws(clouds, "iam") as client:
        yield client


@pytest.fixture(scope="module")
def client(runtimes: dict[str, httpx.Client], clouds: Laptop) -> httpx.Client:
    """Of the app on Lambda, with the demo's users and the damaged one."""
    runtimes["aws"].post("/bootstrap").raise_for_status()
    damaged = {"id": "damaged", "name": "Damaged", "version": "v", "picture": "gone"}
    with aws(clouds, "dynamodb") as dynamodb:
        dynamodb.put_item(TableName=USERS, Item={name: {"S": value} for name, value in damaged.items()})
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


def without(action: str, table: str = "") -> Callable[[Statements], None]:
    def change(statements: Statements) -> None:
        [statement] = [s for s in statements if action in s["Action"] and (not table or is_on(s, table))]
        statement["Action"].remove(action)
        if not statement["Action"]:
            statements.remove(statement)

    return change


def on_another_table(statements: Statements) -> None:
    for statement in statements:
        if "dynamodb:GetItem" in statement["Action"]:
            statement["Resource"] += "-2"


def is_on(statement: dict[str, Any], table: str) -> bool:
    return statement["Resource"].endswith(f":table/{table}")


def broken_routes(client: httpx.Client) -> set[str]:
    """All routes that need the store are asked: those that answer 503. The cached ones are asked for nobody.

    User `damaged` names a picture that does not exist.
    """
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
        TORN: (404, client.get("/profile-pic/damaged", headers={"x-user-id": "damaged"})),
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
    assert actions == {*(action for _, action in BREAKS_WITHOUT), "ssm:GetParameter", *LOG_ACTIONS}
    for table in (USERS, PICTURES):
        [on_table] = [statement for statement in statements if is_on(statement, table)]
        assert {(table, action) for action in on_table["Action"]} == {key for key in BREAKS_WITHOUT if key[0] == table}
    assert iam.list_role_policies(RoleName=ROLE)["PolicyNames"] == [POLICY]
    assert iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"] == []


def test_with_the_whole_policy_every_route_works(client: httpx.Client) -> None:
    assert broken_routes(client) == set()


@pytest.mark.parametrize(("right", "routes"), BREAKS_WITHOUT.items(), ids=map(" ".join, BREAKS_WITHOUT))
def test_without_a_right_its_routes_break(
    iam: Any, client: httpx.Client, right: tuple[str, str], routes: set[str]
) -> None:
    table, action = right
    with changed_policy(iam, without(action, table)):
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
