"""Which route of an HTTP API a request takes.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html: the most specific match wins:
a full match, then a path with a greedy variable, then `$default`; a method before ANY.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Route:
    key: str
    target: str

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The path parameters, or None if the route is not for this request."""
        if self.key == "$default":
            return {}
        wanted, _, template = self.key.partition(" ")
        if wanted not in (method, "ANY"):
            return None
        found = re.fullmatch(_pattern(template), path, re.DOTALL)
        return found.groupdict() if found else None

    @property
    def rank(self) -> tuple[int, int, int]:
        """Sorts the most specific first."""
        kind = 2 if self.key == "$default" else 1 if "+}" in self.key else 0
        return kind, -len(re.sub(r"{.*?}", "", self.key.partition(" ")[2])), int(self.key.startswith("ANY "))


def choose(routes: Iterable[Route], method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    for route in sorted(routes, key=lambda route: route.rank):
        parameters = route.match(method, path)
        if parameters is not None:
            return route, parameters
    return None


def _pattern(template: str) -> str:
    parts = re.split(r"{(\w+)(\+?)}", template)
    pattern = re.escape(parts[0])
    for name, greedy, literal in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        pattern += f"(?P<{name}>{'.+' if greedy else '[^/]+'})" + re.escape(literal)
    return pattern
