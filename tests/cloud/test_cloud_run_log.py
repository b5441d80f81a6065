"""What `ops` reads of the requests to a revision, from the laptop's Cloud Logging, of the laptop's Cloud Run."""

import asyncio
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from local.cloud.gcp import stdout_log
from local.cloud.gcp.request_log import Entry, RequestLog
from ops import cloud_run_log, metric_log, request_log
from ops.request_log import Request
from ops.stack import Laptop, Stack
from tests.cloud.conftest import Daemon
from tests.cloud.test_cloud_run import SERVICE, Cloud, cloud

__all__ = ["cloud"]

SERVER = """
    import os, time
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/crash":
                os._exit(1)
            if self.path == "/hang":
                time.sleep(60)
            self.send_response(int(self.path.partition("?")[0].strip("/") or 200))
            self.send_header("Content-Length", "0")
            self.end_headers()

    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
STARTED = {"startupProbe": {"httpGet": {"path": "/"}, "periodSeconds": 1, "failureThreshold": 60}}


def stack_of(daemon: Daemon, service: str = "s", **outputs: Any) -> Stack:
    known = {"cloud": "gcp", "account": "p", "region": "europe-west1", "service": service, **outputs}
    return Stack(service, known, Laptop(daemon.home, daemon.facts["aws"], daemon.facts["google"]))


def revision_of(cloud: Cloud) -> str:
    url = f"/gcp/resources/{quote(SERVICE, safe='')}/{cloud.name}"
    return cloud.daemon.control.get(url).json()["outputs"]["latestReadyRevision"].rpartition("/")[2]


def requests(cloud: Cloud, revision: str, begin: float = 0) -> list[Request]:
    return request_log.read(stack_of(cloud.daemon, cloud.name), revision, begin, time.time() + 1)


def test_every_answer_is_a_request(cloud: Cloud):
    client = cloud.deployed(source=SERVER, container=STARTED)
    for path in ("/200", "/404", "/500", "/503", "/crash"):
        client.get(path)
    read = requests(cloud, revision_of(cloud))
    assert [request.failed for request in read] == [True, True, True, False, False], "newest first"
    assert all(request.milliseconds > 0 and not request.cold for request in read)


def test_a_timeout_fails_and_took_as_long(cloud: Cloud):
    client = cloud.deployed(source=SERVER, container=STARTED, template={"timeout": "1s"})
    assert client.get("/hang").status_code == 504
    [request] = requests(cloud, revision_of(cloud))
    assert request.failed
    assert request.milliseconds >= 1000


def test_other_revisions_services_and_times_are_left_out(cloud: Cloud):
    client = cloud.deployed(source=SERVER, container=STARTED)
    client.get("/")
    revision = revision_of(cloud)
    assert len(requests(cloud, revision)) == 1
    assert requests(cloud, "another") == []
    assert requests(cloud, revision, time.time() + 1) == []
    assert request_log.read(stack_of(cloud.daemon, "another"), revision, 0, time.time() + 1) == []


def test_pages(cloud: Cloud, monkeypatch: pytest.MonkeyPatch):
    client = cloud.deployed(source=SERVER, container=STARTED)
    for status in (500, 200, 200, 200, 200):
        client.get(f"/{status}")
    monkeypatch.setattr(cloud_run_log, "PAGE", 2)
    assert [request.failed for request in requests(cloud, revision_of(cloud))] == [False] * 4 + [True]
    monkeypatch.setattr(cloud_run_log, "LIMIT", 3)
    assert [request.failed for request in requests(cloud, revision_of(cloud))] == [False] * 3


def test_an_entry_is_as_google_documents_it(cloud: Cloud):
    """https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry"""
    client = cloud.deployed(source=SERVER, container=STARTED)
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    client.get("/500?a=b", headers={"User-Agent": "agent", "X-Cloud-Trace-Context": f"{trace}/1"})
    revision = revision_of(cloud)
    query = {
        "resourceNames": ["projects/p"],
        "filter": f'logName="projects/p/logs/run.googleapis.com%2Frequests"'
        f' AND resource.labels.service_name="{cloud.name}" AND resource.labels.revision_name="{revision}"'
        ' AND timestamp>="2020-01-01T00:00:00Z" AND timestamp<"2100-01-01T00:00:00Z"',
        "orderBy": "timestamp desc",
    }
    [entry] = httpx.post(f"{cloud.daemon.facts['google']}/v2/entries:list", json=query).json()["entries"]
    assert entry["logName"] == "projects/p/logs/run.googleapis.com%2Frequests"
    assert entry["resource"]["type"] == "cloud_run_revision"
    assert entry["resource"]["labels"] == {
        "project_id": "p",
        "location": "europe-west1",
        "service_name": cloud.name,
        "configuration_name": cloud.name,
        "revision_name": revision,
    }
    assert (entry["severity"], entry["trace"]) == ("ERROR", f"projects/p/traces/{trace}")
    http = entry["httpRequest"]
    assert (http["requestMethod"], http["requestUrl"]) == ("GET", str(client.base_url.join("/500?a=b")))
    assert (http["status"], http["userAgent"], http["latency"][-1]) == (500, "agent", "s")


PRINTER = """
    import json, os
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            print("plain text about ProcessingTime", flush=True)
            print(json.dumps({"severity": "WARNING", "API": self.path, "ProcessingTime": 1.5}), flush=True)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


def test_what_a_request_prints_has_its_time(cloud: Cloud):
    client = cloud.deployed(source=PRINTER, container=STARTED)
    begins: list[float] = []
    for number in range(3):
        begins.append(time.time())
        client.get(f"/{number}")
    revision = revision_of(cloud)
    stack = stack_of(cloud.daemon, cloud.name, revision=revision, stableRevision=revision)
    printed = [one for one in metric_log.read(stack, begins[0], time.time() + 1) if one.name != "/"]
    assert [one.name for one in printed] == ["/2", "/1", "/0"], "newest first"
    assert begins[0] <= printed[2].at <= begins[1] <= printed[1].at <= begins[2] <= printed[0].at
    assert [one.name for one in metric_log.read(stack, begins[1], begins[2])] == ["/1"]
    [entry] = cloud_run_log.entries(stack, "stdout", revision, begins[1], begins[2], 10)
    assert (entry["severity"], entry["jsonPayload"]) == ("WARNING", {"API": "/1", "ProcessingTime": 1.5})


def query(log: str) -> dict[str, Any]:
    """Of service s and revision r of project p, at any time."""
    return {
        "resourceNames": ["projects/p"],
        "filter": f'logName="projects/p/logs/run.googleapis.com%2F{log}" AND resource.labels.service_name="s"'
        ' AND resource.labels.revision_name="r" AND timestamp>="2020-01-01T00:00:00Z"'
        ' AND timestamp<"2100-01-01T00:00:00Z"',
        "orderBy": "timestamp desc",
    }


@pytest.mark.parametrize("log", ["requests", "stdout"])
def test_the_event_loop_never_waits_for_a_search(log: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    stdout = stdout_log.StdoutLog(tmp_path)
    requests = RequestLog(stdout)
    service = requests.of({"name": "s", "project": "p", "location": "l"})
    searching = set[threading.Thread]()

    def serve() -> None:
        service.add("r", time.time(), 0.1, {"status": 200}, "t")

    class Watched(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            searching.add(threading.current_thread())
            serve()
            return super().__getitem__(key)

    def parsed(text: bytes) -> Entry:
        searching.add(threading.current_thread())
        serve()
        return {}

    monkeypatch.setattr(stdout_log, "_parsed", parsed)
    stdout.file("s", "r").write_text("{}\n")
    serve()
    service.entries[0] = Watched(service.entries[0])
    assert len(asyncio.run(requests.search(query(log)))["entries"]) == 1
    assert searching
    assert threading.current_thread() not in searching


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"filter": "severity>=ERROR"}, "the laptop knows no filter 'severity>=ERROR'"),
        ({"orderBy": "timestamp asc"}, "or only newest first"),
        ({"resourceNames": ["projects/other"]}, "resourceNames is ['projects/other'], not the project of logName"),
    ],
)
def test_another_query_is_refused(daemon: Daemon, change: dict[str, Any], problem: str):
    url = f"{daemon.facts['google']}/v2/entries:list"
    assert httpx.post(url, json=query("requests")).json() == {"entries": []}
    answer = httpx.post(url, json=query("requests") | change)
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert problem in answer.json()["error"]["message"]


def test_another_call_is_unknown(daemon: Daemon):
    answer = httpx.get(f"{daemon.facts['google']}/storage/v1/b")
    assert (answer.status_code, answer.json()["error"]["status"]) == (404, "NOT_FOUND")


def test_the_latest_answers_date_their_lines_and_a_log_can_be_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stdout_log, "KEPT", 2)
    log = stdout_log.StdoutLog(tmp_path)
    file = log.file("s", "r")
    log.mark("s", "r", 1)
    for number in range(2, 5):
        with file.open("a") as text:
            text.write(f'{{"number": {number}}}\n')
        log.mark("s", "r", number)
    assert list(log.lines("s", "r", 0, 5)) == [(4, {"number": 4})]
    file.unlink()
    log.mark("s", "r", 5)
    assert list(log.lines("s", "r", 0, 6)) == []
