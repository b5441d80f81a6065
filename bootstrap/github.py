"""The GitHub repository that may deploy, as the config names it.

Claims of a job's token: https://docs.github.com/en/actions/reference/security/oidc
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

ISSUER = "token.actions.githubusercontent.com"
NAME = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
ENVIRONMENT = re.compile(r"[a-z][a-z0-9-]{0,19}[a-z0-9]")  # fits into the names of roles and of service accounts
STACK = re.compile(r"[\w.-]+", re.ASCII)


@dataclass(frozen=True)
class Repository:
    """Ids are decimal numbers as text, as in the tokens. They outlive a rename; names can be taken by somebody else."""

    owner: str
    name: str
    owner_id: str
    id: str

    @classmethod
    def load(cls, config: pulumi.Config) -> "Repository":
        """Raises pulumi.RunError if a value is missing or malformed."""
        repository = config.require("repository")
        if not NAME.fullmatch(repository):
            raise pulumi.RunError(f"repository is {repository!r}: give OWNER/NAME, spelled as on GitHub")
        owner, name = repository.split("/")
        return cls(owner, name, _id(config, "repositoryOwnerId", ".owner.id"), _id(config, "repositoryId", ".id"))

    def subjects(self, environment: str) -> list[str]:
        """Both forms of `sub` of a job in an environment.

        Repositories that were created, renamed or transferred after 2026-07-15 have the second:
        https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens/
        """
        return [
            f"repo:{self.owner}/{self.name}:environment:{environment}",
            f"repo:{self.owner}@{self.owner_id}/{self.name}@{self.id}:environment:{environment}",
        ]


def environments(config: pulumi.Config) -> Mapping[str, tuple[str, ...]]:
    """Environment -> the stacks that are its own: "development production=aws-prod,gcp-prod".

    Raises pulumi.RunError if a name is malformed, or is there twice.
    """
    found: dict[str, tuple[str, ...]] = {}
    for item in config.require("environments").split():
        name, has_stacks, stacks = item.partition("=")
        if not ENVIRONMENT.fullmatch(name):
            raise pulumi.RunError(
                f"environments names {name!r}: use 2 to 21 of a-z, 0-9 and -, and begin with a letter"
            )
        if name in found:
            raise pulumi.RunError(f"environments names {name!r} twice: give all its stacks at once, as {name}=a,b")
        found[name] = tuple(stacks.split(",")) if has_stacks else ()
        for stack in found[name]:
            if not STACK.fullmatch(stack):
                raise pulumi.RunError(f"environments has {item!r}: give stacks separated by commas, without blanks")
    if not found:
        raise pulumi.RunError("environments is empty: name one, such as development")
    return found


def _id(config: pulumi.Config, key: str, field: str) -> str:
    if not (value := config.require(key)).isdecimal():
        repository = config.require("repository")
        raise pulumi.RunError(f"{key} is {value!r}: give what `gh api repos/{repository} --jq {field}` prints")
    return value
