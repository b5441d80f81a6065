"""API Gateway's HTTP APIs. The daemon opens a listener for each; its URL is the API's endpoint."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from local.providers.aws.cloud import ACCOUNT, AwsResource, arguments, outputs_of, removed_tags
from local.providers.resource import ProviderError
from local.providers.values import Props

RENAMED = {"TimeoutMilliseconds": "TimeoutInMillis"}
"""boto3's names for inputs that Pulumi names differently."""


class _HttpApiResource(AwsResource):
    service = "apigatewayv2"
    settable: tuple[str, ...]
    """The inputs that are sent and read back unchanged."""

    def arguments(self, inputs: Props) -> Props:
        return {RENAMED.get(name, name): value for name, value in arguments(self.settable, inputs).items()}

    def outputs(self, answer: Mapping[str, Any]) -> Props:
        return outputs_of(self.settable, {**answer, **{name: answer.get(other) for name, other in RENAMED.items()}})


class Api(_HttpApiResource):
    replaces = frozenset({"protocolType"})
    defaults = MappingProxyType(
        {
            "apiKeySelectionExpression": "$request.header.x-api-key",
            "routeSelectionExpression": "$request.method $request.path",
        }
    )
    settable = ("name", "protocolType", "description", "disableExecuteApiEndpoint", "version")
    only = MappingProxyType({"protocolType": "HTTP"})
    honours = frozenset({*settable, "tags"})

    def create(self, inputs: Props) -> str:
        identifier = self.client.create_api(**self.arguments(inputs), Tags=inputs.get("tags", {}))["ApiId"]
        self.cloud.control("PUT", "aws", "apis", identifier)
        return identifier

    def read(self, identifier: str, known: Props) -> Props | None:
        api = self.client.get_api(ApiId=identifier)
        return self.outputs(api) | {
            "apiEndpoint": (self.cloud.control("GET", "aws", "apis", identifier) or {}).get("url"),
            "arn": _arn(self.cloud.region, identifier),
            "executionArn": _execution_arn(self.cloud.region, identifier),
            "tags": api.get("Tags", {}),
            **self.defaults,
        }

    def update(self, identifier: str, olds: Props, news: Props) -> None:
        empty = {"Description": "", "DisableExecuteApiEndpoint": False, "Version": ""}
        arguments = {name: value for name, value in self.arguments(news).items() if name != "ProtocolType"}
        self.client.update_api(ApiId=identifier, **(empty | arguments))
        if removed := removed_tags(olds, news):
            self.client.untag_resource(ResourceArn=olds["arn"], TagKeys=removed)
        self.client.tag_resource(ResourceArn=olds["arn"], Tags=news.get("tags", {}))

    def delete(self, identifier: str, known: Props) -> None:
        self.cloud.control("DELETE", "aws", "apis", identifier)
        self.client.delete_api(ApiId=identifier)


class _Part(_HttpApiResource):
    """A part of an API. The API's id is an input."""

    replaces = frozenset({"apiId"})
    autoname = None
    part: str

    def create(self, inputs: Props) -> str:
        make = getattr(self.client, f"create_{self.part.lower()}")
        return make(ApiId=inputs["apiId"], **self.arguments(inputs))[f"{self.part}Id"]

    def read(self, identifier: str, known: Props) -> Props | None:
        get = getattr(self.client, f"get_{self.part.lower()}")
        return self.outputs(get(**self._key(identifier, known))) | {"apiId": known["apiId"]}

    def update(self, identifier: str, olds: Props, news: Props) -> None:
        getattr(self.client, f"update_{self.part.lower()}")(**self._key(identifier, news), **self.arguments(news))

    def delete(self, identifier: str, known: Props) -> None:
        getattr(self.client, f"delete_{self.part.lower()}")(**self._key(identifier, known))

    def _key(self, identifier: str, known: Props) -> Props:
        if "apiId" not in known:
            raise ProviderError(f"the laptop's aws cannot import an API's {self.part.lower()}")
        return {"ApiId": known["apiId"], f"{self.part}Id": identifier}


class Integration(_Part):
    part = "Integration"
    replaces = frozenset({"apiId", "integrationType"})
    defaults = MappingProxyType({"payloadFormatVersion": "1.0", "timeoutMilliseconds": 30000})
    only = MappingProxyType({"integrationType": "AWS_PROXY", "payloadFormatVersion": "2.0"})
    settable = (
        "integrationType",
        "integrationUri",
        "integrationMethod",
        "payloadFormatVersion",
        "description",
        "timeoutMilliseconds",
    )
    honours = frozenset({"apiId", *settable})


class Route(_Part):
    part = "Route"
    settable = ("routeKey", "target", "operationName")
    only = MappingProxyType({"routeKey": "$default"})
    honours = frozenset({"apiId", *settable})


class Stage(_HttpApiResource):
    """Its id is its name."""

    replaces = frozenset({"apiId", "name"})
    only = MappingProxyType({"name": "$default"})
    settable = ("accessLogSettings", "autoDeploy", "defaultRouteSettings", "description")
    honours = frozenset({"apiId", "name", "tags", *settable})

    def create(self, inputs: Props) -> str:
        self.client.create_stage(
            ApiId=inputs["apiId"],
            StageName=inputs["name"],
            Tags=inputs.get("tags", {}),
            **self.arguments(inputs),
        )
        return inputs["name"]

    def read(self, identifier: str, known: Props) -> Props | None:
        stage = self.client.get_stage(**self._key(identifier, known))
        api, region = known["apiId"], self.cloud.region
        endpoint = (self.cloud.control("GET", "aws", "apis", api) or {}).get("url", "")
        return self.outputs(stage) | {
            "name": identifier,
            "apiId": api,
            "arn": f"{_arn(region, api)}/stages/{identifier}",
            "executionArn": f"{_execution_arn(region, api)}/{identifier}",
            "invokeUrl": endpoint + ("/" if identifier == "$default" else f"/{identifier}"),
            "deploymentId": stage.get("DeploymentId", ""),
            "tags": stage.get("Tags", {}),
        }

    def update(self, identifier: str, olds: Props, news: Props) -> None:
        self.create(news)  # moto has no UpdateStage, but its CreateStage replaces an existing stage

    def delete(self, identifier: str, known: Props) -> None:
        self.client.delete_stage(**self._key(identifier, known))

    def _key(self, identifier: str, known: Props) -> Props:
        if "apiId" not in known:
            raise ProviderError("the laptop's aws cannot import an API's stage")
        return {"ApiId": known["apiId"], "StageName": identifier}


def _arn(region: str, api: str) -> str:
    return f"arn:aws:apigateway:{region}::/apis/{api}"


def _execution_arn(region: str, api: str) -> str:
    return f"arn:aws:execute-api:{region}:{ACCOUNT}:{api}"
