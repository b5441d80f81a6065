"""The store, or the process that writes to it, fails: no answer is wrong, and no acknowledged write is lost."""

import threading
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.e2e.breaking import STORES, await_held, broken, kill_workers, workers
from tests.e2e.laptop import Laptop

WRITERS = 4


@pytest.mark.parametrize(
    ("cloud", "fault"),
    [
        ("aws", "down"),
        ("gcp", "throttled"),
        pytest.param("aws", "throttled", marks=pytest.mark.prove),
        pytest.param("gcp", "down", marks=pytest.mark.prove),
    ],
)
def test_without_the_store_it_is_503(young: httpx.Client, cloud: str, clouds: Laptop, fault: str) -> None:
    user_id, other = new_user(young, "Ada"), uuid.uuid4().hex
    before = young.get(f"/users/{user_id}")
    requests: list[Callable[[], httpx.Response]] = [
        lambda: young.get(f"/users/{user_id}"),
        lambda: young.get(f"/cached-users/{user_id}"),
        lambda: young.get(f"/followers/{other}"),
        lambda: young.post("/users", json={"id": other, "name": "Other"}),
        lambda: young.put(f"/users/{user_id}", json={"id": user_id, "name": "New"}, headers={"If-Match": "*"}),
        lambda: young.delete(f"/users/{user_id}"),
    ]
    # On Lambda one by one: every request at the same time is a process more, which cannot start without its secret.
    with broken(clouds, STORES[cloud], fault), ThreadPoolExecutor(1 if cloud == "aws" else len(requests)) as threads:
        answers = [answer.result() for answer in [threads.submit(request) for request in requests]]
    assert [(answer.status_code, answer.headers.get("retry-after")) for answer in answers] == [(503, "2")] * 6
    after = young.get(f"/users/{user_id}")
    assert (after.status_code, after.json(), after.headers["etag"]) == (200, before.json(), before.headers["etag"])
    assert young.get(f"/users/{other}").status_code == 404


def test_half_a_batch_is_never_taken_for_the_whole(young: httpx.Client, cloud: str, clouds: Laptop) -> None:
    names = [f"Follower {number}" for number in range(100)]
    user_id = new_user(young, "Ada", [new_user(young, name) for name in names])
    with broken(clouds, STORES[cloud], "halved"):
        during = [young.get(f"/{route}/{user_id}") for route in ("followers", "cached-followers")]
        listed = young.get("/users?limit=100")
    assert [(answer.status_code, answer.json()) for answer in during] == [(200, names)] * 2
    # One call of DynamoDB's lists everybody; a stream of Firestore's that breaks off goes on while there is time.
    if cloud == "gcp" and listed.status_code == 503:
        assert listed.headers["retry-after"] == "2"
    else:
        assert listed.json() == young.get("/users?limit=100").json()
    for route in ("followers", "cached-followers"):
        assert young.get(f"/{route}/{user_id}").json() == names


def test_of_two_writers_one_wins(young: httpx.Client, cloud: str, clouds: Laptop) -> None:
    # Each writer needs a process on Lambda, and on a busy machine one may take longer to start than a request may take.
    while any(answer.status_code != 200 for answer in at_once(lambda _: young.get("/users"))) or (
        cloud == "aws" and len(workers(clouds, cloud)) < WRITERS
    ):
        pass
    new = uuid.uuid4().hex
    created = at_once(lambda number: young.post("/users", json={"id": new, "name": f"Writer {number}"}))
    assert Counter(answer.status_code for answer in created) == {201: 1, 409: WRITERS - 1}
    first = young.get(f"/users/{new}")
    assert first.json()["name"] == winner(created, 201)

    version = {"If-Match": first.headers["etag"]}
    replaced = at_once(
        lambda number: young.put(f"/users/{new}", json={"id": new, "name": f"New {number}"}, headers=version)
    )
    assert Counter(answer.status_code for answer in replaced) == {200: 1, 412: WRITERS - 1}
    assert young.get(f"/users/{new}").json()["name"] == winner(replaced, 200)


def test_a_process_killed_in_mid_request_loses_nothing(young: httpx.Client, cloud: str, clouds: Laptop) -> None:
    before, in_flight = new_user(young, "Before"), uuid.uuid4().hex
    with ThreadPoolExecutor(1) as threads, broken(clouds, STORES[cloud], "held"):
        write = threads.submit(young.post, "/users", json={"id": in_flight, "name": "In flight"})
        await_held(clouds, STORES[cloud])
        assert kill_workers(clouds, cloud)
        assert write.result().status_code in (500, 503)
    assert young.get(f"/users/{before}").json()["name"] == "Before"
    retried = young.post("/users", json={"id": in_flight, "name": "In flight"})
    assert retried.status_code in (201, 409), retried.text
    assert young.get(f"/users/{in_flight}").json()["name"] == "In flight"


def new_user(client: httpx.Client, name: str, followers: list[str] | None = None) -> str:
    user_id = uuid.uuid4().hex
    created = client.post("/users", json={"id": user_id, "name": name, "followers": followers or []})
    assert created.status_code == 201, created.text
    return user_id


def at_once(write: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """What WRITERS who begin at the same time are answered."""
    ready = threading.Barrier(WRITERS)

    def one(number: int) -> httpx.Response:
        ready.wait()
        return write(number)

    with ThreadPoolExecutor(WRITERS) as threads:
        return list(threads.map(one, range(WRITERS)))


def winner(answers: list[httpx.Response], status: int) -> str:
    [name] = [answer.json()["name"] for answer in answers if answer.status_code == status]
    return name
