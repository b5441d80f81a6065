"""What `ops` reads of the requests to a version: from the laptop's Lambda, through boto3, and of the app itself."""

import sysconfig
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ops import request_log
from ops.request_log import Request
from ops.stack import Laptop, Stack
from tests.app.gunicorn import ROOT
from tests.cloud.conftest import Daemon, Deploy, Deployed, deploying

APP = f"""
import os, sys, time
sys.path[:0] = [{str(ROOT)!r}, {sysconfig.get_path("purelib")!r}]
from app.aws_lambda import app, handler

app.get("/crash", endpoint="crash")(lambda: os._exit(1))
app.get("/hang", endpoint="hang")(lambda: time.sleep(60))
app.get("/status/<int:status>", endpoint="status")(lambda status: ("", status))
"""
NOW = time.time()
SETTINGS: dict[str, Any] = {"Timeout": 15, "Environment": {"Variables": {"METRICS_FORMAT": "emf"}}}


def stack_of(daemon: Daemon, service: str, **outputs: Any) -> Stack:
    known = {"cloud": "aws", "account": "123456789012", "region": "eu-west-1", "service": service, **outputs}
    return Stack(service, known, Laptop(daemon.home, daemon.facts["aws"], daemon.facts["google"]))


def requests(function: Deployed, begin: float = NOW, version: str = "1") -> list[Request]:
    return request_log.read(stack_of(function.daemon, function.name), version, begin, time.time() + 1)


@pytest.fixture(scope="module")
def api(daemon: Daemon) -> Iterator[Deployed]:
    with deploying(daemon) as deploy:
        yield deploy(APP, **SETTINGS)


def test_every_answer_is_a_request(api: Deployed):
    begin = time.time()
    for status in (200, 404, 429, 500, 503):
        assert api.http.get(f"/status/{status}").status_code == status
    read = requests(api, begin)
    assert [request.failed for request in read] == [True, True, False, False, False], "newest first"
    assert all(request.milliseconds > 0 for request in read)
    assert [request.cold for request in read if request.cold] in ([], [True])


def test_only_the_first_request_of_a_process_is_cold(deploy: Deploy):
    function = deploy(APP, **SETTINGS)
    for _ in range(3):
        assert function.http.get("/health/live").status_code == 200
    assert [request.cold for request in requests(function)] == [False, False, True]


def test_a_crash_fails(api: Deployed):
    begin = time.time()
    assert api.http.get("/crash").status_code == 500
    [request] = requests(api, begin)
    assert (request.failed, request.cold) == (True, False)


def test_a_timeout_fails_and_took_as_long(deploy: Deploy):
    function = deploy(APP, **SETTINGS | {"Timeout": 1})
    assert function.http.get("/hang").status_code == 500
    [request] = requests(function)
    assert request.failed
    assert request.milliseconds >= 1000


def test_a_failed_start_fails(deploy: Deploy):
    function = deploy("raise RuntimeError('no start')")
    assert function.http.get("/health/live").status_code == 500
    assert [request.failed for request in requests(function)] == [True]


def test_ids_of_clients_do_not_matter(api: Deployed):
    begin = time.time()
    for _ in range(2):
        assert api.http.get("/status/200", headers={"X-Request-Id": "mine"}).status_code == 200
    assert [request.failed for request in requests(api, begin)] == [False, False]


def test_other_versions_and_other_times_are_left_out(api: Deployed):
    assert api.http.get("/status/200").status_code == 200
    assert requests(api)
    assert requests(api, version="2") == []
    assert requests(api, begin=time.time() + 1) == []
