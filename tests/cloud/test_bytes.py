"""The same bytes, through real sockets, to every runtime of the app: the same status, and problem details for an error.

`aws` and `gcp` are the app behind the laptop's front doors, `gunicorn` and `flask run` are without any.
"""

import http.client
import re
import socket
import sys
import sysconfig
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from app.http.problems import PROBLEM_JSON
from tests.app.gunicorn import ROOT, gunicorn
from tests.cloud.byte_cases import DIFFERENT, EVERYWHERE, LIES, LIVE, MALFORMED, get, post, sized
from tests.cloud.conftest import Daemon, deploying
from tests.cloud.test_cloud_run import SERVICE, Cloud
from tests.flask_run import flask_run

LAMBDA = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}, {sysconfig.get_path("purelib")!r}]
from app.aws_lambda import handler
"""
CLOUD_RUN = f"""
import os
os.chdir({str(ROOT)!r})
python = {sys.executable!r}
os.execv(python, [python, "-m", "gunicorn", "--config", "python:app.gunicorn_config", "app.wsgi:app"])
"""
STARTED = {"httpGet": {"path": "/health/live"}, "periodSeconds": 1, "failureThreshold": 60}

type Address = tuple[str, int]


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def is_problem(self) -> bool:
        return self.headers["Content-Type"] == PROBLEM_JSON


@pytest.fixture(scope="module")
def gcp(daemon: Daemon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    cloud = Cloud(daemon, tmp_path_factory.mktemp("bytes"), "bytes")
    yield address(str(cloud.deployed(source=CLOUD_RUN, container={"startupProbe": STARTED}).base_url))
    cloud.delete(SERVICE, cloud.name)


@pytest.fixture(scope="module")
def runtimes(daemon: Daemon, gcp: Address) -> Iterator[dict[str, Address]]:
    with deploying(daemon) as deploy, gunicorn({}) as alone, flask_run() as url:
        aws = address(deploy(LAMBDA, Timeout=30).url)
        yield {"aws": aws, "gcp": gcp, "gunicorn": alone, "flask run": address(url)}


def address(url: str) -> Address:
    host, _, port = url.removeprefix("http://").rstrip("/").partition(":")
    return host, int(port)


def send(address: Address, request: bytes) -> Answer:
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(request)
        with http.client.HTTPResponse(connection, method=request.split(maxsplit=1)[0].decode()) as response:
            response.begin()
            return Answer(response.status, response.headers, response.read())


@pytest.mark.parametrize(("request_bytes", "status"), EVERYWHERE.values(), ids=EVERYWHERE)
def test_every_runtime_answers_alike(runtimes: dict[str, Address], request_bytes: bytes, status: int) -> None:
    answers = {name: send(address, request_bytes) for name, address in runtimes.items()}
    assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(runtimes, status)
    if status in (414, 431):
        answers.pop("aws")  # API Gateway refuses by itself, in its own words
    assert {name: answer.is_problem for name, answer in answers.items()} == dict.fromkeys(answers, status >= 400)


@pytest.mark.parametrize("request_bytes", MALFORMED.values(), ids=MALFORMED)
def test_malformed_http_is_refused(runtimes: dict[str, Address], request_bytes: bytes) -> None:
    answers = {name: send(runtimes[name], request_bytes) for name in ("aws", "gcp", "gunicorn")}
    assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(answers, 400)
    assert answers["gunicorn"].is_problem


@pytest.mark.parametrize(("request_bytes", "statuses"), DIFFERENT.values(), ids=DIFFERENT)
def test_where_runtimes_differ(runtimes: dict[str, Address], request_bytes: bytes, statuses: dict[str, int]) -> None:
    answers = {name: send(address, request_bytes) for name, address in runtimes.items()}
    assert {name: answer.status for name, answer in answers.items()} == statuses
    for name in ("gunicorn", "flask run"):
        assert answers[name].is_problem == (statuses[name] >= 400)


def test_no_answer_repeats_what_proxies_say(runtimes: dict[str, Address]) -> None:
    """No header tells the app where it is reached, or who calls."""
    body = b'{"id":"lied-to","name":"Ada"}'
    create = sized(*LIES, body=body).replace(b"Host: a", b"Host: evil.example")
    for name, address in runtimes.items():
        answer = send(address, create)
        assert (answer.status, answer.headers["Location"]) == (201, "/users/lied-to"), name
        assert b"evil" not in str(answer.headers).encode() + answer.body


def test_the_length_of_a_head_is_that_of_a_get(runtimes: dict[str, Address]) -> None:
    for name, address in runtimes.items():
        head, whole = send(address, get(LIVE, method=b"HEAD")), send(address, get(LIVE))
        assert (head.body, head.headers["Content-Length"]) == (b"", str(len(whole.body))), name


def test_a_304_has_no_type_but_that_of_the_200(runtimes: dict[str, Address]) -> None:
    for name, address in runtimes.items():
        for path in (b"/openapi.json", b"/docs"):
            whole = send(address, get(path))
            answer = send(address, get(path, b"If-None-Match: " + whole.headers["ETag"].encode()))
            assert answer.status == 304
            assert answer.headers["Content-Type"] in (None, whole.headers["Content-Type"]), name


def test_options_of_the_documents_are_like_those_of_other_routes(runtimes: dict[str, Address]) -> None:
    for name, address in runtimes.items():
        for path in (b"/openapi.json", b"/docs", b"/users/1"):
            answer = send(address, get(path, method=b"OPTIONS"))
            methods = answer.headers["Allow"].split(", ")
            assert (answer.body, methods) == (b"", sorted(methods)), name
            assert {"GET", "HEAD", "OPTIONS"} <= set(methods)


def test_the_clients_request_id_is_answered(runtimes: dict[str, Address]) -> None:
    for name, address in runtimes.items():
        assert send(address, get(LIVE, b"X-Request-Id: mine-1")).headers["X-Request-Id"] == "mine-1", name
        assert send(address, get(LIVE, b"X-Request-Id: \xff")).headers["X-Request-Id"].isascii(), name


def test_an_encoded_body_is_told_which_encodings_are_taken(runtimes: dict[str, Address]) -> None:
    """RFC 9110, 12.5.3."""
    for name, address in runtimes.items():
        assert send(address, sized(b"Content-Encoding: gzip")).headers["Accept-Encoding"] == "identity", name


@pytest.mark.parametrize("expectation", [b"100-continue", b"100-Continue", b"100-continue, 100-continue"])
def test_who_waits_for_a_100_gets_it(runtimes: dict[str, Address], expectation: bytes) -> None:
    alone = {"aws", "gcp"} if b"," in expectation else set(runtimes)  # gunicorn and `flask run` know one at a time
    for name, address in runtimes.items():
        head, _, body = sized(b"Expect: " + expectation, b"Connection: close").partition(b"\r\n\r\n")
        if name not in alone:
            continue
        with socket.create_connection(address, timeout=60) as connection, connection.makefile("rb") as answer:
            connection.sendall(head + b"\r\n\r\n")
            assert answer.readline().startswith(b"HTTP/1.1 100 "), name
            connection.sendall(body)
            statuses = [line.split()[1] for line in answer if line.startswith(b"HTTP/1.1 ")]
            assert statuses[-1] == b"400", name  # `flask run` has sent a second 100


def test_who_waits_for_a_100_with_too_large_a_body_gets_a_413_instead(runtimes: dict[str, Address]) -> None:
    for name in "aws", "gcp":
        request = post(b"Content-Length: %d" % (32 * 2**20 + 1), b"Expect: 100-continue", body=b"")
        with socket.create_connection(runtimes[name], timeout=60) as connection, connection.makefile("rb") as answer:
            connection.sendall(request)
            assert answer.readline().startswith(b"HTTP/1.1 413 "), name
            assert b"Connection: close\r\n" in iter(answer.readline, b"\r\n")


def test_no_http_1_0_client_gets_a_100(runtimes: dict[str, Address]) -> None:
    request = sized(b"Expect: 100-continue").replace(b"HTTP/1.1", b"HTTP/1.0")
    for name in "aws", "gcp":
        assert whole(runtimes[name], request).split()[1] == b"400", name


@pytest.mark.parametrize("front", ["aws", "gcp"])
def test_connections_stay_in_sync(runtimes: dict[str, Address], front: str) -> None:
    """What comes behind a request on its connection is answered as a request of its own, or not at all."""
    follower = get(LIVE, b"X-Request-Id: follower", b"Connection: close")
    cases = {name: case[0] for name, case in (EVERYWHERE | DIFFERENT).items()} | MALFORMED
    for name, case in cases.items():
        answers = whole(runtimes[front], case + follower)
        first, *others = re.findall(rb"HTTP/1.[01] (?!100 )(\d{3}) ", answers)
        assert first < b"500", name
        assert others == [b"200"] * answers.lower().count(b"\r\nx-request-id: follower\r\n"), (name, answers)


def whole(address: Address, request: bytes) -> bytes:
    """All that comes until the connection is closed."""
    with socket.create_connection(address, timeout=60) as connection, connection.makefile("rb") as answer:
        connection.sendall(request)
        return answer.read()
