"""Requests to a revision of a Cloud Run service, from Cloud Run's request log in Cloud Logging.

The log has an entry for each request, also for one that an instance did not answer, by a crash, a time-out or a failed
start: https://cloud.google.com/run/docs/logging. For the search,
https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list
"""

from datetime import UTC, datetime
from typing import Any

from ops import google
from ops.request_log import LIMIT, Request
from ops.stack import Stack

PAGE = 1000  # entries, the most that are allowed


def read(stack: Stack, revision: str, begin: float, end: float) -> list[Request]:
    """As `ops.request_log.read`."""
    return [_request(entry) for entry in entries(stack, "requests", revision, begin, end, LIMIT)]


def entries(stack: Stack, log: str, revision: str, begin: float, end: float, most: int) -> list[dict[str, Any]]:
    """The newest `most` entries of Cloud Run's log `requests` or `stdout`. A page may be empty, and not be the last."""
    project = stack.output("account")
    query: dict[str, Any] = {
        "resourceNames": [f"projects/{project}"],
        "filter": " AND ".join(
            [
                f'logName="projects/{project}/logs/run.googleapis.com%2F{log}"',
                f'resource.labels.service_name="{stack.output("service")}"',
                f'resource.labels.revision_name="{revision}"',
                f'timestamp>="{_time(begin)}"',
                f'timestamp<"{_time(end)}"',
            ]
        ),
        "orderBy": "timestamp desc",
        "pageSize": PAGE,
    }
    found: list[dict[str, Any]] = []
    with google.errors(stack), google.client(stack, "logging") as client:
        while len(found) < most:
            page = google.ask(client, "POST", "/v2/entries:list", query).json()
            found += page.get("entries", [])
            if not (token := page.get("nextPageToken")):
                break
            query["pageToken"] = token
    return found[:most]


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _request(entry: dict[str, Any]) -> Request:
    """https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry; without a status, nobody was answered."""
    http = entry["httpRequest"]
    seconds = float(http.get("latency", "0s").removesuffix("s"))
    at = datetime.fromisoformat(entry["timestamp"]).timestamp()
    return Request(failed=http.get("status", 500) >= 500, milliseconds=seconds * 1000, cold=False, at=at)
