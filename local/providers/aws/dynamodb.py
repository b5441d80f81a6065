"""DynamoDB tables."""

from types import MappingProxyType
from typing import Any

from local.providers.aws.cloud import AwsResource, only, tag_list, tag_map
from local.providers.values import Props


class Table(AwsResource):
    service = "dynamodb"
    honours = frozenset(
        {
            *("name", "attributes", "hashKey", "billingMode", "readCapacity", "writeCapacity", "tags"),
            *("deletionProtectionEnabled", "serverSideEncryption"),
            *("pointInTimeRecovery.enabled", "pointInTimeRecovery.recoveryPeriodInDays"),
        }
    )
    replaces = frozenset({"name", "hashKey"})
    defaults = MappingProxyType({"billingMode": "PROVISIONED", "pointInTimeRecovery": {"enabled": False}})

    def create(self, inputs: Props) -> str:
        name: str = inputs["name"]
        self.client.create_table(
            TableName=name,
            AttributeDefinitions=[
                {"AttributeName": a["name"], "AttributeType": a["type"]} for a in inputs["attributes"]
            ],
            KeySchema=[{"AttributeName": inputs["hashKey"], "KeyType": "HASH"}],
            Tags=tag_list(inputs.get("tags")),
            **_billing(inputs),
            **_protection(inputs),
            **(_encrypted(inputs) if "serverSideEncryption" in inputs else {}),
        )
        self.client.get_waiter("table_exists").wait(TableName=name)
        self._set_recovery(name, {}, inputs)
        return name

    def read(self, identifier: str, known: Props) -> Props | None:
        table = self.client.describe_table(TableName=identifier)["Table"]
        capacity = table.get("ProvisionedThroughput", {})
        return {
            "name": identifier,
            "arn": table["TableArn"],
            "attributes": _in_order(table["AttributeDefinitions"], known.get("attributes", [])),
            "hashKey": table["KeySchema"][0]["AttributeName"],
            "billingMode": table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
            "readCapacity": capacity.get("ReadCapacityUnits", 0),
            "writeCapacity": capacity.get("WriteCapacityUnits", 0),
            "deletionProtectionEnabled": table.get("DeletionProtectionEnabled", False),
            "serverSideEncryption": _encryption(table.get("SSEDescription", {})),
            "pointInTimeRecovery": self._recovery(identifier),
            "tags": tag_map(self.client.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"]),
        }

    def update(self, identifier: str, olds: Props, news: Props) -> None:
        for settings in (_billing, _protection, _encrypted):
            if (wanted := settings(news)) != settings(olds):
                self.client.update_table(TableName=identifier, **wanted)
        self._set_recovery(identifier, olds, news)
        if olds.get("tags"):  # remove all of them: moto keeps a tag's old value when it is set again
            self.client.untag_resource(ResourceArn=olds["arn"], TagKeys=list(olds["tags"]))
        if news.get("tags"):
            self.client.tag_resource(ResourceArn=olds["arn"], Tags=tag_list(news["tags"]))

    def delete(self, identifier: str, known: Props) -> None:
        self.client.delete_table(TableName=identifier)
        self.client.get_waiter("table_not_exists").wait(TableName=identifier)

    def _set_recovery(self, name: str, olds: Props, news: Props) -> None:
        old, new = (props.get("pointInTimeRecovery", {"enabled": False}) for props in (olds, news))
        if old != new:
            days = {"RecoveryPeriodInDays": new["recoveryPeriodInDays"]} if new.get("recoveryPeriodInDays") else {}
            self.client.update_continuous_backups(
                TableName=name,
                PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": new["enabled"], **days},
            )

    def _recovery(self, name: str) -> Props:
        backups = self.client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        found = backups.get("PointInTimeRecoveryDescription", {})
        enabled = found.get("PointInTimeRecoveryStatus") == "ENABLED"
        return {"enabled": enabled} | only({"recoveryPeriodInDays": found.get("RecoveryPeriodInDays")})


def _in_order(definitions: list[Any], known: list[Any]) -> list[Props]:
    """The attributes, which DynamoDB treats as a set, in the order of the program."""
    names = [attribute["name"] for attribute in known]
    found = [{"name": d["AttributeName"], "type": d["AttributeType"]} for d in definitions]
    return sorted(found, key=lambda a: names.index(a["name"]) if a["name"] in names else len(names))


def _billing(inputs: Props) -> Props:
    mode = inputs.get("billingMode", "PROVISIONED")
    if mode == "PAY_PER_REQUEST":
        return {"BillingMode": mode}
    throughput = {
        "ReadCapacityUnits": inputs.get("readCapacity", 1),
        "WriteCapacityUnits": inputs.get("writeCapacity", 1),
    }
    return {"BillingMode": mode, "ProvisionedThroughput": throughput}


def _protection(inputs: Props) -> Props:
    return {"DeletionProtectionEnabled": inputs.get("deletionProtectionEnabled", False)}


def _encrypted(inputs: Props) -> Props:
    wanted = inputs.get("serverSideEncryption") or {"enabled": False}
    key = {"SSEType": "KMS"} | only({"KMSMasterKeyId": wanted.get("kmsKeyArn")}) if wanted["enabled"] else {}
    return {"SSESpecification": {"Enabled": wanted["enabled"], **key}}


def _encryption(found: Props) -> Props | None:
    if found.get("Status") != "ENABLED":
        return None
    return {"enabled": True, "kmsKeyArn": found.get("KMSMasterKeyArn")}
