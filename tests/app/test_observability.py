"""What is written about requests and upstreams."""

import io
import json
from typing import Any

import httpx
import pytest

from app.bootstrap import assemble
from app.cache.none import NoCache
from app.data import Stored, StoreUnavailable
from app.data.memory import MemoryDataClient
from app.metrics import Metrics
from app.settings import Settings
from tests.app.clients import NewClient
from tests.emf import check_emf


class BrokenStore(MemoryDataClient):
    def get_user(self, user_id: str) -> Stored | None:
        raise StoreUnavailable("down") if user_id == "down" else ValueError("a mistake of ours")


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_a_request_is_one_line(client: httpx.Client, log: io.StringIO) -> None:
    headers = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
    client.post("/users", json={"id": "1", "name": "Secret Name"}, headers=headers)
    client.get("/cached-users/1")
    client.get("/nothing/here?token=secret")
    first, second, third = lines(log)
    assert (
        first.items()
        >= {
            "severity": "INFO",
            "API": "POST:/users",
            "method": "POST",
            "route": "/users",
            "status": 201,
            "cold_start": True,
            "ColdStarts": 1,
            "trace": headers["traceparent"],
            "cache": None,
        }.items()
    )
    assert first["ProcessingTime"] > 0
    assert (second["API"], second["cold_start"], second["cache"]) == (
        "GET:/cached-users/{user_id}",
        False,
        "none; fwd=bypass",
    )
    assert (third["API"], third["method"], third["route"], third["status"]) == ("OTHER", "GET", "unknown", 404)
    assert "ecret" not in log.getvalue()


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01"),
        ("X-Cloud-Trace-Context", f"{TRACE}/67667974448284343;o=1"),
        ("X-Cloud-Trace-Context", TRACE),
    ],
)
def test_lines_are_tied_to_the_trace_of_the_project(log: io.StringIO, header: str, value: str) -> None:
    app = assemble(Settings(trace_project="p"), Metrics(stream=log), BrokenStore(), NoCache())
    app.test_client().get("/users/1", headers={header: value})
    traceback, request = lines(log)
    assert traceback["logging.googleapis.com/trace"] == f"projects/p/traces/{TRACE}"
    assert request["logging.googleapis.com/trace"] == f"projects/p/traces/{TRACE}"


@pytest.mark.parametrize(
    ("project", "headers"),
    [
        ("p", {}),
        ("p", {"traceparent": f"00-{TRACE}0-00f067aa0ba902b7-01"}),
        ("p", {"X-Amzn-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793"}),
        ("", {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}),
    ],
)
def test_without_a_trace_or_a_project_lines_are_tied_to_nothing(
    log: io.StringIO, project: str, headers: dict[str, str]
) -> None:
    app = assemble(Settings(trace_project=project), Metrics(stream=log), MemoryDataClient(), NoCache())
    app.test_client().get("/health/live", headers=headers)
    assert "logging.googleapis.com/trace" not in lines(log)[0]


def test_every_request_has_an_id_that_is_answered_too(client: httpx.Client, log: io.StringIO) -> None:
    answers = [client.get("/health/live") for _ in range(2)]
    ids = [line["request_id"] for line in lines(log)]
    assert not [line for line in lines(log) if "platform_request_id" in line], "gunicorn has none"
    assert [answer.headers["x-request-id"] for answer in answers] == ids
    assert len(set(ids)) == 2


@pytest.mark.parametrize(
    ("method", "path", "api"),
    [
        ("GET", "/users/1", "GET:/users/{user_id}"),
        ("HEAD", "/users/1", "GET:/users/{user_id}"),
        ("POST", "/bootstrap", "POST:/bootstrap"),
        ("OPTIONS", "/users", "OTHER"),
        ("OPTIONS", "/made-up", "OTHER"),
        ("DELETE", "/health/live", "OTHER"),
        ("PATCH", "/users/1", "OTHER"),
        ("BREW", "/users", "OTHER"),
        ("HEAD", "/made-up", "OTHER"),
        ("GET", "/docs", "OTHER"),
        ("OPTIONS", "/openapi.json", "OTHER"),
    ],
)
def test_every_operation_is_one_metric_and_all_else_another(
    client: httpx.Client, log: io.StringIO, method: str, path: str, api: str
) -> None:
    client.request(method, path)
    line = lines(log)[-1]
    assert (line["API"], line["method"]) == (api, method)


def test_failures_are_logged_and_say_nothing_to_the_client(
    new_client: NewClient, metrics: Metrics, log: io.StringIO
) -> None:
    app = assemble(Settings(), metrics, BrokenStore(), NoCache())
    with new_client(app) as client:
        down, mistake = client.get("/users/down"), client.get("/users/1")
    assert (down.status_code, down.headers["retry-after"]) == (503, "2")
    assert (mistake.status_code, mistake.headers["content-type"]) == (500, "application/problem+json")
    assert "mistake of ours" not in mistake.text
    unavailable, _, traceback, request = lines(log)
    assert (unavailable["severity"], unavailable["message"]) == ("ERROR", "store unavailable: down")
    assert traceback["message"].rstrip().endswith("ValueError: a mistake of ours")
    assert (request["severity"], request["Errors"]) == ("ERROR", 1)
    assert request["request_id"] == traceback["request_id"] == mistake.headers["x-request-id"]


@pytest.mark.parametrize("format", ["emf", "json"])
def test_upstreams_are_timed_and_failures_counted(format: str) -> None:
    log = io.StringIO()
    metrics = Metrics(format, "Space", log)
    with metrics.upstream("dynamodb", "GetItem") as timing:
        timing.counts = {"CacheHits": 3}
    with pytest.raises(ZeroDivisionError), metrics.upstream("firestore", "Get"):
        raise ZeroDivisionError
    with metrics.upstream("momento", "GetBatch", tolerated=("limit_exceeded",)) as timing:
        timing.outcome = "limit_exceeded"
    good, bad, refused = lines(log)
    assert (good["upstream"], good["operation"], good["outcome"], good["UpstreamErrors"], good["CacheHits"]) == (
        "dynamodb",
        "GetItem",
        "ok",
        0,
        3,
    )
    assert (bad["upstream"], bad["outcome"], bad["UpstreamErrors"]) == ("firestore", "error", 1)
    assert (refused["outcome"], refused["UpstreamErrors"]) == ("limit_exceeded", 0)
    assert good["UpstreamProcessingTime"] >= 0
    assert ("_aws" in good) == (format == "emf")
    assert good["severity"] == "INFO"


def test_emf_keeps_to_its_specification() -> None:
    log = io.StringIO()
    app = assemble(Settings(), Metrics("emf", "Space", log), MemoryDataClient(), NoCache())
    with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://testserver") as client:
        client.get("/users/1")
    [line] = lines(log)
    check_emf(line)
    assert line["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "Space",
            "Dimensions": [["API"]],
            "Metrics": [{"Name": "ProcessingTime", "Unit": "Milliseconds"}],
        },
        {
            "Namespace": "Space",
            "Dimensions": [[]],
            "Metrics": [{"Name": "Errors", "Unit": "Count"}, {"Name": "ColdStarts", "Unit": "Count"}],
        },
    ]


def test_a_line_with_text_that_is_no_unicode_is_written(log: io.StringIO) -> None:
    Metrics(stream=log).log("ERROR", "\udcff 日")
    assert log.getvalue().isascii()
    assert lines(log) == [{"severity": "ERROR", "message": "\udcff 日"}]
