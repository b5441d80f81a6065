"""Lambda's functions, aliases that split traffic between a function's versions, and permissions."""

import json
from types import MappingProxyType

from local.providers.aws.cloud import AwsResource, only
from local.providers.aws.lambda_function import Function, invoke_arn
from local.providers.resource import ProviderError
from local.providers.values import Props, is_object

__all__ = ["Alias", "Function", "Permission"]

ROUTING = "routingConfig.additionalVersionWeights"


class Alias(AwsResource):
    """Its id is its ARN."""

    service = "lambda"
    honours = frozenset({"name", "functionName", "functionVersion", "description", ROUTING})
    replaces = frozenset({"name", "functionName"})

    def create(self, inputs: Props) -> str:
        return self.client.create_alias(Name=inputs["name"], **_target(inputs))["AliasArn"]

    def read(self, identifier: str, known: Props) -> Props | None:
        function, name = identifier.split(":")[-2:]
        alias = self.client.get_alias(FunctionName=function, Name=name)
        routing: Props = alias.get("RoutingConfig") or {}
        weights = routing.get("AdditionalVersionWeights")
        return {
            "name": name,
            "arn": identifier,
            "invokeArn": invoke_arn(self.cloud.region, identifier),
            "functionName": known.get("functionName", function),
            "functionVersion": alias["FunctionVersion"],
            "description": alias.get("Description", ""),
            "routingConfig": {"additionalVersionWeights": weights} if weights else None,
        }

    def update(self, identifier: str, olds: Props, news: Props) -> None:
        self.client.update_alias(Name=news["name"], **_target(news))

    def delete(self, identifier: str, known: Props) -> None:
        function, name = identifier.split(":")[-2:]
        self.client.delete_alias(FunctionName=function, Name=name)


class Permission(AwsResource):
    """Its id is the statement's id. Every change replaces it."""

    service = "lambda"
    autoname = "statementId"
    arguments = MappingProxyType(
        {
            "statementId": "StatementId",
            "function": "FunctionName",
            "action": "Action",
            "principal": "Principal",
            "qualifier": "Qualifier",
            "sourceArn": "SourceArn",
        }
    )
    honours = replaces = frozenset(arguments)

    def create(self, inputs: Props) -> str:
        self.client.add_permission(**only({self.arguments[name]: inputs.get(name) for name in self.arguments}))
        return inputs["statementId"]

    def read(self, identifier: str, known: Props) -> Props | None:
        policy = json.loads(self.client.get_policy(**self._holder(known))["Policy"])
        found = next((one for one in policy["Statement"] if one["Sid"] == identifier), None)
        if found is None:
            return None
        principal = found["Principal"]
        source = found.get("Condition", {}).get("ArnLike", {}).get("AWS:SourceArn")
        return {
            **{name: known[name] for name in ("function", "qualifier") if name in known},
            "statementId": identifier,
            "action": found["Action"],
            "principal": next(iter(principal.values())) if is_object(principal) else principal,
            "sourceArn": source,
        }

    def update(self, identifier: str, olds: Props, news: Props) -> None: ...

    def delete(self, identifier: str, known: Props) -> None:
        self.client.remove_permission(StatementId=identifier, **self._holder(known))

    def _holder(self, known: Props) -> Props:
        if "function" not in known:
            raise ProviderError("the laptop's aws cannot import a lambda permission")
        return only({"FunctionName": known["function"], "Qualifier": known.get("qualifier")})


def _target(inputs: Props) -> Props:
    routing: Props = inputs.get("routingConfig", {})
    return {
        "FunctionName": inputs["functionName"],
        "FunctionVersion": inputs["functionVersion"],
        "Description": inputs.get("description", ""),
        "RoutingConfig": {"AdditionalVersionWeights": routing.get("additionalVersionWeights", {})},
    }
