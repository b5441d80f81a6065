"""IAM roles and their policies. IAM is global, so these resources have no region."""

import json
from types import MappingProxyType

from local.providers.aws.cloud import AwsResource, only, removed_tags, tag_list, tag_map
from local.providers.values import Props


class Role(AwsResource):
    service = "iam"
    honours = frozenset(
        {
            *("name", "assumeRolePolicy", "description", "maxSessionDuration", "path", "permissionsBoundary", "tags"),
            "forceDetachPolicies",
        }
    )
    replaces = frozenset({"name", "path"})
    defaults = MappingProxyType({"path": "/", "maxSessionDuration": 3600})

    def create(self, inputs: Props) -> str:
        arguments = {
            "Description": inputs.get("description"),
            "MaxSessionDuration": inputs.get("maxSessionDuration"),
            "Path": inputs.get("path"),
            "PermissionsBoundary": inputs.get("permissionsBoundary"),
        }
        self.client.create_role(
            RoleName=inputs["name"],
            AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
            Tags=tag_list(inputs.get("tags")),
            **only(arguments),
        )
        return inputs["name"]

    def read(self, identifier: str, known: Props) -> Props | None:
        role = self.client.get_role(RoleName=identifier)["Role"]
        return {
            "name": identifier,
            "arn": role["Arn"],
            "uniqueId": role["RoleId"],
            "createDate": f"{role['CreateDate']:%Y-%m-%dT%H:%M:%SZ}",
            "assumeRolePolicy": json.dumps(role["AssumeRolePolicyDocument"]),
            "description": role.get("Description", ""),
            "maxSessionDuration": role.get("MaxSessionDuration", 3600),
            "path": role["Path"],
            "permissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
            "tags": tag_map(self.client.list_role_tags(RoleName=identifier)["Tags"]),
        }

    def update(self, identifier: str, olds: Props, news: Props) -> None:
        self.client.update_assume_role_policy(RoleName=identifier, PolicyDocument=news["assumeRolePolicy"])
        self.client.update_role(
            RoleName=identifier,
            Description=news.get("description", ""),
            MaxSessionDuration=news.get("maxSessionDuration", 3600),
        )
        if boundary := news.get("permissionsBoundary"):
            self.client.put_role_permissions_boundary(RoleName=identifier, PermissionsBoundary=boundary)
        elif olds.get("permissionsBoundary"):
            self.client.delete_role_permissions_boundary(RoleName=identifier)
        if removed := removed_tags(olds, news):
            self.client.untag_role(RoleName=identifier, TagKeys=removed)
        self.client.tag_role(RoleName=identifier, Tags=tag_list(news.get("tags")))

    def delete(self, identifier: str, known: Props) -> None:
        if known.get("forceDetachPolicies"):
            for policy in self.client.list_attached_role_policies(RoleName=identifier)["AttachedPolicies"]:
                self.client.detach_role_policy(RoleName=identifier, PolicyArn=policy["PolicyArn"])
        self.client.delete_role(RoleName=identifier)


class RolePolicy(AwsResource):
    """A role's inline policy; its id is role:name."""

    service = "iam"
    honours = frozenset({"name", "policy", "role"})
    replaces = frozenset({"name", "role"})

    def create(self, inputs: Props) -> str:
        self.client.put_role_policy(
            RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=_text(inputs["policy"])
        )
        return f"{inputs['role']}:{inputs['name']}"

    def read(self, identifier: str, known: Props) -> Props | None:
        role, name = identifier.split(":")
        found = self.client.get_role_policy(RoleName=role, PolicyName=name)
        return {"role": role, "name": name, "policy": json.dumps(found["PolicyDocument"])}

    def update(self, identifier: str, olds: Props, news: Props) -> None:
        self.create(news)

    def delete(self, identifier: str, known: Props) -> None:
        role, name = identifier.split(":")
        self.client.delete_role_policy(RoleName=role, PolicyName=name)


def _text(policy: str | Props) -> str:
    return policy if isinstance(policy, str) else json.dumps(policy)
