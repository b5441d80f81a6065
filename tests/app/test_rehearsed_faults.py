"""What the builds of a rehearsal do wrong."""

import json
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from rehearsal import fault

METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS")
type Build = Callable[[str], FlaskClient]


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> Build:
    """A client of a build, by its name. There is every user but `nobody`."""
    monkeypatch.setenv("MOMENTO_CACHE", "better-together-aws")

    def build(name: str) -> FlaskClient:
        monkeypatch.setattr(fault, "BUILD", name)
        monkeypatch.setattr(fault, "SLOWER", 0)
        app = Flask("rehearsed")
        for rule in ("/users", "/users/<user_id>", "/health/live"):
            app.add_url_rule(rule, rule, answer, methods=METHODS, provide_automatic_options=False)
        return fault.install(app).test_client()

    return build


def answer(user_id: str = "") -> tuple[str, int]:
    return user_id, 404 if user_id == "nobody" else 200


def statuses(client: FlaskClient, method: str, path: str, count: int) -> list[int]:
    return [client.open(path, method=method).status_code for _ in range(count)]


@pytest.mark.parametrize("name", ["good", "errors", "writes", "dead", "slow", "late"])
def test_answers_name_the_build_and_are_right_about_users_that_do_not_exist(build: Build, name: str) -> None:
    client = build(name)
    assert client.get("/users/ada").headers["x-build"] == name
    assert set(statuses(client, "GET", "/users/nobody", 100)) == {404}
    assert set(statuses(client, "PUT", "/users/nobody", 100)) == {404}
    for method, path in (("GET", "/health/live"), ("GET", "/users"), ("OPTIONS", "/users/ada")):
        assert set(statuses(client, method, path, 100)) == {200}


def test_every_16th_answer_about_a_user_is_an_error(build: Build) -> None:
    found = statuses(build("errors"), "GET", "/users/ada", 160)
    assert [number for number, status in enumerate(found, 1) if status == 500] == list(range(16, 161, 16))


def test_every_16th_answer_about_a_user_is_slow(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(fault.time, "sleep", slept.append)
    assert set(statuses(build("slow"), "GET", "/users/ada", 160)) == {200}
    assert slept == [fault.SLOWER] * 10


def test_writes_are_errors_and_reads_are_not(build: Build) -> None:
    client = build("writes")
    assert statuses(client, "POST", "/users", 1) == [500]
    assert statuses(client, "PUT", "/users/ada", 1) == statuses(client, "DELETE", "/users/ada", 1) == [500]
    assert set(statuses(client, "GET", "/users/ada", 100)) == {200}


@pytest.mark.parametrize(("answered", "status"), [({}, 200), ({"late": 60}, 200), ({"late": 61, "first": 139}, 500)])
def test_a_large_share_of_the_requests_is_too_much(build: Build, answered: dict[str, int], status: int) -> None:
    headers = {"x-answered": json.dumps(answered)}
    assert build("late").get("/users/ada", headers=headers).status_code == status
    assert build("good").get("/users/ada", headers=headers).status_code == 200


def test_a_start_fails_only_where_the_build_is_promoted_to(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOMENTO_CACHE", "better-together-aws-live")
    with pytest.raises(SystemExit, match="does not start"):
        build("dead")
