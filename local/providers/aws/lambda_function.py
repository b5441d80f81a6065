"""Lambda functions with published versions."""

from pathlib import Path
from types import MappingProxyType

from local.providers.aws.cloud import AwsResource, arguments, only, outputs_of, removed_tags
from local.providers.resource import ProviderError, UpdateFailed
from local.providers.values import Asset, Props

CODE = {"code", "s3Bucket", "s3Key", "s3ObjectVersion", "architectures"}
NOT_VERSIONED = {"tags", "publish", "reservedConcurrentExecutions", "skipDestroy"}
CONFIGURATION = ("role", "runtime", "handler", "description", "memorySize", "timeout", "environment")
FORGOTTEN = ("loggingConfig", "tracingConfig")
"""Configuration that moto accepts but does not return, so it cannot drift."""
LEFT_OUT = {
    "Description": "",
    "MemorySize": 128,
    "Timeout": 3,
    "Environment": {"Variables": dict[str, str]()},
    "SnapStart": {"ApplyOn": "None"},
    "TracingConfig": {"Mode": "PassThrough"},
}


class Function(AwsResource):
    """Its id is its name. With `publish`, every change to code or configuration creates a new version."""

    service = "lambda"
    honours = frozenset({"name", "codeSha256", *CODE, *NOT_VERSIONED, *CONFIGURATION, *FORGOTTEN, "snapStart.applyOn"})
    replaces = frozenset({"name"})
    defaults = MappingProxyType({"memorySize": 128, "timeout": 3, "architectures": ["x86_64"], "packageType": "Zip"})

    def create(self, inputs: Props) -> str:
        self.client.create_function(
            FunctionName=inputs["name"],
            Code=_code(inputs),
            Publish=inputs.get("publish", False),
            Tags=inputs.get("tags", {}),
            **_configuration(inputs),
            **arguments(["architectures"], inputs),
        )
        self._make_ready(inputs["name"])
        self._reserve({}, inputs)
        return inputs["name"]

    def read(self, identifier: str, known: Props) -> Props | None:
        found = self.client.get_function(FunctionName=identifier)
        function = found["Configuration"]
        versions = self.client.get_paginator("list_versions_by_function").paginate(FunctionName=identifier)
        version = [one["Version"] for page in versions for one in page["Versions"]][-1]
        arn: str = function["FunctionArn"].removesuffix(":$LATEST")
        return {
            "name": identifier,
            "arn": arn,
            "invokeArn": invoke_arn(self.cloud.region, arn),
            "qualifiedArn": f"{arn}:{version}",
            "qualifiedInvokeArn": invoke_arn(self.cloud.region, f"{arn}:{version}"),
            "version": version,
            **outputs_of((*CONFIGURATION, "architectures", "packageType"), function),
            "snapStart": _snap_start(function["SnapStart"]),
            "reservedConcurrentExecutions": found.get("Concurrency", {}).get("ReservedConcurrentExecutions", -1),
            "lastModified": function["LastModified"],
            "codeSha256": function["CodeSha256"],
            "sourceCodeSize": function["CodeSize"],
            "tags": found.get("Tags", {}),
        }

    def update(self, identifier: str, olds: Props, news: Props) -> None:
        configuration = _configuration(news) != _configuration(olds)
        if configuration:
            self.client.update_function_configuration(FunctionName=identifier, **_configuration(news))
        code = any(olds.get(name) != news[name] for name in CODE & news.keys()) or news.get("codeSha256") not in (
            None,
            olds["codeSha256"],
        )
        if code:
            self.client.update_function_code(
                FunctionName=identifier, **_code(news), **arguments(["architectures"], news)
            )
            self._make_ready(identifier)
        self._reserve(olds, news)
        if news.get("publish") and (configuration or code or not olds.get("publish")):
            self._publish(identifier, bool(news.get("snapStart")))
        if removed := removed_tags(olds, news):
            self.client.untag_resource(Resource=olds["arn"], TagKeys=removed)
        if news.get("tags"):
            self.client.tag_resource(Resource=olds["arn"], Tags=news["tags"])

    def delete(self, identifier: str, known: Props) -> None:
        self.client.delete_function(FunctionName=identifier)

    def unsettled(self, changed: set[str], news: Props) -> set[str]:
        of_version = {"version", "qualifiedArn", "qualifiedInvokeArn"} if news.get("publish") else set[str]()
        return {"lastModified", "codeSha256", "sourceCodeSize"} | of_version if changed - NOT_VERSIONED else set()

    def _make_ready(self, name: str) -> None:
        """Waits until the code is unpacked, as the real provider waits until a function is active."""
        self.cloud.control("PUT", "aws", "functions", self.cloud.arn("lambda", f"function:{name}"))

    def _publish(self, name: str, snap_start: bool) -> None:
        """Publishes a version and waits for its first start, as the real provider waits for the snapshot.

        A version that fails to start is not deleted.
        """
        version = self.client.publish_version(FunctionName=name)["Version"]
        if snap_start:
            arn = self.cloud.arn("lambda", f"function:{name}:{version}")
            try:
                self.cloud.control("PUT", "aws", "functions", arn, "environment")
            except ProviderError as error:
                raise UpdateFailed(f"version {version} of {name} does not start: {error}") from None

    def _reserve(self, olds: Props, news: Props) -> None:
        old, new = (props.get("reservedConcurrentExecutions", -1) for props in (olds, news))
        if new != -1 and new != old:
            self.client.put_function_concurrency(FunctionName=news["name"], ReservedConcurrentExecutions=new)
        elif new != old:
            self.client.delete_function_concurrency(FunctionName=news["name"])


def invoke_arn(region: str, arn: str) -> str:
    return f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations"


def _configuration(inputs: Props) -> Props:
    return LEFT_OUT | arguments((*CONFIGURATION, *FORGOTTEN, "snapStart"), inputs)


def _snap_start(answer: Props) -> Props | None:
    """None if SnapStart is off, as in the real provider."""
    return None if answer["ApplyOn"] == "None" else outputs_of(("applyOn", "optimizationStatus"), answer)


def _code(inputs: Props) -> Props:
    if "s3Bucket" in inputs:
        place = {"S3Bucket": inputs["s3Bucket"], "S3Key": inputs.get("s3Key")}
        return only(place | {"S3ObjectVersion": inputs.get("s3ObjectVersion")})
    code = inputs.get("code")
    if not isinstance(code, Asset) or not code.path or not Path(code.path).is_file():
        wanted = "code must be a FileArchive of a .zip file, or s3Bucket and s3Key be given"
        raise ProviderError(f"function {inputs['name']}: on the laptop, {wanted}")
    return {"ZipFile": Path(code.path).read_bytes()}
