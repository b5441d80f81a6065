"""What the installed SDKs say about inputs is what the fake providers demand."""

from typing import Any

import pytest

from local.providers.resource import ProviderError
from local.providers.sdk import args_type, faults
from local.providers.values import UNKNOWN, Asset

ZIP = Asset(archive=True, path="a.zip", text=None, sha256="1")
FILE = Asset(archive=False, path="a", text=None, sha256="2")
TABLE = "aws:dynamodb/table:Table"
FUNCTION = "aws:lambda/function:Function"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
SERVICE = "gcp:cloudrunv2/service:Service"
OBJECT = "gcp:storage/bucketObject:BucketObject"


@pytest.mark.parametrize(
    ("token", "inputs"),
    [
        (TABLE, {"attributes": [{"name": "id", "type": "S"}], "hashKey": "id", "tags": {"any": "thing"}}),
        (TABLE, {"attributes": UNKNOWN, "hashKey": UNKNOWN, "ttl": UNKNOWN, "readCapacity": UNKNOWN}),
        (FUNCTION, {"role": UNKNOWN, "runtime": "python3.13", "code": ZIP, "environment": {"variables": {"A": "b"}}}),
        (FUNCTION, {"role": "r", "runtime": "a-new-one"}),
        ("aws:apigatewayv2/stage:Stage", {"apiId": "a", "defaultRouteSettings": {"throttlingRateLimit": 10}}),
        (SERVICE, {"location": "l", "template": {"containers": [{"image": "i", "envs": [{"name": "A"}]}]}}),
        (ENCRYPTION, {"bucket": "b", "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms"}}]}),
        (OBJECT, {"bucket": "b", "source": FILE}),
        (OBJECT, {"bucket": "b", "source": ZIP}),
    ],
)
def test_takes_what_the_sdk_takes(token: str, inputs: dict[str, Any]) -> None:
    assert list(faults(args_type(token), inputs)) == []


@pytest.mark.parametrize(
    ("token", "inputs", "path", "reason"),
    [
        (TABLE, {"hashKye": "id"}, "hashKye", "unknown property 'hashKye': did you mean 'hashKey'?"),
        (TABLE, {"hash_key": "id"}, "hash_key", "unknown property 'hash_key': did you mean 'hashKey'?"),
        (TABLE, {"zzz": 1}, "zzz", "unknown property 'zzz'"),
        (TABLE, {"ttl": {"enable": True}}, "ttl.enable", "unknown property 'ttl.enable': did you mean 'enabled'?"),
        (
            TABLE,
            {"attributes": [{"name": "id", "type": "S"}, {"name": "x"}]},
            "attributes[1].type",
            "missing required property 'attributes[1].type'",
        ),
        (TABLE, {"attributes": {"id": "S"}}, "attributes", "property 'attributes' must be a list, not an object"),
        (TABLE, {"ttl": True}, "ttl", "property 'ttl' must be an object, not a boolean"),
        (TABLE, {"readCapacity": 1.5}, "readCapacity", "property 'readCapacity' must be a whole number, not a number"),
        (
            TABLE,
            {"readCapacity": True},
            "readCapacity",
            "property 'readCapacity' must be a whole number, not a boolean",
        ),
        (TABLE, {"tags": {"a": 1}}, "tags.a", "property 'tags.a' must be a string, not a whole number"),
        (FUNCTION, {}, "role", "missing required property 'role'"),
        (FUNCTION, {"role": "r", "code": "x"}, "code", "property 'code' must be an archive, not a string"),
        (FUNCTION, {"role": "r", "code": FILE}, "code", "property 'code' must be an archive, not an asset"),
        (
            SERVICE,
            {"location": "l", "template": {"containers": [{"image": "i", "baseImageURI": "x"}]}},
            "template.containers[0].baseImageURI",
            "unknown property 'template.containers[0].baseImageURI': did you mean 'baseImageUri'?",
        ),
    ],
)
def test_names_what_is_wrong(token: str, inputs: dict[str, Any], path: str, reason: str) -> None:
    assert list(faults(args_type(token), inputs)) == [(path, reason)]


def test_never_tells_a_value() -> None:
    [(_, reason)] = faults(args_type(TABLE), {"attributes": "hunter2"})
    assert "hunter2" not in reason


def test_a_type_that_the_sdk_lacks_is_named() -> None:
    with pytest.raises(ProviderError, match="pulumi_aws has no resource type aws:dynamodb/tabel:Tabel"):
        args_type("aws:dynamodb/tabel:Tabel")
