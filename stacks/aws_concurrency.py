"""Checks that the account has the concurrency that the stack reserves.

Lambda refuses a reservation only after it has created the function, and Pulumi then considers the reservation made. The
provider cannot look up what other functions reserve: https://github.com/hashicorp/terraform-provider-aws/issues/32376
"""

import pulumi
from pulumi_aws import servicequotas

from stacks.config import StackConfig

CONCURRENT_EXECUTIONS = "L-B99A9384"  # the quota's code; 10 in a new account, later 1000
UNRESERVED = 100  # Lambda keeps these: https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html


def check_concurrency(config: StackConfig) -> None:
    """Raises pulumi.RunError if `maxInstances` is more than the account can reserve."""
    if not config.max_instances:
        return
    try:
        quota = servicequotas.get_service_quota(service_code="lambda", quota_code=CONCURRENT_EXECUTIONS)
    except Exception as error:  # the SDK raises nothing narrower; a deployer without the permission must not be stopped
        pulumi.log.warn(f"maxInstances may be more than the account allows; its quota cannot be read: {error}")
        return
    most = max(0, int(quota.value) - UNRESERVED)
    if config.max_instances > most:
        key = f"Pulumi.{config.stack}.yaml: {pulumi.get_project()}:maxInstances"
        limit = f"the account has {quota.value:g} concurrent executions, {UNRESERVED} of which Lambda keeps unreserved"
        allowed = f"0, or up to {most}" if most else "0"
        raise pulumi.RunError(f"{key} is {config.max_instances}, but {limit}: it takes {allowed}")
