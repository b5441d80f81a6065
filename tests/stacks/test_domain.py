"""Custom domains: their resources on each cloud, with a DNS zone and without."""

import re

import pytest

from local.providers.compare import changes
from local.providers.gcp.provider import Gcp
from tests.local.providers.conftest import NOWHERE
from tests.stacks.deployment import Deployment, deploy

DOMAIN = "users.example.com"
ENVIRONMENT = "better-together:environment"
WITHOUT_ZONE = {"better-together:domain": DOMAIN}
WITH_ZONE = WITHOUT_ZONE | {"better-together:domainZone": "Z1"}


@pytest.fixture(scope="module")
def aws_zone() -> Deployment:
    return deploy("aws", WITH_ZONE)


@pytest.fixture(scope="module")
def gcp_zone() -> Deployment:
    return deploy("gcp", WITH_ZONE)


def test_aws_proves_the_domain_and_leads_it_to_the_stage(aws_zone: Deployment) -> None:
    certificate = aws_zone.inputs("Certificate")
    assert (certificate["domainName"], certificate["validationMethod"]) == (DOMAIN, "DNS")
    proof = aws_zone.inputs("Record", "certificate")
    assert proof == {
        "zoneId": "Z1",
        "name": "_a.test.",
        "type": "CNAME",
        "records": ["_b.test."],
        "ttl": 300,
        "allowOverwrite": True,
    }
    assert aws_zone.inputs("CertificateValidation") == {
        "certificateArn": "arn:test:api",
        "validationRecordFqdns": ["certificate.test"],
    }
    name = aws_zone.one("DomainName")
    assert name.inputs["domainNameConfiguration"] == {
        "certificateArn": "arn:test:api",
        "endpointType": "REGIONAL",
        "ipAddressType": "dualstack",
        "securityPolicy": "TLS_1_2",
    }
    assert "aws:acm/certificateValidation:CertificateValidation::api" in name.needs
    assert aws_zone.inputs("ApiMapping") == {"apiId": "api-id", "domainName": "api-id", "stage": "default-id"}


@pytest.mark.parametrize("kind", ["A", "AAAA"])
def test_aws_points_the_domain_there(aws_zone: Deployment, kind: str) -> None:
    alias = {"name": "d-1.execute-api.test", "zoneId": "Z2", "evaluateTargetHealth": False}
    assert aws_zone.inputs("Record", f"api-{kind.lower()}") == {
        "zoneId": "Z1",
        "name": DOMAIN,
        "type": kind,
        "aliases": [alias],
    }, "it overwrites nobody's record"
    assert "aws:apigatewayv2/apiMapping:ApiMapping::api" in aws_zone.one("Record", f"api-{kind.lower()}").needs


def test_gcp_maps_the_domain_and_points_it_there(gcp_zone: Deployment) -> None:
    assert gcp_zone.inputs("projects/service:Service", "dns")["service"] == "dns.googleapis.com"
    mapping = gcp_zone.inputs("DomainMapping")
    assert (mapping["name"], mapping["location"]) == (DOMAIN, "us-central1")
    assert mapping["metadata"] == {"namespace": "a-project"}
    assert mapping["spec"] == {"routeName": "better-together-gcp"}
    assert gcp_zone.inputs("RecordSet") == {
        "managedZone": "Z1",
        "name": f"{DOMAIN}.",
        "type": "CNAME",
        "rrdatas": ["ghs.googlehosted.com."],
        "ttl": 300,
    }


def own_url_closed(stack: Deployment) -> bool:
    if stack.outputs["cloud"] == "aws":
        return stack.inputs("Api")["disableExecuteApiEndpoint"]
    return stack.inputs("cloudrunv2/service:Service")["defaultUriDisabled"]


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_the_own_url_is_closed_by_the_deployment_after_the_one_that_makes_the_domain(
    cloud: str, request: pytest.FixtureRequest
) -> None:
    before: Deployment = request.getfixturevalue(cloud)
    making = deploy(cloud, WITH_ZONE, before=before.outputs)
    assert making.outputs["url"] == f"https://{DOMAIN}"
    assert making.outputs["ownUrl"] == before.outputs["url"]
    assert "dnsRecords" not in making.outputs
    after = deploy(cloud, WITH_ZONE, before=making.outputs)
    assert after.outputs["url"] == f"https://{DOMAIN}"
    assert "ownUrl" not in after.outputs
    assert [own_url_closed(stack) for stack in (before, making, after)] == [False, False, True]


def test_another_environment_replaces_nothing_on_gcp() -> None:
    closed = {"better-together:auth": "https://login.example.com", "better-together:demo": "false"}
    of_development, of_production = (
        {(r.type, r.name): r.inputs for r in deploy("gcp", WITH_ZONE | closed | {ENVIRONMENT: value}).resources}
        for value in ("development", "production")
    )
    assert of_development.keys() == of_production.keys()
    for (kind, name), inputs in of_development.items():
        changed = {re.split(r"[.[]", path)[0] for path, _ in changes(inputs, of_production[kind, name])}
        replaces = Gcp(NOWHERE).resource(kind).replaces if kind.startswith("gcp:") else frozenset[str]()
        assert not changed & replaces, f"{kind}::{name}: {changed}"


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_the_own_url_is_open_again_for_another_domain_and_for_none(cloud: str) -> None:
    before = {"url": f"https://{DOMAIN}"}
    other = deploy(cloud, {"better-together:domain": "api.example.com"}, before=before)
    none = deploy(cloud, before=before)
    assert (own_url_closed(other), own_url_closed(none)) == (False, False)
    assert none.outputs["url"].endswith(".test")


def test_without_the_zone_the_records_are_told() -> None:
    aws, gcp = (deploy(cloud, WITHOUT_ZONE) for cloud in ("aws", "gcp"))
    assert aws.outputs["dnsRecords"].splitlines() == [
        "_a.test. CNAME _b.test.",
        f"{DOMAIN} CNAME d-1.execute-api.test",
    ]
    assert gcp.outputs["dnsRecords"] == f"{DOMAIN} CNAME ghs.googlehosted.com."
    assert not [r for r in [*aws.resources, *gcp.resources] if r.type.endswith(("Record", "RecordSet"))]
    assert "validationRecordFqdns" not in aws.inputs("CertificateValidation")
