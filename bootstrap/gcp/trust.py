"""Which jobs of GitHub Actions may act as a deployer.

https://cloud.google.com/iam/docs/workload-identity-federation-with-deployment-pipelines
"""

from collections.abc import Iterable

from bootstrap.github import Repository

SUBJECT = "assertion.repository_id + ':' + assertion.environment"
"""Not `assertion.sub`: it has two forms, and may be longer than the 127 bytes that Google takes."""


def attribute_condition(repository: Repository, environments: Iterable[str]) -> str:
    """The CEL expression that a token's claims must fulfil. A job without an environment has no such claim."""
    names = ", ".join(f"'{name}'" for name in environments)
    return (
        f"assertion.repository_id == '{repository.id}'"
        f" && assertion.repository_owner_id == '{repository.owner_id}'"
        f" && assertion.environment in [{names}]"
    )


def principal(repository: Repository, environment: str, pool: str) -> str:
    """The member that stands for the jobs of the repository in the environment. `pool` is the pool's full name."""
    return f"principal://iam.googleapis.com/{pool}/subject/{repository.id}:{environment}"
