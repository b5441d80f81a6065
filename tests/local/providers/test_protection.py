"""The fake providers refuse deletions that the real clouds refuse, and take restored resources back into a stack."""

from unittest.mock import create_autospec

import grpc
import pytest
from pulumi import automation as auto
from pulumi.runtime import proto
from pulumi_aws import dynamodb
from pulumi_gcp import firestore

from local.providers.aws.provider import Aws as AwsProvider
from local.providers.gcp.provider import Gcp
from local.providers.provider import FakeProvider
from local.providers.resource import ProviderError
from local.providers.values import pack
from tests.local.providers.conftest import NOWHERE, Aws, Engine, Program

SERVICE = "gcp:cloudrunv2/service:Service"
DATABASE = "gcp:firestore/database:Database"


def table(protected: bool) -> Program:
    def program() -> None:
        dynamodb.Table(
            "users",
            name="users",
            hash_key="id",
            attributes=[{"name": "id", "type": "S"}],
            billing_mode="PAY_PER_REQUEST",
            point_in_time_recovery={"enabled": True, "recovery_period_in_days": 7},
            deletion_protection_enabled=protected,
            tags={"stack": "test"},
        )

    return program


def database(state: str, policy: str = "DELETE") -> Program:
    def program() -> None:
        made = firestore.Database(
            "users",
            name="users",
            location_id="us-central1",
            type="FIRESTORE_NATIVE",
            delete_protection_state=f"DELETE_PROTECTION_{state}",
            deletion_policy=policy,
        )
        firestore.BackupSchedule("users", database=made.name, daily_recurrence={}, retention="604800s")

    return program


@pytest.mark.prove
def test_a_protected_table_is_not_deleted(engine: Engine, aws: Aws) -> None:
    engine.up(table(protected=True))
    assert engine.refresh() == {}
    with pytest.raises(auto.errors.CommandError, match="DeletionProtectionEnabled"):
        engine.destroy()
    assert aws("dynamodb").list_tables()["TableNames"] == ["users"]
    assert engine.up(table(protected=False)) == {"update": 1}
    assert engine.destroy() == {"delete": 2}


@pytest.mark.prove
def test_a_protected_database_is_not_deleted(engine: Engine) -> None:
    assert engine.up(database("ENABLED")) == {"create": 3}
    assert engine.refresh() == {}
    with pytest.raises(auto.errors.CommandError, match="database users is protected: deleteProtectionState is on"):
        engine.destroy()
    assert engine.up(database("DISABLED", "PREVENT")) == {"create": 1, "update": 1}
    with pytest.raises(auto.errors.CommandError, match="databases/users: it is protected"):
        engine.destroy()
    assert engine.up(database("DISABLED")) == {"create": 1, "update": 1}
    assert engine.destroy() == {"delete": 3}


def delete(provider: FakeProvider, type: str, known: dict[str, bool]) -> None:
    """Raises ProviderError if it asks the clouds, which do not run."""
    request = proto.DeleteRequest(type=type, id="x", properties=pack(known))
    provider.Delete(request, create_autospec(grpc.ServicerContext))


@pytest.mark.parametrize("known", [{}, {"deletionProtection": True}])
def test_a_service_is_protected_by_default(known: dict[str, bool]) -> None:
    with pytest.raises(ProviderError, match="cannot delete x: it is protected"):
        delete(Gcp(NOWHERE), SERVICE, known)


def test_a_database_is_abandoned_by_default() -> None:
    delete(Gcp(NOWHERE), DATABASE, {})


@pytest.mark.parametrize("type", ["aws:cloudwatch/logGroup:LogGroup", "aws:lambda/function:Function"])
def test_what_is_to_be_skipped_stays(type: str) -> None:
    delete(AwsProvider(NOWHERE), type, {"skipDestroy": True})
    with pytest.raises(ProviderError, match=r"no daemon\.json in nowhere"):
        delete(AwsProvider(NOWHERE), type, {"skipDestroy": False})


@pytest.mark.prove
def test_a_table_restored_under_its_name_is_the_stacks_again(engine: Engine, aws: Aws) -> None:
    """The way back in docs/operations.md, command by command."""
    engine.up(table(protected=True))
    client = aws("dynamodb")
    client.put_item(TableName="users", Item={"id": {"S": "ada"}})
    client.restore_table_to_point_in_time(
        SourceTableName="users", TargetTableName="users-restored", UseLatestRestorableTime=True
    )
    backup = client.create_backup(TableName="users-restored", BackupName="users")["BackupDetails"]["BackupArn"]
    client.update_table(TableName="users", DeletionProtectionEnabled=False)
    client.delete_table(TableName="users")
    client.restore_table_from_backup(TargetTableName="users", BackupArn=backup)

    assert engine.refresh() == {"update": 1}
    assert engine.up(table(protected=True)) == {"update": 1}
    assert client.get_item(TableName="users", Key={"id": {"S": "ada"}})["Item"] == {"id": {"S": "ada"}}
    recovery = client.describe_continuous_backups(TableName="users")["ContinuousBackupsDescription"]
    assert recovery["PointInTimeRecoveryDescription"]["RecoveryPeriodInDays"] == 7
    assert client.describe_table(TableName="users")["Table"]["DeletionProtectionEnabled"] is True
    assert engine.refresh() == {}
