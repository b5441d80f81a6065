"""Recovery of the data, and protection against deletion, which only production has."""

from typing import Any

import pytest

from tests.stacks.deployment import Deployment, deploy

STORE = {"aws": "aws:dynamodb/table:Table", "gcp": "gcp:firestore/database:Database"}
HOLDS_DATA = {"aws": ["pictures", "users"], "gcp": ["users"]}
SERVICE = "gcp:cloudrunv2/service:Service"
PRODUCTION = {
    "better-together:environment": "production",
    "better-together:auth": "https://login.example.com/",
    "better-together:demo": "false",
}


@pytest.fixture(scope="module")
def production() -> dict[str, Deployment]:
    return {cloud: deploy(cloud, PRODUCTION) for cloud in STORE}


@pytest.mark.parametrize("days", ["1", "35"])
def test_dynamodb_goes_back_to_any_second_of_the_recovery_days(days: str) -> None:
    stack = deploy("aws", {"better-together:recoveryDays": days})
    for table in HOLDS_DATA["aws"]:
        recovery = stack.inputs(STORE["aws"], table)["pointInTimeRecovery"]
        assert recovery == {"enabled": True, "recoveryPeriodInDays": int(days)}


@pytest.mark.parametrize(("days", "seconds"), [("1", "86400s"), ("35", "3024000s")])
def test_firestore_goes_back_to_any_minute_of_a_week_and_any_day_of_the_recovery_days(days: str, seconds: str) -> None:
    stack = deploy("gcp", {"better-together:recoveryDays": days})
    assert stack.inputs(STORE["gcp"])["pointInTimeRecoveryEnablement"] == "POINT_IN_TIME_RECOVERY_ENABLED"
    schedule: dict[str, Any] = {"database": "better-together-gcp", "dailyRecurrence": {}, "retention": seconds}
    assert stack.inputs("BackupSchedule") == schedule


def test_the_cloud_itself_deletes_development_and_protects_production(
    aws: Deployment, gcp: Deployment, production: dict[str, Deployment]
) -> None:
    for table in HOLDS_DATA["aws"]:
        assert aws.inputs(STORE["aws"], table)["deletionProtectionEnabled"] is False
        assert production["aws"].inputs(STORE["aws"], table)["deletionProtectionEnabled"] is True
    for stack, state, policy, protected in (
        (gcp, "DELETE_PROTECTION_DISABLED", "DELETE", False),
        (production["gcp"], "DELETE_PROTECTION_ENABLED", "PREVENT", True),
    ):
        assert stack.inputs(STORE["gcp"])["deleteProtectionState"] == state
        assert stack.inputs(STORE["gcp"])["deletionPolicy"] == policy
        assert stack.inputs(SERVICE)["deletionProtection"] is protected
        assert stack.inputs("Bucket")["forceDestroy"] is not protected


@pytest.mark.parametrize("cloud", STORE)
def test_the_engine_protects_what_holds_data_in_production(cloud: str, production: dict[str, Deployment]) -> None:
    protected = [r for r in production[cloud].resources if r.protect or r.delete_hooks]
    assert [(r.type, r.name, r.protect) for r in protected] == [(STORE[cloud], n, True) for n in HOLDS_DATA[cloud]]
    way = f"`pulumi config set environment development -s {cloud}`, `pulumi up -s {cloud}`, then destroy"
    assert [r.delete_hooks for r in protected] == [[f"stack {cloud} is protected: {way}"] for _ in protected]


def test_the_engine_protects_nothing_in_development(either: Deployment) -> None:
    assert [r for r in either.resources if r.protect or r.delete_hooks] == []
