"""The built-in Firestore and Google's emulator, seen through google-cloud-firestore: both must pass the same checks."""

# google-cloud-firestore is typed in part.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.cloud import firestore
from grpc import StatusCode

from local.cloud.gcp.firestore.server import FirestoreServer
from tests.app.servers import NotInstalled, built_in_firestore, google_firestore

NOW: dict[str, Any] = {"retry": None, "timeout": 10}


@pytest.fixture(scope="module", params=[built_in_firestore, pytest.param(google_firestore, marks=pytest.mark.prove)])
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    try:
        with request.param() as address:
            yield address
    except NotInstalled as missing:
        pytest.skip(str(missing))


@pytest.fixture
def client(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[firestore.Client]:
    """A client of an empty project."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", address)
    client = firestore.Client(project=f"p-{uuid.uuid4()}")
    yield client
    client.close()


@pytest.fixture
def users(client: firestore.Client) -> Any:
    return client.collection("users")


def fields(document: Any) -> dict[str, Any] | None:
    return document.get(**NOW).to_dict()


def ids(documents: Any) -> list[str]:
    return [document.id for document in documents]


def test_create_refuses_an_id_that_is_taken(users: Any) -> None:
    assert not users.document("a").get(**NOW).exists
    users.document("a").create({"n": 1}, **NOW)
    with pytest.raises(exceptions.AlreadyExists):
        users.document("a").create({"n": 2}, **NOW)
    assert fields(users.document("a")) == {"n": 1}


def test_values_of_every_type_come_back(users: Any) -> None:
    value = {
        "null": None,
        "bool": False,
        "int": 0,
        "float": 1.5,
        "text": "é-日本",
        "bytes": b"\x00\xff",
        "list": [1, "", None],
        "map": {"deep": {"er": {}}},
        "a.b `c`": 1,
    }
    users.document("a").set(value, **NOW)
    assert fields(users.document("a")) == value


def test_set_replaces_and_merge_keeps(users: Any) -> None:
    users.document("a").set({"x": 1, "y": {"z": 2, "w": 3}}, **NOW)
    users.document("a").set({"y": {"z": 4}}, merge=True, **NOW)
    assert fields(users.document("a")) == {"x": 1, "y": {"z": 4, "w": 3}}
    users.document("a").set({"x": 5, "y": {"w": 6}}, merge=["y.w"], **NOW)
    assert fields(users.document("a")) == {"x": 1, "y": {"z": 4, "w": 6}}
    users.document("a").set({"only": 1}, **NOW)
    assert fields(users.document("a")) == {"only": 1}


def test_update_changes_named_fields_of_what_exists(users: Any) -> None:
    users.document("a").set({"x": 1, "y": 2}, **NOW)
    change = {"y": firestore.DELETE_FIELD, "new.deep": 3, "gone.deep": firestore.DELETE_FIELD, "x": {"now": "map"}}
    users.document("a").update(change, **NOW)
    assert fields(users.document("a")) == {"x": {"now": "map"}, "new": {"deep": 3}}
    with pytest.raises(exceptions.NotFound):
        users.document("b").update({"x": 1}, **NOW)


def test_delete_is_idempotent(users: Any) -> None:
    users.document("a").set({}, **NOW)
    users.document("a").delete(**NOW)
    users.document("a").delete(**NOW)
    assert not users.document("a").get(**NOW).exists


def test_preconditions(client: firestore.Client, users: Any) -> None:
    document = users.document("a")
    with pytest.raises(exceptions.NotFound):
        document.delete(option=client.write_option(exists=True), **NOW)
    old = document.set({"n": 1}, **NOW).update_time
    seen = document.get(**NOW)
    assert seen.update_time == old
    new = document.update({"n": 2}, option=client.write_option(last_update_time=old), **NOW).update_time
    assert new > old
    stale = client.write_option(last_update_time=old)
    for write in lambda: document.update({"n": 3}, option=stale, **NOW), lambda: document.delete(option=stale, **NOW):
        with pytest.raises(exceptions.FailedPrecondition):
            write()
    assert fields(document) == {"n": 2}
    assert document.get(**NOW).create_time == seen.create_time
    document.delete(option=client.write_option(last_update_time=new), **NOW)
    with pytest.raises(exceptions.FailedPrecondition):
        document.delete(option=client.write_option(last_update_time=new), **NOW)


def test_get_all_reads_what_is_there_and_tells_what_is_missing(client: firestore.Client, users: Any) -> None:
    users.document("a").set({"x": 1, "y": {"z": 2, "w": 3}}, **NOW)
    found = client.get_all([users.document("b"), users.document("a")], field_paths=["y.z", "no"], **NOW)
    assert {document.id: document.to_dict() for document in found} == {"a": {"y": {"z": 2}}, "b": None}


def test_a_batch_is_all_or_nothing(client: firestore.Client, users: Any) -> None:
    users.document("taken").set({"n": 1}, **NOW)
    batch = client.batch()
    batch.set(users.document("new"), {"n": 1})
    batch.delete(users.document("taken"))
    batch.create(users.document("taken"), {"n": 2})
    assert len(batch.commit(**NOW)) == 3
    assert fields(users.document("taken")) == {"n": 2}

    batch = client.batch()
    batch.set(users.document("never"), {"n": 1})
    batch.create(users.document("taken"), {"n": 3})
    with pytest.raises(exceptions.AlreadyExists):
        batch.commit(**NOW)
    assert not users.document("never").get(**NOW).exists
    assert fields(users.document("taken")) == {"n": 2}


def test_a_collection_is_listed_by_id_from_a_cursor(client: firestore.Client, users: Any) -> None:
    for name in "c", "a", "é", "b", "B":
        users.document(name).set({"n": name, "m": 1}, **NOW)
    users.document("a").collection("inner").document("x").set({}, **NOW)
    client.collection("users2").document("y").set({}, **NOW)
    assert ids(users.stream(**NOW)) == ["B", "a", "b", "c", "é"]
    by_id = users.order_by("__name__")
    assert ids(by_id.limit(2).stream(**NOW)) == ["B", "a"]
    assert ids(by_id.start_after({"__name__": users.document("a")}).limit(2).stream(**NOW)) == ["b", "c"]
    assert ids(by_id.start_at({"__name__": users.document("c")}).stream(**NOW)) == ["c", "é"]
    assert ids(by_id.start_after({"__name__": users.document("bb")}).stream(**NOW)) == ["c", "é"]
    assert ids(by_id.start_after({"__name__": users.document("é")}).stream(**NOW)) == []
    assert [found.to_dict() for found in by_id.select(["n"]).limit(1).stream(**NOW)] == [{"n": "B"}]
    assert ids(users.document("a").collection("inner").stream(**NOW)) == ["x"]


def test_databases_and_projects_are_apart(client: firestore.Client, users: Any) -> None:
    users.document("a").set({"n": 1}, **NOW)
    other = firestore.Client(project=client.project, database="other")
    assert not other.collection("users").document("a").get(**NOW).exists
    assert ids(other.collection("users").stream(**NOW)) == []
    other.close()


@pytest.mark.parametrize("id", ["", "__x__", ".", ".."])
def test_reserved_ids_are_invalid(users: Any, id: str) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: users.document(id).set({}, **NOW),
        lambda: users.document(id).get(**NOW),
        lambda: users.document(id).delete(**NOW),
    ]
    for call in calls:
        with pytest.raises(exceptions.InvalidArgument):
            call()


@pytest.mark.parametrize("id", ["__x", "x__", "_", "...", "x" * 1500, " ", "%2F", "\n"])
def test_odd_ids_are_valid(users: Any, id: str) -> None:
    users.document(id).set({"n": 1}, **NOW)
    assert ids(users.stream(**NOW)) == [id]


def test_a_document_is_at_most_1_mib(users: Any) -> None:
    users.document("a").set({"d": "x" * (2**20 - 1000)}, **NOW)
    with pytest.raises(exceptions.InvalidArgument):
        users.document("a").set({"d": "x" * (2**20 + 1)}, **NOW)


# The built-in server alone: the emulator takes more ids, and has what is missing here.


@pytest.fixture
def built_in_client(monkeypatch: pytest.MonkeyPatch) -> Iterator[firestore.Client]:
    with built_in_firestore() as address:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", address)
        client = firestore.Client(project="p")
        yield client
        client.close()


@pytest.mark.parametrize("id", ["____", "x" * 1501])
def test_ids_that_the_documentation_forbids_are_invalid(built_in_client: firestore.Client, id: str) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        built_in_client.document("users", id).set({}, **NOW)


@pytest.mark.parametrize("start", ["a/b/c/d/e", "projects//databases/d/documents", "projects/p/databases/d"])
def test_a_name_of_no_database_is_invalid(built_in_client: firestore.Client, start: str) -> None:
    api: Any = built_in_client._firestore_api  # pyright: ignore[reportPrivateUsage]
    asked = {"database": "projects/p/databases/d", "documents": [f"{start}/users/1"]}
    with pytest.raises(exceptions.InvalidArgument, match=f'"{start}/users/1" is of no database'):
        list(api.batch_get_documents(asked, **NOW))


def test_what_only_google_has_is_unimplemented(built_in_client: firestore.Client) -> None:
    users: Any = built_in_client.collection("users")
    with pytest.raises(exceptions.MethodNotImplemented, match="where: only Google's emulator has it"):
        users.where(filter=firestore.FieldFilter("n", "==", 1)).get(**NOW)
    with pytest.raises(exceptions.MethodNotImplemented, match="order_by"):
        users.order_by("n").get(**NOW)
    with pytest.raises(exceptions.MethodNotImplemented, match="transforms"):
        users.document("a").set({"n": firestore.Increment(1)}, **NOW)
    transaction: Any = built_in_client.transaction()
    with pytest.raises(exceptions.MethodNotImplemented):
        transaction._begin()


def test_clear_empties_one_database_and_a_fault_stops_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def throttle(method: str, context: grpc.ServicerContext) -> None:
        if method == "Commit":
            context.abort(StatusCode.RESOURCE_EXHAUSTED, "throttled")

    with FirestoreServer() as server:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"127.0.0.1:{server.port}")
        clients = [firestore.Client(project="p", database=name) for name in ("(default)", "other")]
        documents: list[Any] = [client.document("users/a") for client in clients]
        for document in documents:
            document.set({"n": 1}, **NOW)
        server.clear("p")
        assert [fields(document) for document in documents] == [None, {"n": 1}]
        server.fault = throttle
        with pytest.raises(exceptions.ResourceExhausted, match="throttled"):
            documents[0].set({"n": 2}, **NOW)
        assert fields(documents[0]) is None
        for client in clients:
            client.close()
