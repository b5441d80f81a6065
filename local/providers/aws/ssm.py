"""Systems Manager: parameters."""

from types import MappingProxyType

from local.providers.aws.cloud import AwsResource, only, removed_tags, tag_list, tag_map
from local.providers.values import Props


class Parameter(AwsResource):
    """Its id is its name. The SDK marks its value as a secret output."""

    service = "ssm"
    replaces = frozenset({"name", "dataType"})
    defaults = MappingProxyType({"tier": "Standard", "dataType": "text"})

    def create(self, inputs: Props) -> str:
        self._put(inputs, Overwrite=inputs.get("overwrite", False))
        self._tag(inputs)
        return inputs["name"]

    def read(self, identifier: str, known: Props) -> Props | None:
        parameter = self.client.get_parameter(Name=identifier, WithDecryption=True)["Parameter"]
        filters = [{"Key": "Name", "Option": "Equals", "Values": [identifier]}]
        described = self.client.describe_parameters(ParameterFilters=filters)["Parameters"][0]
        tags = self.client.list_tags_for_resource(ResourceType="Parameter", ResourceId=identifier)["TagList"]
        value = "insecureValue" if "insecureValue" in known else "value"
        return {
            "name": identifier,
            "arn": self.cloud.arn("ssm", f"parameter/{identifier.removeprefix('/')}"),
            "type": parameter["Type"],
            value: parameter["Value"],
            "version": parameter["Version"],
            "dataType": parameter.get("DataType", "text"),
            "description": described.get("Description", ""),
            "tier": described.get("Tier") or "Standard",
            "tags": tag_map(tags),
        }

    def update(self, identifier: str, olds: Props, news: Props) -> None:
        if any(olds.get(name) != news.get(name) for name in ("value", "insecureValue", "description", "type", "tier")):
            self._put(news, Overwrite=True)
        if removed := removed_tags(olds, news):
            self.client.remove_tags_from_resource(ResourceType="Parameter", ResourceId=identifier, TagKeys=removed)
        self._tag(news)

    def delete(self, identifier: str, known: Props) -> None:
        self.client.delete_parameter(Name=identifier)

    def unsettled(self, changed: set[str], news: Props) -> set[str]:
        return {"version"} if changed - {"tags"} else set()

    def _put(self, inputs: Props, **options: bool) -> None:
        names = {"description": "Description", "keyId": "KeyId", "tier": "Tier", "dataType": "DataType"}
        self.client.put_parameter(
            Name=inputs["name"],
            Type=inputs["type"],
            Value=inputs.get("value", inputs.get("insecureValue")),
            **only({key: inputs.get(name) for name, key in names.items()}),
            **options,
        )

    def _tag(self, inputs: Props) -> None:
        if tags := tag_list(inputs.get("tags")):
            self.client.add_tags_to_resource(ResourceType="Parameter", ResourceId=inputs["name"], Tags=tags)
