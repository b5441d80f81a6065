"""All that is made in an AWS account, and what GitHub and the stack files need to know of it."""

from collections.abc import Sequence
from functools import partial

import pulumi
from pulumi_aws import get_caller_identity, iam

from bootstrap.aws.policies import LIMIT, Deployer
from bootstrap.aws.state import State, make_state
from bootstrap.aws.trust import AUDIENCE, trust_policy
from bootstrap.github import ISSUER, Repository, environments

SESSION_SECONDS = 4 * 60 * 60
"""The longest that a job may deploy. A promotion watches each of its steps for `rolloutStepSeconds`."""


def set_up() -> None:
    """Raises pulumi.RunError if the config is invalid."""
    config = pulumi.Config()
    project, region = config.require("project"), pulumi.Config("aws").require("region")
    repository = Repository.load(config)
    account = get_caller_identity().account_id
    deployers = deployers_of(config, project, account)
    tags = {"project": project, "stack": pulumi.get_stack()}
    state = make_state(project, account, region, tags)
    provider = iam.OpenIdConnectProvider("github", url=f"https://{ISSUER}", client_id_lists=[AUDIENCE], tags=tags)
    policies = [
        iam.Policy(f"deploy-{number}", name=f"deploy-{project}-{number}", policy=policy, tags=tags)
        for number, policy in enumerate(deployers[0].shared_policies(), 1)
    ]
    variables: dict[str, dict[str, pulumi.Input[str]]] = {}
    boundaries: dict[str, pulumi.Input[str]] = {}
    for deployer in deployers:
        environment = deployer.environment
        boundary = iam.Policy(environment, name=deployer.boundary, policy=deployer.boundary_policy(), tags=tags)
        role = iam.Role(
            environment,
            name=f"deploy-{project}-{environment}",  # unlike those of the stacks, which a deployer may change
            description=f"GitHub environment {environment} of {repository.owner}/{repository.name}",
            assume_role_policy=pulumi.Output.json_dumps(trust_policy(provider.arn, repository, environment)),
            max_session_duration=SESSION_SECONDS,
            tags=tags,
        )
        _grant(deployer, role, policies, state)
        boundaries[environment] = boundary.arn
        variables[environment] = {
            "AWS_REGION": region,
            "AWS_ROLE_ARN": role.arn,
            "AWS_BACKEND_URL": state.backend,
            "AWS_SECRETS_PROVIDER": state.secrets_provider,
        }
    pulumi.export("variables", variables)
    pulumi.export("permissionsBoundaries", boundaries)


def deployers_of(config: pulumi.Config, project: str, account: str) -> list[Deployer]:
    """Raises pulumi.RunError if what is denied to an environment would include its own stack, or is too much."""
    stacks = environments(config)
    owned = {stack for named in stacks.values() for stack in named}
    for environment, named in stacks.items():
        for own in named:
            if hidden := [other for other in owned.difference(named) if own.startswith(other)]:
                raise pulumi.RunError(
                    f"environments gives {hidden[0]} to another environment, and {own} of {environment} begins alike:"
                    f" both would be denied to {environment}; leave {hidden[0]} out"
                )
    found = [
        Deployer(project, account, environment, sorted(owned.difference(named)))
        for environment, named in stacks.items()
    ]
    for deployer in found:
        if (size := len(deployer.boundary_policy())) > LIMIT:
            raise pulumi.RunError(
                f"environments gives {len(deployer.others)} stacks to others than {deployer.environment}: the policy"
                f" that denies them has {size} characters, and AWS takes {LIMIT}; use an account for each environment"
            )
    return found


def _grant(deployer: Deployer, role: iam.Role, policies: Sequence[iam.Policy], state: State) -> None:
    for number, policy in enumerate(policies, 1):
        iam.RolePolicyAttachment(f"{deployer.environment}-{number}", role=role.name, policy_arn=policy.arn)
    iam.RolePolicy(
        deployer.environment,
        name="own",
        role=role.name,
        policy=state.key_arn.apply(partial(deployer.own_policy, state.bucket)),
    )
