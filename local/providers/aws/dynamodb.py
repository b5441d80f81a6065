"""DynamoDB tables."""

from types import MappingProxyType
from typing import Any

from local.providers.aws.cloud import AwsResource, only, tag_list, tag_map
from local.providers.values import Props


class Table(AwsResource):
    service = "dynamodb"
    replaces = frozenset({"name", "hashKey", "rangeKey", "localSecondaryIndexes"})
    defaults = MappingProxyType(
        {"billingMode": "PROVISIONED", "tableClass": "STANDARD", "pointInTimeRecovery": {"enabled": False}}
    )

    def create(self, inputs: Props) -> str:
        name: str = inputs["name"]
        keys = [(inputs["hashKey"], "HASH")] + ([(inputs["rangeKey"], "RANGE")] if "rangeKey" in inputs else [])
        self.client.create_table(
            TableName=name,
            AttributeDefinitions=[
                {"AttributeName": a["name"], "AttributeType": a["type"]} for a in inputs["attributes"]
            ],
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
            Tags=tag_list(inputs.get("tags")),
            **_billing(inputs),
            **_stream(inputs),
            **_protection(inputs),
            **_class(inputs),
            **(_encrypted(inputs) if "serverSideEncryption" in inputs else {}),
        )
        self.client.get_waiter("table_exists").wait(TableName=name)
        self._extras(name, {}, inputs)
        return name

    def read(self, identifier: str, known: Props) -> Props | None:
        table = self.client.describe_table(TableName=identifier)["Table"]
        keys = {key["KeyType"]: key["AttributeName"] for key in table["KeySchema"]}
        capacity = table.get("ProvisionedThroughput", {})
        stream = table.get("StreamSpecification", {})
        return {
            "name": identifier,
            "arn": table["TableArn"],
            "attributes": _in_order(table["AttributeDefinitions"], known.get("attributes", [])),
            "hashKey": keys["HASH"],
            "rangeKey": keys.get("RANGE"),
            "billingMode": table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
            "readCapacity": capacity.get("ReadCapacityUnits", 0),
            "writeCapacity": capacity.get("WriteCapacityUnits", 0),
            "streamEnabled": stream.get("StreamEnabled", False),
            "streamViewType": stream.get("StreamViewType", ""),
            "streamArn": table.get("LatestStreamArn", ""),
            "streamLabel": table.get("LatestStreamLabel", ""),
            "deletionProtectionEnabled": table.get("DeletionProtectionEnabled", False),
            "tableClass": table.get("TableClassSummary", {}).get("TableClass", "STANDARD"),
            "serverSideEncryption": _encryption(table.get("SSEDescription", {})),
            "pointInTimeRecovery": self._recovery(identifier),
            "ttl": self._ttl(identifier),
            "tags": tag_map(self.client.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"]),
        }

    def update(self, identifier: str, olds: Props, news: Props) -> None:
        for settings in (_billing, _stream, _protection, _class, _encrypted):
            if (wanted := settings(news)) != settings(olds):
                self.client.update_table(TableName=identifier, **wanted)
        self._extras(identifier, olds, news)
        if olds.get("tags"):  # all of them: moto keeps the old value of a tag that is set again
            self.client.untag_resource(ResourceArn=olds["arn"], TagKeys=list(olds["tags"]))
        if news.get("tags"):
            self.client.tag_resource(ResourceArn=olds["arn"], Tags=tag_list(news["tags"]))

    def delete(self, identifier: str, known: Props) -> None:
        self.client.delete_table(TableName=identifier)
        self.client.get_waiter("table_not_exists").wait(TableName=identifier)

    def _extras(self, name: str, olds: Props, news: Props) -> None:
        """What DynamoDB has calls of their own for."""
        off = {"enabled": False}
        old, new = (props.get("pointInTimeRecovery", off) for props in (olds, news))
        if old != new:
            days = {"RecoveryPeriodInDays": new["recoveryPeriodInDays"]} if new.get("recoveryPeriodInDays") else {}
            self.client.update_continuous_backups(
                TableName=name,
                PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": new["enabled"], **days},
            )
        old, new = (props.get("ttl") or off for props in (olds, news))
        if old != new:
            attribute = new.get("attributeName") or old["attributeName"]
            self.client.update_time_to_live(
                TableName=name,
                TimeToLiveSpecification={"Enabled": new.get("enabled", False), "AttributeName": attribute},
            )

    def _recovery(self, name: str) -> Props:
        backups = self.client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        found = backups.get("PointInTimeRecoveryDescription", {})
        enabled = found.get("PointInTimeRecoveryStatus") == "ENABLED"
        return {"enabled": enabled} | only({"recoveryPeriodInDays": found.get("RecoveryPeriodInDays")})

    def _ttl(self, name: str) -> Props | None:
        found = self.client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        if found["TimeToLiveStatus"] not in ("ENABLED", "ENABLING"):
            return None
        return {"attributeName": found["AttributeName"], "enabled": True}


def _in_order(definitions: list[Any], known: list[Any]) -> list[Props]:
    """The attributes are a set: they are told in the order that the program gave them."""
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


def _stream(inputs: Props) -> Props:
    enabled = inputs.get("streamEnabled", False)
    view = {"StreamViewType": inputs["streamViewType"]} if enabled and inputs.get("streamViewType") else {}
    return {"StreamSpecification": {"StreamEnabled": enabled, **view}}


def _protection(inputs: Props) -> Props:
    return {"DeletionProtectionEnabled": inputs.get("deletionProtectionEnabled", False)}


def _class(inputs: Props) -> Props:
    return {"TableClass": inputs.get("tableClass", "STANDARD")}


def _encrypted(inputs: Props) -> Props:
    wanted = inputs.get("serverSideEncryption") or {"enabled": False}
    key = {"SSEType": "KMS"} | only({"KMSMasterKeyId": wanted.get("kmsKeyArn")}) if wanted["enabled"] else {}
    return {"SSESpecification": {"Enabled": wanted["enabled"], **key}}


def _encryption(found: Props) -> Props | None:
    if found.get("Status") != "ENABLED":
        return None
    return {"enabled": True, "kmsKeyArn": found.get("KMSMasterKeyArn")}
