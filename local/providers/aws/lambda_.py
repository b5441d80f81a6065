"""Lambda: functions with published versions, aliases that share traffic between versions, and permissions."""

import json
from pathlib import Path
from types import MappingProxyType

from local.providers.aws.cloud import AwsResource, only, removed_tags
from local.providers.resource import StandInError
from local.providers.values import Asset, Props, is_object

CODE = {"code", "sourceCodeHash", "architectures"}
NOT_VERSIONED = {"tags", "publish", "reservedConcurrentExecutions", "skipDestroy"}


class Function(AwsResource):
    """Its id is its name. `publish` makes every change of code or configuration a new version."""

    service = "lambda"
    replaces = frozenset({"name", "packageType"})
    defaults = MappingProxyType({"memorySize": 128, "timeout": 3, "architectures": ["x86_64"], "packageType": "Zip"})

    def create(self, inputs: Props) -> str:
        self.client.create_function(
            FunctionName=inputs["name"],
            Code={"ZipFile": _zip(inputs)},
            Publish=inputs.get("publish", False),
            Tags=inputs.get("tags", {}),
            **_configuration(inputs),
            **only({"Architectures": inputs.get("architectures"), "PackageType": inputs.get("packageType")}),
        )
        self._reserve({}, inputs)
        return inputs["name"]

    def read(self, identifier: str, known: Props) -> Props | None:
        found = self.client.get_function(FunctionName=identifier)
        function = found["Configuration"]
        versions = self.client.get_paginator("list_versions_by_function").paginate(FunctionName=identifier)
        version = [one["Version"] for page in versions for one in page["Versions"]][-1]
        arn: str = function["FunctionArn"].removesuffix(":$LATEST")
        variables = function.get("Environment", {}).get("Variables")
        drifted = known.get("codeSha256", function["CodeSha256"]) != function["CodeSha256"]
        return {
            "name": identifier,
            "arn": arn,
            "invokeArn": invoke_arn(self.cloud.region, arn),
            "qualifiedArn": f"{arn}:{version}",
            "qualifiedInvokeArn": invoke_arn(self.cloud.region, f"{arn}:{version}"),
            "version": version,
            "role": function["Role"],
            "handler": function.get("Handler"),
            "runtime": function.get("Runtime"),
            "description": function.get("Description", ""),
            "memorySize": function["MemorySize"],
            "timeout": function["Timeout"],
            "architectures": function["Architectures"],
            "packageType": function["PackageType"],
            "environment": {"variables": variables} if variables else None,
            "reservedConcurrentExecutions": found.get("Concurrency", {}).get("ReservedConcurrentExecutions", -1),
            "lastModified": function["LastModified"],
            "codeSha256": function["CodeSha256"],
            "sourceCodeSize": function["CodeSize"],
            "tags": found.get("Tags", {}),
        } | ({"sourceCodeHash": function["CodeSha256"]} if drifted and "sourceCodeHash" in known else {})

    def update(self, identifier: str, olds: Props, news: Props) -> None:
        configuration = _configuration(news) != _configuration(olds)
        if configuration:
            self.client.update_function_configuration(FunctionName=identifier, **_configuration(news))
        code = any(olds.get(name) != news.get(name) for name in CODE)
        if code:
            architectures = only({"Architectures": news.get("architectures")})
            self.client.update_function_code(FunctionName=identifier, ZipFile=_zip(news), **architectures)
        if news.get("publish") and (configuration or code or not olds.get("publish")):
            self.client.publish_version(FunctionName=identifier)
        self._reserve(olds, news)
        if removed := removed_tags(olds, news):
            self.client.untag_resource(Resource=olds["arn"], TagKeys=removed)
        if news.get("tags"):
            self.client.tag_resource(Resource=olds["arn"], Tags=news["tags"])

    def delete(self, identifier: str, known: Props) -> None:
        if not known.get("skipDestroy"):
            self.client.delete_function(FunctionName=identifier)

    def unsettled(self, changed: set[str], news: Props) -> set[str]:
        of_version = {"version", "qualifiedArn", "qualifiedInvokeArn"} if news.get("publish") else set[str]()
        return {"lastModified", "codeSha256", "sourceCodeSize"} | of_version if changed - NOT_VERSIONED else set()

    def _reserve(self, olds: Props, news: Props) -> None:
        old, new = (props.get("reservedConcurrentExecutions", -1) for props in (olds, news))
        if new != -1 and new != old:
            self.client.put_function_concurrency(FunctionName=news["name"], ReservedConcurrentExecutions=new)
        elif new != old:
            self.client.delete_function_concurrency(FunctionName=news["name"])


class Alias(AwsResource):
    """Its id is its ARN."""

    service = "lambda"
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
    """Its id is its statement's. Every change makes a new one."""

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
            "sourceAccount": "SourceAccount",
        }
    )
    replaces = frozenset(arguments)

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
            raise StandInError("the laptop's aws cannot import a lambda permission")
        return only({"FunctionName": known["function"], "Qualifier": known.get("qualifier")})


def invoke_arn(region: str, arn: str) -> str:
    return f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations"


def _target(inputs: Props) -> Props:
    routing: Props = inputs.get("routingConfig", {})
    return {
        "FunctionName": inputs["functionName"],
        "FunctionVersion": inputs["functionVersion"],
        "Description": inputs.get("description", ""),
        "RoutingConfig": {"AdditionalVersionWeights": routing.get("additionalVersionWeights", {})},
    }


def _configuration(inputs: Props) -> Props:
    environment: Props = inputs.get("environment", {})
    logging, snap_start = inputs.get("loggingConfig"), inputs.get("snapStart")
    return {
        "Role": inputs["role"],
        "Description": inputs.get("description", ""),
        "MemorySize": inputs.get("memorySize", 128),
        "Timeout": inputs.get("timeout", 3),
        "Environment": {"Variables": environment.get("variables", {})},
        "Layers": inputs.get("layers", []),
        "SnapStart": {"ApplyOn": snap_start["applyOn"] if snap_start else "None"},
    } | only(
        {
            "Runtime": inputs.get("runtime"),
            "Handler": inputs.get("handler"),
            "LoggingConfig": logging and {name[0].upper() + name[1:]: value for name, value in logging.items()},
            "TracingConfig": {"Mode": inputs["tracingConfig"]["mode"]} if "tracingConfig" in inputs else None,
            "EphemeralStorage": {"Size": inputs["ephemeralStorage"]["size"]} if "ephemeralStorage" in inputs else None,
        }
    )


def _zip(inputs: Props) -> bytes:
    code = inputs.get("code")
    if not isinstance(code, Asset) or not code.path or not Path(code.path).is_file():
        raise StandInError(f"function {inputs['name']}: on the laptop, code must be a FileArchive of a .zip file")
    return Path(code.path).read_bytes()
