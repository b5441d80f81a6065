"""What the app's processes on Lambda and Cloud Run really print, in the files where the laptop's clouds keep it."""

import base64
import json
import os
import re
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.breaking import STORES, broken, kill_workers
from tests.e2e.laptop import Laptop
from tests.emf import check_emf

LOGS = {"aws": "lambda-*.log", "gcp": "run-*.log"}
# What is not the app's: Lambda's platform, and gunicorn.
PLATFORM = re.compile(
    r"(INIT_REPORT|START|END|REPORT) |\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[\d+\] \[[A-Z]+\] "
)
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
GIVEN_ID = "given-by-the-client"
UPSTREAM_FIELDS = {"severity", "upstream", "UpstreamProcessingTime", "UpstreamErrors", "operation", "outcome"}


@dataclass(frozen=True)
class Log:
    """The logs of a cloud's processes from now on."""

    home: Path
    cloud: str
    sizes: dict[Path, int]

    @classmethod
    def of(cls, clouds: Laptop, cloud: str) -> "Log":
        files = (clouds.home / "logs").glob(LOGS[cloud])
        return cls(clouds.home, cloud, {file: file.stat().st_size for file in files})

    def text(self) -> str:
        files = (self.home / "logs").glob(LOGS[self.cloud])
        return "".join(file.read_bytes()[self.sizes.get(file, 0) :].decode() for file in files)

    def lines(self) -> list[dict[str, Any]]:
        """The app's own: each must be one JSON object."""
        lines = [json.loads(line) for line in self.text().splitlines() if not PLATFORM.match(line)]
        assert all(isinstance(line, dict) for line in lines)
        return lines

    def requests(self) -> list[dict[str, Any]]:
        return [line for line in self.lines() if "API" in line]


@pytest.fixture
def log(young: httpx.Client, cloud: str, clouds: Laptop) -> Log:
    """The app's processes have not served yet."""
    return Log.of(clouds, cloud)


def test_every_request_is_one_line(young: httpx.Client, cloud: str, log: Log) -> None:
    user_id = uuid.uuid4().hex
    headers = {"traceparent": TRACE, "X-Request-Id": GIVEN_ID}
    answers = [
        young.post("/users", json={"id": user_id, "name": "Ada"}, headers=headers),
        young.get(f"/cached-users/{user_id}", headers=headers),
        young.get(f"/cached-users/{user_id}", headers=headers),
        young.get(f"/users/{uuid.uuid4().hex}", headers=headers),
        young.get(f"/nowhere/{user_id}"),
    ]
    lines = log.requests()
    assert [(line["API"], line["route"], line["status"], line["cache"]) for line in lines] == [
        ("POST:/users", "/users", 201, None),
        ("GET:/cached-users/{user_id}", "/cached-users/{user_id}", 200, "momento; fwd=uri-miss; stored"),
        ("GET:/cached-users/{user_id}", "/cached-users/{user_id}", 200, "momento; hit"),
        ("GET:/users/{user_id}", "/users/{user_id}", 404, None),
        ("OTHER", "unknown", 404, None),
    ]
    assert [line["cold_start"] for line in lines] == [True, False, False, False, False]
    assert all(line["ProcessingTime"] > 0 and line["severity"] == "INFO" for line in lines)
    assert [line["trace"] for line in lines[:4]] == [TRACE] * 4
    assert re.fullmatch("Root=1-.*" if cloud == "aws" else "00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]", lines[4]["trace"])
    ids = [line["request_id"] for line in lines]
    assert ids == [answer.headers["x-request-id"] for answer in answers]
    assert ids[:4] == [GIVEN_ID] * 4
    if cloud == "aws":
        assert ids[4] == re.findall(r"^START RequestId: (\S+) ", log.text(), re.MULTILINE)[4]
    else:
        assert re.fullmatch("[0-9a-f]{32}", ids[4])


def test_a_cold_start_is_one_for_each_process(young: httpx.Client, cloud: str, clouds: Laptop, log: Log) -> None:
    for _ in range(2):
        for _ in range(2):
            assert young.get("/health/live").status_code == 200
        assert kill_workers(clouds, cloud)
    assert [line["cold_start"] for line in log.requests()] == [True, False] * 2
    assert [line["ColdStarts"] for line in log.requests()] == [1, 0] * 2


def test_metrics_are_emf_on_aws_and_the_same_fields_on_google_cloud(young: httpx.Client, cloud: str, log: Log) -> None:
    user_id, store = uuid.uuid4().hex, "dynamodb" if cloud == "aws" else "firestore"
    young.post("/users", json={"id": user_id, "name": "Ada"})
    for _ in range(2):
        young.get(f"/cached-users/{user_id}")
    lines = log.lines()
    created, miss, hit = [store, None], ["momento", store, "momento", None], ["momento", None]
    assert [line.get("upstream") for line in lines] == [*created, *miss, *hit]
    for line in lines:
        assert ("_aws" in line) == (cloud == "aws")
        if cloud == "aws":
            check_emf(line)
            directives = line.pop("_aws")["CloudWatchMetrics"]
            assert {directive["Namespace"] for directive in directives} == {"better-together-aws"}
        if "upstream" in line:
            assert line.keys() - {"CacheHits", "CacheMisses", "CacheOperations"} == UPSTREAM_FIELDS
    assert [(line["CacheHits"], line["CacheMisses"]) for line in lines if "CacheHits" in line] == [(0, 1), (1, 0)]
    assert [line["CacheOperations"] for line in lines if line.get("upstream") == "momento"] == [1] * 3


def test_what_fails_is_logged_with_its_request(young: httpx.Client, cloud: str, clouds: Laptop, log: Log) -> None:
    with broken(clouds, STORES[cloud], "throttled"):
        answer = young.get("/users/ada")
    assert answer.status_code == 503
    *upstream, reason, request = log.lines()
    assert {(line["outcome"], line["UpstreamErrors"]) for line in upstream} == {("error", 1)}
    assert (reason["severity"], reason["message"].partition(":")[0]) == ("ERROR", "store unavailable")
    assert (request["severity"], request["status"], request["Errors"]) == ("ERROR", 503, 1)
    assert reason["request_id"] == request["request_id"] == answer.headers["x-request-id"]


def test_no_secret_and_no_picture_is_in_any_log(young: httpx.Client, cloud: str, clouds: Laptop) -> None:
    token, picture = uuid.uuid4().hex, b"GIF89a" + os.urandom(3000)
    user_id, name = uuid.uuid4().hex, f"Name {uuid.uuid4().hex}"
    user = {"id": user_id, "name": name, "profile_pic": base64.b64encode(picture).decode()}
    headers = {"Authorization": f"Bearer {token}", "X-User-Id": user_id}
    young.post("/users", json=user, headers=headers).raise_for_status()
    for _ in range(2):
        assert young.get(f"/cached-profile-pic/{user_id}", headers=headers).content == picture
    assert young.post("/users", json=user | {"name": 7}, headers=headers).status_code == 400
    with broken(clouds, STORES[cloud], "throttled"):
        assert young.put(f"/users/{user_id}", json=user, headers=headers | {"If-Match": "*"}).status_code == 503
    written = [file.read_bytes() for file in [*(clouds.home / "logs").iterdir(), clouds.home / "daemon.log"]]
    assert any(b"/cached-profile-pic/{user_id}" in log for log in written)
    piece = picture[100:130]
    secrets = {
        "token": token.encode(),
        "Momento key": clouds.daemon()["momentoApiKey"].encode(),
        "name": name.encode(),
        "picture": piece,
        "picture as base64": user["profile_pic"].encode()[200:240],
        "picture as Python shows it": repr(piece)[2:-1].encode(),
        "picture as JSON shows it": json.dumps(piece.decode("latin1"))[1:-1].encode(),
    }
    assert [what for what, secret in secrets.items() if any(secret in log for log in written)] == []
