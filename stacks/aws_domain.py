"""A custom domain on AWS: a certificate, a domain name of the HTTP API, and their DNS records."""

import pulumi
from pulumi_aws import acm, apigatewayv2, route53

from stacks.config import StackConfig
from stacks.front_door import domain_url

TTL = 300  # seconds


def custom_domain(
    config: StackConfig, domain: str, stage: apigatewayv2.Stage, opts: pulumi.ResourceOptions
) -> tuple[pulumi.Output[str], list[pulumi.Output[str]]]:
    """Map `domain` to the stage. Returns its URL and the DNS records that must be created by hand.

    The URL resolves only after the domain is created, because the engine keeps the outputs that are known when a
    deployment fails, and `closes_own_url` relies on them. With `domain_zone` there are no records to create by hand.
    Without it, the certificate's record is printed as soon as it is known, because AWS waits for it.
    """
    certificate = acm.Certificate("api", domain_name=domain, validation_method="DNS", tags=config.tags, opts=opts)
    options = certificate.domain_validation_options
    proof_name = options.apply(lambda found: found[0].resource_record_name or "")
    proof_type = options.apply(lambda found: found[0].resource_record_type or "")
    proof_value = options.apply(lambda found: found[0].resource_record_value or "")
    proof = pulumi.Output.format("{0} {1} {2}", proof_name, proof_type, proof_value)
    made: list[pulumi.Input[str]] = []
    if config.domain_zone:
        record = route53.Record(
            "certificate",
            zone_id=config.domain_zone,
            name=proof_name,
            type=proof_type,
            records=[proof_value],
            ttl=TTL,
            # An account's certificates of the same name share this record, so it may exist already.
            allow_overwrite=True,
            opts=opts,
        )
        made = [record.fqdn]
    else:
        proof.apply(lambda line: pulumi.log.info(f"{domain} waits for this DNS record: {line}"))
    valid = acm.CertificateValidation(
        "api", certificate_arn=certificate.arn, validation_record_fqdns=made or None, opts=opts
    )
    name = apigatewayv2.DomainName(
        "api",
        domain_name=domain,
        domain_name_configuration={
            "certificate_arn": valid.certificate_arn,
            "endpoint_type": "REGIONAL",
            "ip_address_type": "dualstack",
            "security_policy": "TLS_1_2",
        },
        tags=config.tags,
        opts=opts,
    )
    mapping = apigatewayv2.ApiMapping("api", api_id=stage.api_id, domain_name=name.id, stage=stage.id, opts=opts)
    target = name.domain_name_configuration.apply(lambda found: found.target_domain_name or "")
    if not config.domain_zone:
        records = [proof, pulumi.Output.format("{0} CNAME {1}", domain, target)]
        return mapping.id.apply(lambda _: domain_url(domain)), records
    addresses = [
        route53.Record(
            f"api-{kind.lower()}",
            zone_id=config.domain_zone,
            name=domain,
            type=kind,
            aliases=[
                {
                    "name": target,
                    "zone_id": name.domain_name_configuration.apply(lambda found: found.hosted_zone_id or ""),
                    "evaluate_target_health": False,
                }
            ],
            # Until the domain is mapped, it answers 403.
            opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[mapping])),
        )
        for kind in ("A", "AAAA")
    ]
    return pulumi.Output.all(*(record.fqdn for record in addresses)).apply(lambda _: domain_url(domain)), []
