"""A domain of one's own: what each cloud makes for it, with its DNS zone and without."""

import pytest

from tests.stacks.deployment import Deployment, deploy

DOMAIN = "users.example.com"
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
    assert mapping["metadata"]["namespace"] == "a-project"
    assert mapping["spec"] == {"routeName": "better-together-gcp"}
    assert gcp_zone.inputs("RecordSet") == {
        "managedZone": "Z1",
        "name": f"{DOMAIN}.",
        "type": "CNAME",
        "rrdatas": ["ghs.googlehosted.com."],
        "ttl": 300,
    }


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_there_is_no_other_way_in(cloud: str, request: pytest.FixtureRequest) -> None:
    stack: Deployment = request.getfixturevalue(f"{cloud}_zone")
    assert stack.outputs["url"] == f"https://{DOMAIN}"
    assert "dnsRecords" not in stack.outputs
    closed = {"aws": ("Api", "disableExecuteApiEndpoint"), "gcp": ("cloudrunv2/service:Service", "defaultUriDisabled")}
    kind, key = closed[cloud]
    assert stack.inputs(kind)[key] is True
    assert request.getfixturevalue(cloud).inputs(kind)[key] is False


def test_without_the_zone_the_records_are_told() -> None:
    aws, gcp = (deploy(cloud, WITHOUT_ZONE) for cloud in ("aws", "gcp"))
    assert aws.outputs["dnsRecords"].splitlines() == [
        "_a.test. CNAME _b.test.",
        f"{DOMAIN} CNAME d-1.execute-api.test",
    ]
    assert gcp.outputs["dnsRecords"] == f"{DOMAIN} CNAME ghs.googlehosted.com."
    assert not [r for r in [*aws.resources, *gcp.resources] if r.type.endswith(("Record", "RecordSet"))]
    assert "validationRecordFqdns" not in aws.inputs("CertificateValidation")
