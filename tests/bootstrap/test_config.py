"""What the programs say of a config that they cannot use."""

import pulumi
import pytest
import yaml
from pulumi.runtime import set_all_config

from bootstrap.aws.account import deployers_of
from bootstrap.gcp.project import names
from bootstrap.github import Repository, environments
from tests.bootstrap.conftest import CONFIG, ROOT

NAMES = "use 2 to 21 of a-z, 0-9 and -, and begin with a letter"


def config(**changes: str) -> pulumi.Config:
    set_all_config({f"accounts:{key}": value for key, value in (CONFIG | changes).items()})
    return pulumi.Config("accounts")


def test_environments_may_have_stacks_of_their_own() -> None:
    found = environments(config(environments="development production=aws-prod,gcp-prod"))
    assert found == {"development": (), "production": ("aws-prod", "gcp-prod")}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"repository": "users"}, "repository is 'users': give OWNER/NAME, spelled as on GitHub"),
        (
            {"repositoryId": "users"},
            "repositoryId is 'users': give what `gh api repos/Octo/users --jq .id` prints",
        ),
        (
            {"repositoryOwnerId": "Octo"},
            "repositoryOwnerId is 'Octo': give what `gh api repos/Octo/users --jq .owner.id` prints",
        ),
    ],
)
def test_a_repository_is_refused(changes: dict[str, str], message: str) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        Repository.load(config(**changes))
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("Production", f"environments names 'Production': {NAMES}"),
        ("development-", f"environments names 'development-': {NAMES}"),
        (
            "production=aws-prod production=eu-prod",
            "environments names 'production' twice: give all its stacks at once, as production=a,b",
        ),
        (
            "production=aws-prod, eu-prod",
            "environments has 'production=aws-prod,': give stacks separated by commas, without blanks",
        ),
        ("production=a;b", "environments has 'production=a;b': give stacks separated by commas, without blanks"),
        (" ", "environments is empty: name one, such as development"),
    ],
)
def test_environments_are_refused(given: str, message: str) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        environments(config(environments=given))
    assert str(refused.value) == message


def test_stacks_are_denied_to_other_environments() -> None:
    found = deployers_of(config(environments="development production=aws-prod watch=aws-prod"), "better-together", "1")
    assert {deployer.environment: deployer.others for deployer in found} == {
        "development": ["aws-prod"],
        "production": [],
        "watch": [],
    }


def test_an_environment_is_not_denied_its_own_stack() -> None:
    with pytest.raises(pulumi.RunError) as refused:
        deployers_of(config(environments="development=aws production=aws-prod"), "better-together", "1")
    assert str(refused.value) == (
        "environments gives aws to another environment, and aws-prod of production begins alike:"
        " both would be denied to production; leave aws out"
    )


def test_more_stacks_than_a_policy_can_deny_are_refused() -> None:
    stacks = ",".join(f"aws-prod-{number}" for number in range(7))
    with pytest.raises(pulumi.RunError, match=r"gives 7 stacks to others than development: .* an account for each"):
        deployers_of(config(environments=f"development production={stacks}"), "better-together", "1" * 12)


def test_the_project_is_the_one_that_is_deployed() -> None:
    own = yaml.safe_load((ROOT / "bootstrap" / "aws" / "Pulumi.yaml").read_text())["config"]["project"]["default"]
    assert own == yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["name"]


def test_google_cloud_tells_no_stacks_apart() -> None:
    with pytest.raises(pulumi.RunError) as refused:
        names(config(environments="development production=gcp-prod"))
    assert str(refused.value) == (
        "environments gives production stacks of its own, but roles are for all stacks of a project:"
        " use a project for each environment"
    )
