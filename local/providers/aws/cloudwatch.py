"""CloudWatch: log groups (boto3 calls them `logs`)."""

from local.providers.aws.cloud import AwsResource, removed_tags
from local.providers.values import Props


class LogGroup(AwsResource):
    service = "logs"
    honours = frozenset({"name", "retentionInDays", "skipDestroy", "tags"})
    replaces = frozenset({"name"})

    def create(self, inputs: Props) -> str:
        name: str = inputs["name"]
        self.client.create_log_group(logGroupName=name, tags=inputs.get("tags", {}))
        self._retain(name, inputs)
        return name

    def read(self, identifier: str, known: Props) -> Props | None:
        groups = self.client.describe_log_groups(logGroupNamePrefix=identifier)["logGroups"]
        group: Props | None = next((group for group in groups if group["logGroupName"] == identifier), None)
        if group is None:
            return None
        arn = self.cloud.arn("logs", f"log-group:{identifier}")
        return {
            "name": identifier,
            "arn": arn,
            "retentionInDays": group.get("retentionInDays", 0),
            "tags": self.client.list_tags_for_resource(resourceArn=arn)["tags"],
        }

    def update(self, identifier: str, olds: Props, news: Props) -> None:
        self._retain(identifier, news)
        arn = olds["arn"]
        if removed := removed_tags(olds, news):
            self.client.untag_resource(resourceArn=arn, tagKeys=removed)
        if news.get("tags"):
            self.client.tag_resource(resourceArn=arn, tags=news["tags"])

    def delete(self, identifier: str, known: Props) -> None:
        if not known.get("skipDestroy"):
            self.client.delete_log_group(logGroupName=identifier)

    def _retain(self, name: str, inputs: Props) -> None:
        if days := inputs.get("retentionInDays"):
            self.client.put_retention_policy(logGroupName=name, retentionInDays=days)
        else:
            self.client.delete_retention_policy(logGroupName=name)
