"""A custom domain on Google Cloud. Cloud Run issues and renews its certificate.

Domain mappings are a preview feature, in some regions, for domains that the account has verified
(https://cloud.google.com/run/docs/mapping-custom-domains).
"""

import pulumi
from pulumi_gcp import cloudrun, cloudrunv2, dns

from stacks.config import StackConfig
from stacks.front_door import DNS_TTL, domain_url


def custom_domain(
    config: StackConfig, domain: str, service: cloudrunv2.Service, opts: pulumi.ResourceOptions
) -> tuple[pulumi.Output[str], list[pulumi.Output[str]]]:
    """Map `domain`, a subdomain, to the service. Returns its URL and the DNS records that must be created by hand.

    The URL resolves only after the domain is created (stacks/aws_domain.py says why). The mapping has no labels,
    because a change of a label would replace it and its certificate.
    """
    mapping = cloudrun.DomainMapping(
        "api",
        name=domain,
        location=config.region,
        metadata={"namespace": config.gcp_project},
        spec={"route_name": service.name},
        opts=opts,
    )
    target = mapping.statuses.apply(lambda found: (found[0].resource_records or [])[0].rrdata or "")
    if not config.domain_zone:
        return target.apply(lambda _: domain_url(domain)), [pulumi.Output.format("{0} CNAME {1}", domain, target)]
    record = dns.RecordSet(
        "api",
        managed_zone=config.domain_zone,
        name=f"{domain}.",
        type="CNAME",
        rrdatas=[target],
        ttl=DNS_TTL,
        opts=opts,
    )
    return record.id.apply(lambda _: domain_url(domain)), []
