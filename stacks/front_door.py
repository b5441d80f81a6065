"""Where a stack is reached, on either cloud."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from stacks.config import StackConfig


@dataclass(frozen=True)
class FrontDoor:
    """`dns_records` are to be made by hand, each as `name type value`. `own_url` is the cloud's, while it is open."""

    url: pulumi.Input[str]
    dns_records: Sequence[pulumi.Output[str]] = ()
    own_url: pulumi.Input[str] | None = None

    @property
    def outputs(self) -> dict[str, pulumi.Input[str]]:
        """`dnsRecords` is there only when there is something to do, a record a line; `ownUrl` until it is closed."""
        records = {"dnsRecords": pulumi.Output.all(*self.dns_records).apply("\n".join)} if self.dns_records else {}
        own_url = {"ownUrl": self.own_url} if self.own_url else {}
        return {"url": self.url, **own_url, **records}


def domain_url(domain: str) -> str:
    return f"https://{domain}"


def closes_own_url(config: StackConfig, last: Mapping[str, Any]) -> bool:
    """Whether the cloud's own URL can go, because the last deployment has already made the domain.

    A new domain does not answer when its deployment is over: its certificate and DNS take minutes, or wait for
    somebody. So the deployment that makes the domain leaves the own URL open, and the next one closes it. `last` are
    the stack's last outputs.
    """
    return config.domain is not None and last.get("url") == domain_url(config.domain)
