"""AWS resource types that the laptop only keeps: it says what the real ones would, and nothing happens.

Ids and outputs are from the real provider's documentation, under "Import" and "Outputs".
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.providers.aws.cloud import ACCOUNT, AwsResource, Cloud
from local.providers.control import control
from local.providers.values import UNKNOWN, Props, is_object


@dataclass(frozen=True)
class Kind:
    """Strings, also in lists and objects, are formats of the inputs, `{region}`, `{account}`, `{id}` and `{unique}`,
    which is what the cloud would number."""

    identifier: str
    replaces: frozenset[str] = frozenset({"name"})
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    autoname: str | None = "name"


KINDS: Mapping[str, Kind] = {
    "aws:cloudwatch/dashboard:Dashboard": Kind(
        "{dashboardName}",
        frozenset({"dashboardName"}),
        {"dashboardArn": "arn:aws:cloudwatch::{account}:dashboard/{dashboardName}"},
        autoname=None,
    ),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": Kind("{name}", frozenset({"name", "logGroupName"})),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Kind(
        "{name}", outputs={"arn": "arn:aws:cloudwatch:{region}:{account}:alarm:{name}"}
    ),
    "aws:sns/topic:Topic": Kind(
        "arn:aws:sns:{region}:{account}:{name}", frozenset({"name", "fifoTopic"}), {"arn": "{id}", "owner": "{account}"}
    ),
    "aws:sns/topicSubscription:TopicSubscription": Kind(
        "{topic}:{unique}",
        frozenset({"topic", "protocol", "endpoint"}),
        {"arn": "{id}", "ownerId": "{account}"},
        autoname=None,
    ),
    "aws:acm/certificate:Certificate": Kind(
        "arn:aws:acm:{region}:{account}:certificate/{unique}",
        frozenset(
            {
                *("domainName", "validationMethod", "keyAlgorithm", "subjectAlternativeNames"),
                *("certificateAuthorityArn", "validationOptions"),
            }
        ),
        {
            "arn": "{id}",
            "status": "PENDING_VALIDATION",
            "domainValidationOptions": [
                {
                    "domainName": "{domainName}",
                    "resourceRecordName": "_{unique}.{domainName}.",
                    "resourceRecordType": "CNAME",
                    "resourceRecordValue": "_{unique}.acm-validations.aws.",
                }
            ],
        },
        autoname=None,
    ),
    "aws:acm/certificateValidation:CertificateValidation": Kind(
        "{unique}", frozenset({"certificateArn", "validationRecordFqdns"}), autoname=None
    ),
    "aws:route53/record:Record": Kind(
        "{zoneId}_{name}_{type}", frozenset({"zoneId", "name"}), {"fqdn": "{name}"}, autoname=None
    ),
    "aws:apigatewayv2/domainName:DomainName": Kind(
        "{domainName}",
        frozenset({"domainName"}),
        {
            "arn": "arn:aws:apigateway:{region}::/domainnames/{domainName}",
            "apiMappingSelectionExpression": "$request.basepath",
            "domainNameConfiguration": {
                "hostedZoneId": "Z1UJRXOUMOOFQ8",
                "targetDomainName": "d-{unique}.execute-api.{region}.amazonaws.com",
            },
        },
        autoname=None,
    ),
    "aws:apigatewayv2/apiMapping:ApiMapping": Kind("{unique}", frozenset({"apiId", "domainName"}), autoname=None),
}


class Kept(AwsResource):
    def __init__(self, cloud: Cloud, token: str) -> None:
        super().__init__(cloud)
        self._token, self._kind = token, KINDS[token]
        self.replaces, self.autoname = self._kind.replaces, self._kind.autoname

    def create(self, inputs: Props) -> str:
        values = {"region": self.cloud.region, "account": ACCOUNT, "unique": os.urandom(8).hex(), **inputs}
        identifier = self._kind.identifier.format_map(values)
        outputs = {name: _filled(value, values | {"id": identifier}) for name, value in self._kind.outputs.items()}
        self._keep(identifier, outputs, inputs)
        return identifier

    def read(self, identifier: str, known: Props) -> Props | None:
        found = control("GET", "aws", "resources", self._token, identifier)
        return None if found is None else _merged(found["outputs"], found["inputs"])

    def update(self, identifier: str, olds: Props, news: Props) -> None:
        self._keep(identifier, {name: olds[name] for name in self._kind.outputs}, news)

    def delete(self, identifier: str, known: Props) -> None:
        control("DELETE", "aws", "resources", self._token, identifier)

    def planned(self, inputs: Props, olds: Props) -> Props:
        """Of an object that is given in part, a preview knows what is given and what was there before."""
        return {
            name: dict.fromkeys(value, UNKNOWN) | olds.get(name, {}) | inputs.get(name, {})
            for name, value in self._kind.outputs.items()
            if is_object(value)
        }

    def _keep(self, identifier: str, outputs: Props, inputs: Props) -> None:
        control("PUT", "aws", "resources", self._token, identifier, body={"inputs": inputs, "outputs": outputs})


def _merged(outputs: Props, inputs: Props) -> Props:
    return outputs | {
        name: {**outputs[name], **value} if is_object(value) and name in outputs else value
        for name, value in inputs.items()
    }


def _filled(value: Any, values: Props) -> Any:
    if isinstance(value, str):
        return value.format_map(values)
    if is_object(value):
        return {name: _filled(item, values) for name, item in value.items()}
    return [_filled(item, values) for item in value]
