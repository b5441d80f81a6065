"""A domain of one's own on AWS: an HTTP API behind a certificate, and the DNS records that lead to it."""

import pulumi
from pulumi_aws import acm, apigatewayv2, route53

from stacks.config import StackConfig
from stacks.front_door import domain_url

TTL = 300  # seconds


def custom_domain(
    config: StackConfig, domain: str, stage: apigatewayv2.Stage, opts: pulumi.ResourceOptions
) -> tuple[pulumi.Output[str], list[pulumi.Output[str]]]:
    """Maps `domain` to the stage. Returns its URL and the DNS records that are left to be made by hand.

    The URL is not known before the domain is made: of a deployment that fails the engine keeps the outputs that it
    knows, and `closes_own_url` goes by them. With the zone, no record is left. Without the zone, the certificate's
    record is shown as soon as it is known, because AWS waits for it.
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
            # All certificates of a name in an account have the same record; another one may have made it.
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
            # Before it is mapped, the name answers 403.
            opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[mapping])),
        )
        for kind in ("A", "AAAA")
    ]
    return pulumi.Output.all(*(record.fqdn for record in addresses)).apply(lambda _: domain_url(domain)), []
