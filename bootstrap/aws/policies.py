"""The IAM policies of the deployers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bootstrap.aws.rights import APP, RIGHTS, Right

LIMIT = 6144
"""Characters of a managed policy, without white space:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
BOUNDED = [right for right in RIGHTS if "iam:PermissionsBoundary" in right.conditions]

type Statement = dict[str, Any]


@dataclass(frozen=True)
class Deployer:
    """The deployer of an environment. `others` are the stacks that belong to other environments alone."""

    project: str
    account: str
    environment: str
    others: Sequence[str]

    @property
    def boundary(self) -> str:
        """The name of the policy that bounds the roles that it makes."""
        return f"boundary-{self.project}-{self.environment}"

    def boundary_policy(self) -> str:
        """What a function of the environment may do at most."""
        return _document([*(self._allow(right) for right in APP), *self._deny()])

    def own_policy(self, bucket: str, key_arn: str) -> str:
        """Lets it make bounded roles, use the project's state and the key, and nothing of the others.

        Pulumi's files are below .pulumi: meta.yaml, stacks/PROJECT/STACK.json, locks/organization/PROJECT/STACK/...,
        history/ and backups/ alike. Those of other projects, such as this one, are not allowed.
        """
        files = f"arn:aws:s3:::{bucket}/.pulumi"
        state: list[Statement] = [
            {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": [f"arn:aws:s3:::{bucket}"]},
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
                "Resource": [f"{files}/meta.yaml", f"{files}/*/{self.project}/*"],
            },
            {"Effect": "Allow", "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"], "Resource": [key_arn]},
        ]
        denied = [f"{files}/*/{self.project}/{stack}*" for stack in self.others]
        return _document([*(self._allow(right) for right in BOUNDED), *state, *self._deny(*denied)])

    def shared_policies(self) -> list[str]:
        """The policies that all deployers have, as few as the limit takes."""
        packed: list[list[Statement]] = [[]]
        for statement in (self._allow(right) for right in RIGHTS if right not in BOUNDED):
            if len(_document([*packed[-1], statement])) > LIMIT:
                packed.append([])
            packed[-1].append(statement)
        return [_document(statements) for statements in packed]

    def _allow(self, right: Right) -> Statement:
        values = {
            "account": self.account,
            "name": f"{self.project}-*",
            "boundary": f"arn:aws:iam::{self.account}:policy/{self.boundary}",
        }
        statement: Statement = {
            "Effect": "Allow",
            "Action": right.actions,
            "Resource": [resource.format(**values) for resource in right.resources],
        }
        if right.conditions:
            conditions = {key: value.format(**values) for key, value in right.conditions.items()}
            statement["Condition"] = {"StringEquals": conditions}
        return statement

    def _deny(self, *files: str) -> list[Statement]:
        """A statement that denies these files, and what is named after the others, if there are any.

        It lists each kind of resource, since AWS takes no wildcard for the service in an ARN.
        """
        named = {resource for right in RIGHTS for resource in right.resources if "{name}" in resource}
        denied = [
            resource.format(account=self.account, name=f"{self.project}-{stack}*")
            for stack in self.others
            for resource in sorted(named)
        ]
        return [{"Effect": "Deny", "Action": ["*"], "Resource": [*denied, *files]}] if denied else []


def _document(statements: Sequence[Statement]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
