"""The URLs of a stack, on either cloud."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from stacks.config import StackConfig

DNS_TTL = 300  # seconds


@dataclass(frozen=True)
class FrontDoor:
    """`dns_records` must be created by hand, each `name type value`. `own_url` is the cloud's, until it is closed."""

    url: pulumi.Input[str]
    dns_records: Sequence[pulumi.Output[str]] = ()
    own_url: pulumi.Input[str] | None = None

    @property
    def outputs(self) -> dict[str, pulumi.Input[str]]:
        """The outputs. `dnsRecords`, one record per line, and `ownUrl` are present only if there are any."""
        records = {"dnsRecords": pulumi.Output.all(*self.dns_records).apply("\n".join)} if self.dns_records else {}
        own_url = {"ownUrl": self.own_url} if self.own_url else {}
        return {"url": self.url, **own_url, **records}


def domain_url(domain: str) -> str:
    return f"https://{domain}"


def closes_own_url(config: StackConfig, last: Mapping[str, Any]) -> bool:
    """Whether to close the cloud's own URL, because the last deployment has already created the domain.

    A new domain does not work as soon as its deployment ends: its certificate and DNS take minutes, or wait for a
    person. So the deployment that creates the domain leaves the cloud's own URL open, and the next one closes it.
    `last` are the outputs of the last deployment.
    """
    return config.domain is not None and last.get("url") == domain_url(config.domain)
