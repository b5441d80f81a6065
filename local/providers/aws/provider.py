"""Finds AWS resource types and functions: `aws:dynamodb/table:Table` is the class `Table` in dynamodb.py.

A type without a class is recorded.
"""

import importlib
import importlib.util
from functools import cached_property
from typing import Any

from local.providers import sdk
from local.providers.aws.cloud import ACCOUNT, AwsResource, Cloud
from local.providers.aws.functions import FUNCTIONS
from local.providers.aws.recorded import recording
from local.providers.provider import FakeProvider
from local.providers.recorded import RecordedResource
from local.providers.resource import ProviderError, Resource
from local.providers.values import Props

DEFAULT_REGION = "us-east-1"
MISSING = ("NoSuchEntity", "NotFoundException", "ResourceNotFound", "ParameterNotFound", "404", "NoSuchBucket")


class Aws(FakeProvider):
    package = "aws"

    def resource(self, token: str) -> Resource:
        service, name = token.split(":")[1].split("/")[0], token.split(":")[2]
        module = f"local.providers.aws.{'lambda_' if service == 'lambda' else service}"
        found: Any = importlib.util.find_spec(module) and getattr(importlib.import_module(module), name, None)
        if isinstance(found, type) and issubclass(found, AwsResource):
            return found(self.cloud)
        arn = f"arn:aws:{service}:{{region}}:{{account}}:{{name}}"
        surroundings = {"account": ACCOUNT, "region": self.cloud.region}
        return RecordedResource(self.control, token, recording(token), surroundings, arn)

    def function(self, token: str, args: Props) -> Props:
        if token not in FUNCTIONS:
            raise ProviderError(f"the laptop's aws has no function {token}: add it to local/providers/aws/functions.py")
        return FUNCTIONS[token](self.cloud, args)

    def outputs(self, token: str, live: Props) -> Props:
        tags = {"tagsAll": live["tags"]} if "tags" in live else {}
        region = {"region": self.cloud.region} if "region" in sdk.properties(sdk.args_type(token)) else {}
        return live | region | tags

    def is_missing(self, error: Exception) -> bool:
        code: str = getattr(error, "response", {}).get("Error", {}).get("Code", "")
        return code.endswith(MISSING) or code in MISSING

    def explains(self, error: Exception) -> bool:
        return (type(error).__module__ or "").startswith("botocore.")

    @cached_property
    def cloud(self) -> Cloud:
        return Cloud(self.control, self.settings.get("region", DEFAULT_REGION))
