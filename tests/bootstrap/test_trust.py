"""Which jobs of GitHub Actions either cloud trusts, judged by the claims of their tokens."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import celpy
import pytest
from celpy.adapter import json_to_cel
from celpy.evaluation import CELEvalError

from bootstrap.github import ISSUER
from tests.bootstrap.conftest import CONFIG, Account
from tests.bootstrap.iam import holds

type Claims = Mapping[str, str]
type Judge = Callable[[Claims], set[str]]
"""The environments of the deployers that a job may act as."""

# The claims of a job in environment `production`, on a push: https://docs.github.com/en/actions/reference/security/oidc
JOB = {
    "sub": "repo:Octo/users:environment:production",
    "repository": "Octo/users",
    "repository_id": CONFIG["repositoryId"],
    "repository_owner": "Octo",
    "repository_owner_id": CONFIG["repositoryOwnerId"],
    "environment": "production",
    "event_name": "push",
    "ref": "refs/heads/main",
}
IMMUTABLE = "repo:Octo@583231/users@1296269"
PULL_REQUEST = {"event_name": "pull_request", "ref": "refs/pull/7/merge"}


def without(claim: str, changes: Claims) -> Claims:
    return {name: value for name, value in (JOB | dict(changes)).items() if name != claim}


TRUSTED: dict[str, tuple[Claims, str]] = {
    "production, old form": (JOB, "production"),
    "production, immutable form": (JOB | {"sub": f"{IMMUTABLE}:environment:production"}, "production"),
    "development, old form": (
        JOB | {"sub": "repo:Octo/users:environment:development", "environment": "development"},
        "development",
    ),
    "development, immutable form": (
        JOB | {"sub": f"{IMMUTABLE}:environment:development", "environment": "development"},
        "development",
    ),
}
REFUSED: dict[str, Claims] = {
    "a repository that took the name": JOB | {"repository_id": "99"},
    "a repository that took the name, immutable form": JOB
    | {"repository_id": "99", "sub": "repo:Octo@583231/users@99:environment:production"},
    "an owner that took the name": JOB
    | {"repository_owner_id": "99", "repository_id": "98", "sub": "repo:Octo@99/users@98:environment:production"},
    "the repository after a transfer": JOB
    | {"repository_owner_id": "99", "sub": "repo:Other@99/users@1296269:environment:production"},
    "a fork": JOB
    | {"repository_id": "99", "repository_owner_id": "98", "sub": "repo:mallory/users:environment:production"},
    "a pull request": without("environment", PULL_REQUEST | {"sub": "repo:Octo/users:pull_request"}),
    "a pull request, immutable form": without("environment", PULL_REQUEST | {"sub": f"{IMMUTABLE}:pull_request"}),
    "a fork's pull request": without(
        "environment", PULL_REQUEST | {"repository_id": "99", "sub": "repo:mallory/users:pull_request"}
    ),
    "the main branch without an environment": without("environment", {"sub": "repo:Octo/users:ref:refs/heads/main"}),
    "another environment": JOB | {"environment": "docs", "sub": "repo:Octo/users:environment:docs"},
    "an environment that begins alike": JOB
    | {"environment": "production-2", "sub": "repo:Octo/users:environment:production-2"},
}


@pytest.fixture(scope="module")
def aws(aws_account: Account) -> Judge:
    policies = {name: json.loads(role["inputs"]["assumeRolePolicy"]) for name, role in aws_account.all("Role").items()}

    def trusted(claims: Claims) -> set[str]:
        # AWS has no key for the owner's id.
        known = {f"{ISSUER}:{name}": value for name, value in claims.items() if name != "repository_owner_id"}
        context = known | {f"{ISSUER}:aud": claims.get("aud", "sts.amazonaws.com")}
        return {name for name, policy in policies.items() if holds(policy["Statement"][0]["Condition"], context)}

    return trusted


def evaluate(expression: str, claims: Claims) -> str | bool:
    """The value of a CEL expression. Raises CELEvalError, such as for a claim that is missing."""
    environment: Any = celpy.Environment()
    program = environment.program(environment.compile(expression))
    return program.evaluate({"assertion": json_to_cel(dict(claims))})


@pytest.fixture(scope="module")
def gcp(gcp_project: Account) -> Judge:
    provider = gcp_project.inputs("WorkloadIdentityPoolProvider", "github")
    members = {
        name: one["inputs"]["member"] for name, one in gcp_project.all("serviceaccount/iAMMember:IAMMember").items()
    }

    def trusted(claims: Claims) -> set[str]:
        try:
            if not evaluate(provider["attributeCondition"], claims):
                return set()
            subject = evaluate(provider["attributeMapping"]["google.subject"], claims)
        except CELEvalError:
            return set()
        pool = "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/github"
        return {name for name, member in members.items() if member == f"{pool}/subject/{subject}"}

    return trusted


@pytest.fixture(params=["aws", "gcp"])
def judge(request: pytest.FixtureRequest) -> Judge:
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("case", TRUSTED)
def test_a_job_acts_as_the_deployer_of_its_environment(judge: Judge, case: str) -> None:
    claims, environment = TRUSTED[case]
    assert judge(claims) == {environment}


@pytest.mark.parametrize("case", REFUSED)
def test_other_jobs_act_as_nobody(judge: Judge, case: str) -> None:
    assert judge(REFUSED[case]) == set()


def test_a_token_for_another_audience_is_none_for_aws(aws: Judge) -> None:
    assert aws(JOB | {"aud": "https://github.com/Octo"}) == set()


def test_the_provider_takes_tokens_for_itself_alone(gcp_project: Account) -> None:
    """Google's default audience is the provider's full name."""
    assert gcp_project.inputs("WorkloadIdentityPoolProvider", "github")["oidc"] == {"issuerUri": f"https://{ISSUER}"}


def test_aws_trusts_tokens_for_sts_alone(aws_account: Account) -> None:
    provider = aws_account.inputs("OpenIdConnectProvider", "github")
    assert (provider["url"], provider["clientIdLists"]) == (f"https://{ISSUER}", ["sts.amazonaws.com"])


def test_the_longest_subject_is_one_that_google_takes(gcp_project: Account) -> None:
    """127 bytes: https://cloud.google.com/iam/docs/workload-identity-federation#mapping"""
    mapping = gcp_project.inputs("WorkloadIdentityPoolProvider", "github")["attributeMapping"]
    longest = JOB | {"sub": "s" * 200, "repository_id": "9" * 19, "environment": "e" * 21}
    assert len(str(evaluate(mapping["google.subject"], longest))) <= 127
