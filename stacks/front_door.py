"""Where a stack is reached, on either cloud."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi


@dataclass(frozen=True)
class FrontDoor:
    """`dns_records` are to be made by hand, each as `name type value`."""

    url: pulumi.Input[str]
    dns_records: Sequence[pulumi.Output[str]] = ()

    @property
    def outputs(self) -> dict[str, pulumi.Input[str]]:
        """`dnsRecords` is there only when there is something to do, a record a line."""
        records = {"dnsRecords": pulumi.Output.all(*self.dns_records).apply("\n".join)} if self.dns_records else {}
        return {"url": self.url, **records}
