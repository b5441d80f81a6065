"""Cloud Run's logs: an entry for each request to a service, and for each line of JSON that its instances print, as
entries.list of Cloud Logging returns them.

https://cloud.google.com/run/docs/logging#container-logs,
https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry
"""

import asyncio
import re
import secrets
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.cloud.gcp.stdout_log import KEPT, StdoutLog

REQUESTS, STDOUT = "run.googleapis.com%2Frequests", "run.googleapis.com%2Fstdout"
FILTER = re.compile(
    rf'logName="projects/(?P<project>[^/"]+)/logs/(?P<log>{re.escape(REQUESTS)}|{re.escape(STDOUT)})"'
    r' AND resource\.labels\.service_name="(?P<service>[^"]+)"'
    r' AND resource\.labels\.revision_name="(?P<revision>[^"]+)"'
    r' AND timestamp>="(?P<begin>[^"]+)" AND timestamp<"(?P<end>[^"]+)"'
)

type Entry = dict[str, Any]


class UnknownQuery(ValueError):
    """The laptop's log cannot be searched like that."""


@dataclass(frozen=True)
class ServiceLog:
    """Where a service's requests are logged."""

    entries: deque[Entry]
    stdout: StdoutLog
    project: str
    location: str
    service: str

    def add(self, revision: str, begun: float, seconds: float, http: dict[str, Any], trace: str) -> None:
        """`begun` is in Unix seconds, `http` is the HttpRequest without its latency."""
        labels = {
            "project_id": self.project,
            "location": self.location,
            "service_name": self.service,
            "configuration_name": self.service,
            "revision_name": revision,
        }
        self.entries.append(
            {
                "insertId": secrets.token_hex(8),
                "logName": f"projects/{self.project}/logs/{REQUESTS}",
                "resource": {"type": "cloud_run_revision", "labels": labels},
                "timestamp": _time(begun),
                "severity": "ERROR" if http["status"] >= 500 else "WARNING" if http["status"] >= 400 else "INFO",
                "httpRequest": {**http, "latency": f"{seconds:.9f}s"},
                "trace": f"projects/{self.project}/traces/{trace}",
            }
        )
        self.stdout.mark(self.service, revision, begun + seconds)


class RequestLog:
    def __init__(self, stdout: StdoutLog) -> None:
        self._entries = deque[Entry](maxlen=KEPT)
        self._stdout = stdout

    def of(self, inputs: dict[str, Any]) -> ServiceLog:
        """The log of the service with these Pulumi inputs."""
        return ServiceLog(self._entries, self._stdout, inputs["project"], inputs["location"], inputs["name"])

    async def search(self, query: dict[str, Any]) -> dict[str, Any]:
        """A page of an answer, newest first. Raises UnknownQuery.

        A thread searches a copy, since the event loop also forwards the requests that are logged.
        """
        found = FILTER.fullmatch(query.get("filter", ""))
        if not found or query.get("orderBy") != "timestamp desc":
            raise UnknownQuery(f"the laptop knows no filter {query.get('filter')!r}, or only newest first")
        if query.get("resourceNames") != [f"projects/{found['project']}"]:
            raise UnknownQuery(f"resourceNames is {query.get('resourceNames')}, not the project of logName")
        size, begin = query.get("pageSize", 50), int(query.get("pageToken", 0))
        matching = self._matching(found)
        entries = await asyncio.to_thread(sorted, matching, key=lambda entry: entry["timestamp"], reverse=True)
        page = entries[begin : begin + size]
        return {"entries": page} | ({"nextPageToken": str(begin + size)} if len(entries) > begin + size else {})

    def _matching(self, found: re.Match[str]) -> Iterator[Entry]:
        """Copies what it goes through when it is called, and searches when it is iterated."""
        begin, end = datetime.fromisoformat(found["begin"]), datetime.fromisoformat(found["end"])
        if found["log"] == STDOUT:
            return self._printed(found, begin.timestamp(), end.timestamp())
        log = f"projects/{found['project']}/logs/{REQUESTS}"
        return (
            entry
            for entry in self._entries.copy()
            if (labels := entry["resource"]["labels"])["revision_name"] == found["revision"]
            and (labels["service_name"], entry["logName"]) == (found["service"], log)
            and begin <= datetime.fromisoformat(entry["timestamp"]) < end
        )

    def _printed(self, found: re.Match[str], begin: float, end: float) -> Iterator[Entry]:
        """https://cloud.google.com/logging/docs/structured-logging: `severity` becomes the entry's."""
        labels = {"service_name": found["service"], "revision_name": found["revision"]}
        return (
            {
                "logName": f"projects/{found['project']}/logs/{STDOUT}",
                "resource": {"type": "cloud_run_revision", "labels": labels},
                "timestamp": _time(at),
                "severity": line.pop("severity", "DEFAULT"),
                "jsonPayload": line,
            }
            for at, line in self._stdout.lines(found["service"], found["revision"], begin, end)
        )


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
