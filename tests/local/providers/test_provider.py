"""The provider protocol's answers, asked directly."""

from typing import Any
from unittest.mock import create_autospec

import grpc
import pytest
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime import proto
from pulumi.runtime.proto import PropertyDiff

from local.providers.aws.provider import Aws
from local.providers.compare import changes, observed
from local.providers.gcp.provider import Gcp
from local.providers.gcp.recorded import RECORDINGS
from local.providers.gcp.types import TYPES
from local.providers.sdk import args_type
from local.providers.values import UNKNOWN, overlay, pack, plain, seal
from tests.local.providers.conftest import NOWHERE

TABLE = "aws:dynamodb/table:Table"
CONTEXT: grpc.ServicerContext = create_autospec(grpc.ServicerContext)


def check(news: dict[str, Any], olds: dict[str, Any] | None = None, seed: bytes = b"1") -> proto.CheckResponse:
    request = proto.CheckRequest(type=TABLE, name="users", news=pack(news), olds=pack(olds or {}), randomSeed=seed)
    return Aws(NOWHERE).Check(request, CONTEXT)


def diff(olds: dict[str, Any], news: dict[str, Any]) -> proto.DiffResponse:
    request = proto.DiffRequest(type=TABLE, name="users", old_inputs=pack(olds), news=pack(news))
    return Aws(NOWHERE).Diff(request, CONTEXT)


def test_a_name_that_is_left_out_is_made_once() -> None:
    first = plain(check({"hashKey": "id"}).inputs)
    assert first["name"].startswith("users-")
    assert len(first["name"]) == len("users-") + 7
    assert plain(check({"hashKey": "id"}, olds=first, seed=b"2").inputs) == first
    assert plain(check({"hashKey": "id"}, seed=b"2").inputs)["name"] != first["name"]


def test_a_name_that_was_given_is_not_kept_when_it_is_left_out() -> None:
    assert plain(check({"hashKey": "id"}, olds={"name": "users"}).inputs)["name"] != "users"


def test_check_leaves_secrets_and_unknowns_as_they_are() -> None:
    news = {"name": seal("users"), "hashKey": UNKNOWN}
    response = check(news)
    assert response.inputs == pack(news)
    assert not response.failures


def test_check_reports_every_fault() -> None:
    failures = check({"hashKye": "id", "pointInTimeRecovery": {"enable": True}, "tags": [], "ttl": UNKNOWN}).failures
    recovery = ["pointInTimeRecovery.enable", "pointInTimeRecovery.enabled"]  # unknown, and missing
    assert sorted(failure.property for failure in failures) == ["hashKye", *recovery, "tags", "ttl"]


def test_the_config_of_a_provider_is_checked() -> None:
    [failure] = Aws(NOWHERE).CheckConfig(proto.CheckRequest(news=pack({"regoin": "x"})), CONTEXT).failures
    assert failure.reason == "unknown property 'regoin': did you mean 'region'?"


def test_diff_names_the_innermost_property() -> None:
    response = diff({"ttl": {"enabled": True, "attributeName": "a"}}, {"ttl": {"enabled": True, "attributeName": "b"}})
    assert {path: found.kind for path, found in response.detailedDiff.items()} == {
        "ttl.attributeName": PropertyDiff.UPDATE
    }
    assert response.changes == proto.DiffResponse.DIFF_SOME
    assert not response.replaces


def test_no_difference_is_said_to_be_none() -> None:
    assert diff({"hashKey": "id"}, {"hashKey": "id"}).changes == proto.DiffResponse.DIFF_NONE


@pytest.mark.parametrize(
    ("olds", "news", "first_delete"),
    [
        ({"name": "users", "hashKey": "a"}, {"name": "users", "hashKey": "b"}, True),
        ({"name": "users"}, {"name": "people"}, False),
        (
            {"name": "users-1", "__defaults": ["name"], "hashKey": "a"},
            {"name": "users-1", "__defaults": ["name"], "hashKey": "b"},
            False,
        ),
    ],
)
def test_what_keeps_its_given_name_is_deleted_before_it_is_replaced(
    olds: dict[str, Any], news: dict[str, Any], first_delete: bool
) -> None:
    response = diff(olds, news)
    assert response.replaces
    assert response.deleteBeforeReplace is first_delete


def test_an_unknown_replaces_what_cannot_change() -> None:
    assert diff({"hashKey": "id"}, {"hashKey": UNKNOWN}).detailedDiff["hashKey"].kind == PropertyDiff.UPDATE_REPLACE


def test_the_layout_of_json_is_no_change() -> None:
    assert list(changes({"policy": '{"a": [1]}'}, {"policy": '{ "a" : [ 1 ] }'})) == []
    assert list(changes({"policy": '{"a": [1]}'}, {"policy": '{"a": [2]}'})) == [("policy", PropertyDiff.UPDATE)]


def test_what_holds_a_secret_stays_one() -> None:
    inputs = pack({"environment": {"variables": {"KEY": seal("hunter2")}}, "name": "n"})
    same = {"environment": {"variables": {"KEY": "hunter2"}}}
    assert overlay(inputs, same) == inputs
    changed = overlay(inputs, {"environment": {"variables": {"KEY": "hunter3"}}, "arn": "a", "name": None})
    assert changed == pack({"environment": seal({"variables": {"KEY": "hunter3"}}), "arn": "a"})


def test_only_drift_is_observed() -> None:
    inputs = {"ttl": {"enabled": True}, "tags": {}, "code": "c", "streamEnabled": True}
    live = {
        "ttl": {"enabled": False, "attributeName": "x"},  # changed; the other is the cloud's own
        "tags": None,
        "streamEnabled": None,  # taken away
        "billingMode": "PROVISIONED",  # ordinary
        "deletionProtectionEnabled": True,  # switched on behind the program's back
        "arn": "a",
    }
    settable = dict.fromkeys(["ttl", "tags", "code", "streamEnabled", "billingMode", "deletionProtectionEnabled"])
    assert observed(inputs, live, {"billingMode": "PROVISIONED"}, settable) == {
        "ttl": {"enabled": False},
        "tags": {},
        "code": "c",
        "deletionProtectionEnabled": True,
    }


def test_only_a_resource_with_a_fixed_name_is_deleted_before_it_is_replaced() -> None:
    def deletes_first(type: str, old: dict[str, Any], new: dict[str, Any]) -> bool:
        request = proto.DiffRequest(type=type, name="x", old_inputs=pack(old), news=pack(new))
        response = Aws(NOWHERE).Diff(request, CONTEXT)
        assert response.replaces
        return response.deleteBeforeReplace

    chosen = {"__defaults": ["name"]}
    assert deletes_first(TABLE, {"name": "a", "hashKey": "a"}, {"name": "a", "hashKey": "b"})
    assert not deletes_first(TABLE, {"name": "a", "hashKey": "a"} | chosen, {"name": "a", "hashKey": "b"} | chosen)
    assert not deletes_first("aws:apigatewayv2/apiMapping:ApiMapping", {"domainName": "a"}, {"domainName": "b"})


@pytest.mark.parametrize("token", [*TYPES, *RECORDINGS])
def test_every_gcp_type_is_the_sdks(token: str) -> None:
    Gcp(NOWHERE).resource(token)
    args_type(token)


def test_plain_reads_the_wire() -> None:
    struct = Struct()
    struct.update({"whole": 3.0, "part": 1.5, "none": None, "list": [None, "a"], "secret": seal({"a": 1.0})})
    assert plain(struct) == {"whole": 3, "part": 1.5, "list": [None, "a"], "secret": {"a": 1}}
