"""The plugin's process, asked as the engine asks it."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, cast

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc
from pulumi.runtime.rpc import UNKNOWN

from tests.momento.conftest import ROOT

PLUGIN = ROOT / "pulumi_momento" / "pulumi-resource-momento"
SECRET = "1b47061264138c4ac30d75fd1eb44270"

type Check = Callable[[provider_pb2.CheckRequest], provider_pb2.CheckResponse]


class Stub(Protocol):
    """ResourceProviderStub, of whose methods the SDK gives no types."""

    CheckConfig: Check
    Check: Check
    GetSchema: Callable[[provider_pb2.GetSchemaRequest], provider_pb2.GetSchemaResponse]
    GetPluginInfo: Callable[[Empty], plugin_pb2.PluginInfo]


@pytest.fixture(scope="module")
def plugin() -> Iterator[Stub]:
    environment = os.environ | {"MOMENTO_API_KEY": "", "MOMENTO_ENDPOINT": ""}
    with subprocess.Popen([PLUGIN, "127.0.0.1:1"], env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        with grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}") as channel:
            yield cast(Stub, provider_pb2_grpc.ResourceProviderStub(channel))
        process.terminate()


def check(method: Check, new: dict[str, Any], old: dict[str, str] | None = None) -> tuple[dict[str, Any], list[str]]:
    """What the inputs become, and the reasons why they are refused."""
    olds, news = Struct(), Struct()
    olds.update(old or {})
    news.update(new)
    urn = "urn:pulumi:stack::project::momento:index:Cache::users"
    answer = method(provider_pb2.CheckRequest(urn=urn, olds=olds, news=news, randomSeed=bytes(range(32))))
    assert not any(failure.property == "apiKey" for failure in answer.failures)  # the engine would print the key
    return MessageToDict(answer.inputs), [failure.reason for failure in answer.failures]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"endpoint": "http://127.0.0.1:1"}, "momento:apiKey is missing"),
        ({"apiKey": "k"}, "momento:endpoint is missing"),
        ({"apiKey": "k", "endpoint": "http://127.0.0.1"}, "'http://127.0.0.1' must be http://host:port"),
        ({"apiKey": "k", "endpoint": "http://127.0.0.1:99999"}, "'http://127.0.0.1:99999' must be http://host:port"),
        ({"apiKey": "k", "endpoint": "https://momento.example"}, "'https://momento.example' must be the host"),
        ({"apiKey": "k", "endpoint": "momento.example"}, "momento:apiKey is not a v2 API key"),
    ],
)
def test_settings_are_checked(plugin: Stub, settings: dict[str, str], reason: str) -> None:
    _, [refused] = check(plugin.CheckConfig, settings)
    assert reason in refused


@pytest.mark.parametrize(
    "settings",
    [
        {"apiKey": "k", "endpoint": "http://127.0.0.1:0"},
        {"apiKey": "eyJhbGciOiJIUzI1NiJ9.eyJ0IjoiZyJ9.c2ln", "endpoint": "cell-1.prod.a.momentohq.com"},
        {"apiKey": UNKNOWN, "endpoint": "https://momento.example"},
        {"apiKey": "k", "endpoint": UNKNOWN},
    ],
    ids=["momento-local", "v2-key", "key-unknown-yet", "endpoint-unknown-yet"],
)
def test_good_settings_come_back_with_a_secret_key(plugin: Stub, settings: dict[str, str]) -> None:
    inputs, refused = check(plugin.CheckConfig, settings)
    secret = {"4dabf18193072939515e22adb298388d": SECRET, "value": settings["apiKey"]}
    assert (inputs, refused) == (settings | {"apiKey": secret}, [])
    assert check(plugin.CheckConfig, inputs) == (inputs, [])


@pytest.mark.parametrize(
    ("new", "old", "name"),
    [
        ({"name": "a.b-c_9"}, {"name": "old"}, "a.b-c_9"),
        ({}, {"name": "old"}, "old"),
        ({}, {}, "users-0001020"),
        ({"name": "x" * 255}, {}, "x" * 255),
        ({"name": UNKNOWN}, {}, UNKNOWN),
    ],
)
def test_a_cache_has_the_name_given_else_the_old_one_else_a_random_one(
    plugin: Stub, new: dict[str, str], old: dict[str, str], name: str
) -> None:
    assert check(plugin.Check, new, old) == ({"name": name}, [])


@pytest.mark.parametrize("name", ["ab", "x" * 256, "a b c", "é-cache", "a/b/c", "abc\n"])
def test_odd_names_are_refused(plugin: Stub, name: str) -> None:
    _, [refused] = check(plugin.Check, {"name": name})
    assert refused.startswith(f"{name!r} is not a cache name: 3 to 255 letters")


def test_the_schema_names_what_the_program_may_set(plugin: Stub) -> None:
    schema = json.loads(plugin.GetSchema(provider_pb2.GetSchemaRequest()).schema)
    assert list(schema["resources"]["momento:index:Cache"]["inputProperties"]) == ["name"]
    assert list(schema["provider"]["inputProperties"]) == ["apiKey", "endpoint"]


def test_the_plugin_has_the_version_that_the_package_asks_for(plugin: Stub) -> None:
    assert plugin.GetPluginInfo(Empty()).version == version("pulumi-momento")


def test_without_its_environment_the_plugin_says_how_to_get_it(tmp_path: Path) -> None:
    shutil.copy(PLUGIN, tmp_path)
    result = subprocess.run([tmp_path / PLUGIN.name], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "make setup" in result.stderr
