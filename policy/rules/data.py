"""Production data can be restored, and is not deleted by accident."""

from collections.abc import Iterator

from pulumi_policy import PolicyResource

from rules.reading import below, tags
from rules.rule import Resource, stack_rule

PROTECTED: dict[str, dict[str, object]] = {
    "aws:dynamodb/table:Table": {"pointInTimeRecovery.enabled": True, "deletionProtectionEnabled": True},
    "gcp:firestore/database:Database": {
        "pointInTimeRecoveryEnablement": "POINT_IN_TIME_RECOVERY_ENABLED",
        "deleteProtectionState": "DELETE_PROTECTION_ENABLED",
    },
}


@stack_rule
def production_data_is_protected(resources: list[PolicyResource]) -> Iterator[tuple[Resource, str]]:
    """Production stores have point-in-time recovery and deletion protection."""
    # Firestore databases have no labels, so the stack's other resources show its environment.
    if any(tags(resource).get("environment") == "production" for resource in resources):
        for resource in resources:
            for path, wanted in PROTECTED.get(resource.resource_type, {}).items():
                *above, name = path.split(".")
                value = below(resource.props, *above).get(name)
                if value != wanted:
                    yield resource, f"{path} is {value}: production needs {wanted}"
