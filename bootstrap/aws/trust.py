"""Which jobs of GitHub Actions may assume a role.

AWS has keys for `repository_id` and `environment`, but none for `repository_owner_id`, and a condition on a key that it
does not have is never true: https://aws.amazon.com/about-aws/whats-new/2026/01/aws-sts-supports-validation-identity-provider-claims/
The owner is part of `sub`, without which AWS refuses the policy.
"""

from typing import Any

import pulumi

from bootstrap.github import ISSUER, Repository

AUDIENCE = "sts.amazonaws.com"


def trust_policy(provider_arn: pulumi.Input[str], repository: Repository, environment: str) -> dict[str, Any]:
    """The trust policy of the role for jobs of the repository in the environment."""
    claims = {
        "aud": AUDIENCE,
        "sub": repository.subjects(environment),
        "repository_id": repository.id,
        "environment": environment,
    }
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": provider_arn},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {"StringEquals": {f"{ISSUER}:{claim}": value for claim, value in claims.items()}},
            }
        ],
    }
