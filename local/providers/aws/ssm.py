"""Systems Manager parameters."""

from types import MappingProxyType

from local.providers.aws.cloud import AwsResource, arguments, removed_tags, tag_list, tag_map
from local.providers.values import Props

PUT = ("type", "value", "description", "tier", "dataType")


class Parameter(AwsResource):
    """Its id is its name. The SDK marks its value as a secret output."""

    service = "ssm"
    honours = frozenset({"name", "tags", *PUT})
    replaces = frozenset({"name", "dataType"})
    defaults = MappingProxyType({"tier": "Standard", "dataType": "text"})

    def create(self, inputs: Props) -> str:
        self._put(inputs)
        self._tag(inputs)
        return inputs["name"]

    def read(self, identifier: str, known: Props) -> Props | None:
        parameter = self.client.get_parameter(Name=identifier, WithDecryption=True)["Parameter"]
        filters = [{"Key": "Name", "Option": "Equals", "Values": [identifier]}]
        described = self.client.describe_parameters(ParameterFilters=filters)["Parameters"][0]
        tags = self.client.list_tags_for_resource(ResourceType="Parameter", ResourceId=identifier)["TagList"]
        return {
            "name": identifier,
            "arn": self.cloud.arn("ssm", f"parameter/{identifier.removeprefix('/')}"),
            "type": parameter["Type"],
            "value": parameter["Value"],
            "version": parameter["Version"],
            "dataType": parameter.get("DataType", "text"),
            "description": described.get("Description", ""),
            "tier": described.get("Tier") or "Standard",
            "tags": tag_map(tags),
        }

    def update(self, identifier: str, olds: Props, news: Props) -> None:
        if any(olds.get(name) != news.get(name) for name in PUT):
            self._put(news, Overwrite=True)
        if removed := removed_tags(olds, news):
            self.client.remove_tags_from_resource(ResourceType="Parameter", ResourceId=identifier, TagKeys=removed)
        self._tag(news)

    def delete(self, identifier: str, known: Props) -> None:
        self.client.delete_parameter(Name=identifier)

    def unsettled(self, changed: set[str], news: Props) -> set[str]:
        return {"version"} if changed - {"tags"} else set()

    def _put(self, inputs: Props, **options: bool) -> None:
        self.client.put_parameter(Name=inputs["name"], **arguments(PUT, inputs), **options)

    def _tag(self, inputs: Props) -> None:
        if tags := tag_list(inputs.get("tags")):
            self.client.add_tags_to_resource(ResourceType="Parameter", ResourceId=inputs["name"], Tags=tags)
