"""The containers of Cloud Run's services, jobs and worker pools."""

from collections.abc import Iterator, Mapping
from typing import Any

from rules.reading import below, listed
from rules.rule import Resource


def containers(resource: Resource) -> Iterator[Mapping[str, Any]]:
    template = below(resource.props, "template")
    yield from listed(
        (below(template, "template") or template).get("containers")
    )  # a job nests its template in that of its executions
