"""Published versions behave as Lambda's do, where moto's by themselves do not."""

import uuid
from typing import Any

import pytest

from tests.cloud.conftest import ROLE, Daemon, zipped

SNAP_START = {"ApplyOn": "PublishedVersions"}


@pytest.fixture
def functions(daemon: Daemon) -> Any:
    return daemon.client("lambda")


def create(functions: Any, **settings: Any) -> str:
    name = f"function-{uuid.uuid4().hex[:8]}"
    code = {"ZipFile": zipped("def handler(event, context): return 1")}
    functions.create_function(
        FunctionName=name, Runtime="python3.13", Role=ROLE, Handler="main.handler", Code=code, **settings
    )
    return name


def publish(functions: Any, name: str, count: int = 1) -> list[str]:
    """Publishes so many versions, each with another description; returns their numbers."""
    numbers: list[str] = []
    for _ in range(count):
        functions.update_function_configuration(FunctionName=name, Description=uuid.uuid4().hex)
        numbers.append(functions.publish_version(FunctionName=name)["Version"])
    return numbers


def test_a_number_is_never_used_again(functions: Any):
    name = create(functions)
    assert publish(functions, name, 3) == ["1", "2", "3"]
    for version in ("1", "3"):
        functions.delete_function(FunctionName=name, Qualifier=version)
    assert functions.publish_version(FunctionName=name)["Version"] == "2", "nothing has changed"
    assert publish(functions, name) == ["4"]
    found = functions.get_function(FunctionName=name, Qualifier="2")["Configuration"]
    assert (found["Version"], found["FunctionArn"].rpartition(":")[2]) == ("2", "2")


def test_a_version_with_an_alias_is_not_deleted(functions: Any):
    name = create(functions)
    publish(functions, name, 3)
    weights = {"AdditionalVersionWeights": {"2": 0.1}}
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1", RoutingConfig=weights)
    for version in ("1", "2"):
        with pytest.raises(functions.exceptions.ResourceConflictException, match=r"aliases reference it: \[live\]"):
            functions.delete_function(FunctionName=name, Qualifier=version)
    functions.delete_function(FunctionName=name, Qualifier="3")
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.get_function(FunctionName=name, Qualifier="3")


def test_versions_are_listed_in_pages(functions: Any):
    name = create(functions)
    publish(functions, name, 51)
    pages = [
        [version["Version"] for version in page["Versions"]]
        for page in functions.get_paginator("list_versions_by_function").paginate(FunctionName=name)
    ]
    assert [len(page) for page in pages] == [50, 2]
    assert [*pages[0], *pages[1]] == ["$LATEST", *map(str, range(1, 52))]
    assert len(functions.list_versions_by_function(FunctionName=name, MaxItems=10)["Versions"]) == 10
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.list_versions_by_function(FunctionName="nobody")


def test_a_version_says_whether_it_has_a_snapshot(functions: Any):
    name = create(functions, SnapStart=SNAP_START)
    publish(functions, name)
    functions.update_function_configuration(FunctionName=name, SnapStart={"ApplyOn": "None"})
    publish(functions, name)
    versions = functions.list_versions_by_function(FunctionName=name)["Versions"]
    assert {version["Version"]: version["SnapStart"] for version in versions} == {
        "$LATEST": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "1": SNAP_START | {"OptimizationStatus": "On"},
        "2": {"ApplyOn": "None", "OptimizationStatus": "Off"},
    }
