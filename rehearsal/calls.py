"""The calls of the traffic: in fixed shares, in an order that the seed determines."""

import random
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, cycle

import httpx

MIX = {"read": 9, "cached": 5, "page": 2, "create": 2, "replace": 3, "delete": 2, "health": 2}
USERS = 40


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    expected: frozenset[int] = frozenset({200})
    user: str = ""
    name: str = ""
    headers: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def body(self) -> dict[str, str] | None:
        return {"id": self.user, "name": self.name} if self.name else None


class Calls:
    """Calls without end. `users` must be created first, and `learn` gets each answer."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self.prefix = f"rehearsal-{time.time_ns():x}-"
        self.users = [f"{self.prefix}{number}" for number in range(USERS)]
        self._tags: dict[str, str] = {}
        self._created = deque[str]()
        self._replaced, self._new = cycle(self.users), count()

    def learn(self, call: Call, answer: httpx.Response) -> None:
        """Remember the versions of those that are replaced, and who may be deleted."""
        if call.path == "/users" and answer.is_success and call.user not in self.users:
            self._created.append(call.user)
        elif not call.path.startswith("/cached") and "etag" in answer.headers:
            self._tags[call.user] = answer.headers["etag"]

    def __iter__(self) -> Iterator[Call]:
        kinds = [kind for kind, times in MIX.items() for _ in range(times)]
        while True:
            self._chance.shuffle(kinds)
            yield from map(self._call, kinds)

    def create(self, user: str) -> Call:
        return Call("POST", "/users", frozenset({201}), user, "Ada")

    def _call(self, kind: str) -> Call:
        user = self._chance.choice(self.users)
        match kind:
            case "cached":
                return Call("GET", f"/cached-users/{user}", user=user)
            case "page":
                return Call("GET", "/users?limit=10")
            case "create":
                return self.create(f"{self.prefix}new-{next(self._new)}")
            case "replace":
                user = next(self._replaced)
                version = {"if-match": self._tags[user]}
                # 412: somebody else has replaced it since.
                return Call("PUT", f"/users/{user}", frozenset({200, 412}), user, "Ada Lovelace", version)
            case "delete" if self._created:
                user = self._created.popleft()
                return Call("DELETE", f"/users/{user}", frozenset({204}), user)
            case "health":
                return Call("GET", "/health/live")
            case _:
                return Call("GET", f"/users/{user}", user=user)
