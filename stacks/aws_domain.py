"""A custom domain on AWS: a certificate, a domain name of the HTTP API, and their DNS records."""

# Annotations would import modules of the SDK that few stacks need.
from __future__ import annotations

from typing import NamedTuple

import pulumi
from pulumi_aws import acm, apigatewayv2, route53

from stacks.config import StackConfig
from stacks.front_door import DNS_TTL, domain_url


def custom_domain(
    config: StackConfig, domain: str, stage: apigatewayv2.Stage, opts: pulumi.ResourceOptions
) -> tuple[pulumi.Output[str], list[pulumi.Output[str]]]:
    """Map `domain` to the stage. Returns its URL and the DNS records that must be created by hand.

    The URL resolves only after the domain is created, because the engine keeps the outputs that are known when a
    deployment fails, and `closes_own_url` relies on them. With `domain_zone` there are no records to create by hand.
    Without it, the certificate's record is printed as soon as it is known, because AWS waits for it.
    """
    certificate = acm.Certificate("api", domain_name=domain, validation_method="DNS", tags=config.tags, opts=opts)
    proof = _validation_record(certificate)
    if not config.domain_zone:
        _line(proof).apply(lambda line: pulumi.log.info(f"{domain} waits for this DNS record: {line}"))
    name = _domain_name(config, domain, _validated(config, certificate, proof, opts), opts)
    mapping = apigatewayv2.ApiMapping("api", api_id=stage.api_id, domain_name=name.id, stage=stage.id, opts=opts)
    if not config.domain_zone:
        target = name.domain_name_configuration.apply(lambda found: found.target_domain_name or "")
        records = [_line(proof), pulumi.Output.format("{0} CNAME {1}", domain, target)]
        return mapping.id.apply(lambda _: domain_url(domain)), records
    # Until the domain is mapped, it answers 403.
    mapped = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[mapping]))
    addresses = _addresses(config.domain_zone, domain, name, mapped)
    return pulumi.Output.all(*(record.fqdn for record in addresses)).apply(lambda _: domain_url(domain)), []


class _ValidationRecord(NamedTuple):
    """The DNS record that proves to AWS that the domain is ours."""

    name: pulumi.Output[str]
    type: pulumi.Output[str]
    value: pulumi.Output[str]


def _validation_record(certificate: acm.Certificate) -> _ValidationRecord:
    options = certificate.domain_validation_options
    return _ValidationRecord(
        options.apply(lambda found: found[0].resource_record_name or ""),
        options.apply(lambda found: found[0].resource_record_type or ""),
        options.apply(lambda found: found[0].resource_record_value or ""),
    )


def _line(proof: _ValidationRecord) -> pulumi.Output[str]:
    return pulumi.Output.format("{0} {1} {2}", *proof)


def _validated(
    config: StackConfig, certificate: acm.Certificate, proof: _ValidationRecord, opts: pulumi.ResourceOptions
) -> acm.CertificateValidation:
    """The certificate once AWS has found the record, which is created in the zone if there is one."""
    created: list[pulumi.Input[str]] = []
    if config.domain_zone:
        record = route53.Record(
            "certificate",
            zone_id=config.domain_zone,
            name=proof.name,
            type=proof.type,
            records=[proof.value],
            ttl=DNS_TTL,
            # An account's certificates of the same name share this record, so it may exist already.
            allow_overwrite=True,
            opts=opts,
        )
        created = [record.fqdn]
    return acm.CertificateValidation(
        "api", certificate_arn=certificate.arn, validation_record_fqdns=created or None, opts=opts
    )


def _domain_name(
    config: StackConfig, domain: str, certificate: acm.CertificateValidation, opts: pulumi.ResourceOptions
) -> apigatewayv2.DomainName:
    return apigatewayv2.DomainName(
        "api",
        domain_name=domain,
        domain_name_configuration={
            "certificate_arn": certificate.certificate_arn,
            "endpoint_type": "REGIONAL",
            "ip_address_type": "dualstack",
            "security_policy": "TLS_1_2",
        },
        tags=config.tags,
        opts=opts,
    )


def _addresses(
    zone: str, domain: str, name: apigatewayv2.DomainName, opts: pulumi.ResourceOptions
) -> list[route53.Record]:
    """The records of the domain in the zone, for IPv4 and IPv6."""
    target = name.domain_name_configuration.apply(lambda found: found.target_domain_name or "")
    target_zone = name.domain_name_configuration.apply(lambda found: found.hosted_zone_id or "")
    return [
        route53.Record(
            f"api-{kind.lower()}",
            zone_id=zone,
            name=domain,
            type=kind,
            aliases=[{"name": target, "zone_id": target_zone, "evaluate_target_health": False}],
            opts=opts,
        )
        for kind in ("A", "AAAA")
    ]
