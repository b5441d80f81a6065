"""All that is made in a project of Google Cloud, and the variables that GitHub gets."""

from functools import partial

import pulumi
from pulumi_gcp import iam, kms, projects, serviceaccount, storage

from bootstrap.gcp.rights import RIGHTS, condition
from bootstrap.gcp.state import State, make_state
from bootstrap.gcp.trust import SUBJECT, attribute_condition, principal
from bootstrap.github import ISSUER, Repository, environments

APIS = ("cloudkms", "cloudresourcemanager", "iam", "iamcredentials", "serviceusage", "storage", "sts")


def set_up() -> None:
    """Raises pulumi.RunError if the config is invalid."""
    config, google = pulumi.Config(), pulumi.Config("gcp")
    project, region = google.require("project"), google.require("region")
    repository, chosen = Repository.load(config), names(config)
    apis = [projects.Service(api, service=f"{api}.googleapis.com", disable_on_destroy=False) for api in APIS]
    ready = pulumi.ResourceOptions(depends_on=apis)
    state_bucket = f"{project}-pulumi-state"
    state = make_state(state_bucket, project, region, {"stack": pulumi.get_stack()}, apis)
    pool, provider = _trust(repository, chosen, ready)
    variables: dict[str, dict[str, pulumi.Input[str]]] = {}
    for environment in chosen:
        account = serviceaccount.Account(
            environment,
            account_id=f"deploy-{environment}",
            display_name=f"GitHub environment {environment} of {repository.owner}/{repository.name}",
            opts=ready,
        )
        serviceaccount.IAMMember(
            environment,
            service_account_id=account.name,
            role="roles/iam.workloadIdentityUser",
            member=pool.name.apply(partial(principal, repository, environment)),
        )
        _grant(environment, account, project, state_bucket, state)
        variables[environment] = {
            "GCP_PROJECT": project,
            "GCP_WORKLOAD_IDENTITY_PROVIDER": provider.name,
            "GCP_SERVICE_ACCOUNT": account.email,
            "GCP_BACKEND_URL": state.backend,
            "GCP_SECRETS_PROVIDER": state.secrets_provider,
        }
    pulumi.export("variables", variables)


def names(config: pulumi.Config) -> list[str]:
    """The environments. Raises pulumi.RunError if they are malformed, or have stacks of their own."""
    found = environments(config)
    if reserved := [name for name, stacks in found.items() if stacks]:
        raise pulumi.RunError(
            f"environments gives {reserved[0]} stacks of its own, but roles are for all stacks of a project:"
            " use a project for each environment"
        )
    return list(found)


def _trust(
    repository: Repository, names: list[str], opts: pulumi.ResourceOptions
) -> tuple[iam.WorkloadIdentityPool, iam.WorkloadIdentityPoolProvider]:
    pool = iam.WorkloadIdentityPool("github", workload_identity_pool_id="github", opts=opts)
    provider = iam.WorkloadIdentityPoolProvider(
        "github",
        workload_identity_pool_id=pool.workload_identity_pool_id,
        workload_identity_pool_provider_id="github",
        oidc={"issuer_uri": f"https://{ISSUER}"},  # without audiences, only the provider's own name is one
        attribute_mapping={"google.subject": SUBJECT},
        attribute_condition=attribute_condition(repository, names),
    )
    return pool, provider


def _grant(environment: str, account: serviceaccount.Account, project: str, state_bucket: str, state: State) -> None:
    """The roles of a deployer on the project, the state and the key."""
    for right in RIGHTS:
        projects.IAMMember(
            f"{environment}-{right.role.removeprefix('roles/')}",
            project=project,
            role=right.role,
            member=account.member,
            condition=condition(right.role, state_bucket),
        )
    storage.BucketIAMMember(
        f"{environment}-state", bucket=state.bucket.name, role="roles/storage.objectUser", member=account.member
    )
    kms.CryptoKeyIAMMember(
        f"{environment}-state",
        crypto_key_id=state.key.id,
        role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
        member=account.member,
    )
