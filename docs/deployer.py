"""The tables of docs/deployer.md."""

from bootstrap.aws import rights as aws
from bootstrap.gcp import rights as gcp
from docs.tables import text_table


def aws_rights() -> str:
    rows = [
        [right.purpose, _actions(right), "<br>".join(map(_resource, right.resources)), right.when]
        for right in (*aws.RIGHTS, aws.RESTORE)
    ]
    return text_table(["for", "actions", "on", "when"], rows)


def _actions(right: aws.Right) -> str:
    service = right.actions[0].partition(":")[0]
    names = ", ".join(action.partition(":")[2] for action in right.actions)
    conditions = [f", if `{key}` is `{value.format(boundary='BOUNDARY')}`" for key, value in right.conditions.items()]
    return f"`{service}:` {names}{''.join(conditions)}"


def _resource(pattern: str) -> str:
    return f"`{pattern.format(account='ACCOUNT', name='better-together-*')}`"


def gcp_roles() -> str:
    rows = [[f"`{right.role}`", right.purpose, right.when] for right in gcp.RIGHTS]
    return text_table(["role", "for", "when"], rows)


TABLES = {"aws": aws_rights, "gcp": gcp_roles}
