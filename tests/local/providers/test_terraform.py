"""The replacement rules of Google Cloud's types: every registered type has them, and the provider keeps to them."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any
from unittest.mock import create_autospec

import grpc
import pytest
from pulumi import _types  # pyright: ignore[reportPrivateUsage] - the only description of the input types
from pulumi.runtime import proto, rpc

from local.cli.home import ROOT
from local.providers.gcp.provider import Gcp
from local.providers.gcp.recorded import RECORDINGS
from local.providers.gcp.terraform import in_place, replaces, types
from local.providers.gcp.types import TYPES
from local.providers.sdk import args_type, properties
from local.providers.values import Props, pack
from tests.local.providers.conftest import NOWHERE
from tests.local.providers.test_inputs import below, given, leaves

CONTEXT: grpc.ServicerContext = create_autospec(grpc.ServicerContext)
PHRASE = re.compile(r"forces a new|causes\s+resource replacement")
DATABASE = "gcp:firestore/database:Database"
FIELD = "gcp:firestore/field:Field"
SECRET = "gcp:secretmanager/secret:Secret"
SERVICE = "gcp:cloudrunv2/service:Service"
KEY = {"kmsKeyName": "projects/p/locations/global/keyRings/r/cryptoKeys/k"}
USER_MANAGED = {"replicas": [{"location": "us-central1"}]}


def replaced(token: str, olds: Props, news: Props) -> list[str]:
    """The changed inputs that replace the resource."""
    request = proto.DiffRequest(type=token, name="x", old_inputs=pack(olds), news=pack(news))
    return list(Gcp(NOWHERE).Diff(request, CONTEXT).replaces)


def registered() -> Iterator[str]:
    """The Google Cloud types that the stacks and the bootstrap make: `storage.Bucket(...)`, from pulumi_gcp."""
    for path in [*(ROOT / "stacks").rglob("*.py"), *(ROOT / "bootstrap").rglob("*.py")]:
        tree = list(ast.walk(ast.parse(path.read_text())))
        imports = [node for node in tree if isinstance(node, ast.ImportFrom) and node.module == "pulumi_gcp"]
        modules = {alias.asname or alias.name: alias.name for node in imports for alias in node.names}
        for node in tree:
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attribute)) if name in modules:
                    yield from tokens(modules[name], attribute)
                case _:
                    pass


def tokens(module: str, name: str) -> Iterator[str]:
    importlib.import_module(f"pulumi_gcp.{module}")
    registry: dict[str, list[Any]] = vars(rpc)["_RESOURCE_MODULES"]
    for one in (one for versions in registry.values() for one in versions):
        if one.mod_info["fqn"] == f"pulumi_gcp.{module}":
            yield from (token for token, found in one.mod_info["classes"].items() if found == name)


def described(args: type, above: str = "") -> Iterator[str]:
    """The inputs, at every level, that the SDK's docstrings say to force a replacement."""
    names: dict[str, str] = _types.input_type_py_to_pulumi_names(args)
    for text in re.split(r"^:param ", inspect.getdoc(args.__init__) or "", flags=re.MULTILINE)[1:]:
        if PHRASE.search(text):
            yield above + names[text.partition(":")[0].rpartition(" ")[2]]
    for name, annotation in properties(args).items():
        if inner := below(annotation)[0]:
            yield from described(inner, f"{above}{name}.")


def inside(path: str, others: frozenset[str]) -> bool:
    return any(path == other or path.startswith(f"{other}.") for other in others)


def test_every_registered_type_has_rules() -> None:
    found = set(registered())
    assert {SERVICE, FIELD, "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"} <= found, "stacks and bootstrap are read"
    assert found | {*TYPES, *RECORDINGS} == types().keys(), "add it to terraform.json, and run terraform_schemas.py"


@pytest.mark.parametrize("token", types())
def test_every_rule_is_for_an_input(token: str) -> None:
    known = {".".join(path[:end]) for path in leaves(args_type(token)) for end in range(1, len(path) + 1)}
    assert replaces(token)
    assert replaces(token) <= known
    assert in_place(token) <= known
    assert all(inside(path, replaces(token)) for path in in_place(token))


def test_what_the_sdk_says_to_force_a_replacement_does() -> None:
    said = {(token, path) for token in types() for path in described(args_type(token))}
    assert {(DATABASE, "tags"), ("gcp:serviceaccount/account:Account", "accountId")} <= said, "docstrings are read"
    assert {(token, path) for token, path in said if not inside(path, replaces(token))} == set()


@pytest.mark.parametrize("token", types())
def test_a_change_replaces_what_cannot_change_and_updates_all_else(token: str) -> None:
    for path in leaves(args_type(token)):
        olds, news = (given(args_type(token), path, value) for value in ("a", "b"))
        forced = inside(".".join(path), replaces(token)) and not inside(".".join(path), in_place(token))
        assert replaced(token, olds, news) == [path[0]] * forced, path


@pytest.mark.parametrize(
    ("token", "olds", "news", "forced"),
    [
        (SERVICE, {"location": "us-central1"}, {"location": "europe-west1"}, ["location"]),
        (SERVICE, {"tags": {"tagKeys/1": "tagValues/1"}}, {}, ["tags"]),
        (SERVICE, {"ingress": "INGRESS_TRAFFIC_ALL"}, {"ingress": "INGRESS_TRAFFIC_INTERNAL_ONLY"}, []),
        (DATABASE, {"databaseEdition": "STANDARD"}, {"databaseEdition": "ENTERPRISE"}, ["databaseEdition"]),
        (DATABASE, {"type": "FIRESTORE_NATIVE"}, {"type": "DATASTORE_MODE"}, []),
        (FIELD, {"collection": "users"}, {"collection": "people"}, ["collection"]),
        (FIELD, {"indexConfig": {}}, {"indexConfig": {"indexes": [{"order": "ASCENDING"}]}}, []),
        (SECRET, {"replication": {"auto": {}}}, {"replication": {"userManaged": USER_MANAGED}}, ["replication"]),
        (SECRET, {"replication": {"auto": {}}}, {"replication": {"auto": {"customerManagedEncryption": KEY}}}, []),
        (SECRET, {}, {"replication": {"auto": {"customerManagedEncryption": KEY}}}, ["replication"]),
        ("gcp:storage/bucketIAMMember:BucketIAMMember", {"member": "user:a"}, {"member": "user:b"}, ["member"]),
        ("gcp:dns/recordSet:RecordSet", {"rrdatas": ["a."]}, {"rrdatas": ["b."]}, []),
        ("gcp:monitoring/dashboard:Dashboard", {"dashboardJson": "{}"}, {"dashboardJson": "[]"}, []),
    ],
)
def test_what_a_change_replaces(token: str, olds: Props, news: Props, forced: list[str]) -> None:
    assert replaced(token, olds, news) == forced
