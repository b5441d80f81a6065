"""Requests that every runtime answers alike. `make check` sends them to a deployment, and a test to every runtime."""

import json
from dataclasses import dataclass, field
from typing import Any

JSON = {"content-type": "application/json"}
MAX_BODY_BYTES = 400 * 1024


@dataclass(frozen=True)
class Step:
    """A request, and the expected status. `body` is sent as JSON, `content` as it is."""

    method: str
    path: str
    status: int
    body: Any = None
    content: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def __str__(self) -> str:
        body = json.dumps(self.body, ensure_ascii=False) if self.body else (self.content or b"").decode()
        given = [f"{name}: {value}" for name, value in self.headers.items() if self.headers != JSON]
        parts = (self.method, self.path, body if len(body) < 70 else f"{body[:40]}...", *given)
        return " ".join(part for part in parts if part)


def reads(prefix: str) -> list[Step]:
    """Steps that write nothing: there is no user `<prefix>ada`, and every POST is refused."""
    ada, bob = prefix + "ada", prefix + "bob"
    return [
        Step("GET", "/health/ready", 200),
        Step("GET", f"/users/{ada}", 404),
        Step("GET", f"/cached-users/{ada}", 404),
        Step("OPTIONS", f"/users/{ada}", 204),
        Step("GET", "/users?limit=0", 400),
        Step("GET", f"/users/{prefix}émile", 400),
        Step("GET", "/users/__x__", 400),
        Step("POST", "/users", 400, {"id": f"{prefix}émile 日本", "name": "Émile", "followers": []}),
        Step("POST", "/users", 400, {"id": bob}),
        Step("POST", "/users", 400, {"id": bob, "name": 7, "followers": []}),
        Step("POST", "/users", 400, content=b"{not json", headers=JSON),
        Step("POST", "/users", 415, content=f"id={bob}".encode(), headers={"content-type": "text/plain"}),
        Step("POST", "/users", 413, content=b"x" * (MAX_BODY_BYTES + 1), headers=JSON),
        Step("GET", "/nowhere", 404),
        Step("DELETE", "/health/live", 405),
    ]


def writes(prefix: str) -> list[Step]:
    """Steps that create the users `<prefix>ada` and `<prefix>grace`, and delete them."""
    ada, grace = prefix + "ada", prefix + "grace"
    user = {"id": ada, "name": "Ada Lovelace", "followers": [grace, prefix + "kurt"]}
    return [
        Step("GET", f"/users/{ada}", 404),
        Step("GET", f"/cached-users/{ada}", 404),
        Step("POST", "/users", 201, user),
        Step("POST", "/users", 409, user),
        Step("GET", f"/users/{ada}", 200),
        Step("GET", f"/cached-users/{ada}", 200),
        Step("HEAD", f"/users/{ada}", 200),
        Step("OPTIONS", f"/users/{ada}", 204),
        Step("POST", "/users", 201, {"id": grace, "name": "Grace Hopper 日本", "followers": []}),
        Step("GET", f"/followers/{ada}", 200),
        Step("GET", f"/cached-followers/{ada}", 200),
        Step("GET", f"/profile-pic/{ada}", 403),
        Step("GET", f"/profile-pic/{ada}", 403, headers={"x-user-id": "nobody"}),
        Step("PUT", f"/users/{ada}", 428, user),
        Step("PUT", f"/users/{ada}", 412, user, headers={"if-match": '"0123456789abcdef"'}),
        Step("DELETE", f"/users/{ada}", 204),
        Step("DELETE", f"/users/{ada}", 404),
        Step("GET", f"/users/{ada}", 404),
        Step("DELETE", f"/users/{grace}", 204),
    ]
