"""The Momento API key as an SSM SecureString, read through the real client."""

import io
import json

import boto3
import pytest

from app.bootstrap import cache
from app.metrics import Metrics
from app.secrets import SecretUnavailable, momento_api_key
from app.settings import CacheSettings
from tests.app import servers
from tests.app.stores import REGION, aws_environment

SETTINGS = CacheSettings(
    name="users", endpoint="http://127.0.0.1:1", ttl_seconds=60, api_key_parameter="/momento", aws_region=REGION
)


def test_the_parameter_is_decrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    with servers.moto() as url:
        aws_environment(monkeypatch, url)
        ssm = boto3.client("ssm", REGION)  # pyright: ignore[reportUnknownMemberType]
        ssm.put_parameter(Name="/momento", Value="s3cret", Type="SecureString")
        assert momento_api_key(SETTINGS) == "s3cret"


def test_without_the_parameter_there_is_no_cache_for_now(
    monkeypatch: pytest.MonkeyPatch, metrics: Metrics, log: io.StringIO
) -> None:
    with servers.moto() as url:
        aws_environment(monkeypatch, url)
        with pytest.raises(SecretUnavailable, match=r"SSM parameter /elsewhere: .*ParameterNotFound"):
            momento_api_key(CacheSettings("users", "cell", 60, api_key_parameter="/elsewhere", aws_region=REGION))
        started = cache(
            CacheSettings("users", "http://127.0.0.1:1", 60, api_key_parameter="/elsewhere", aws_region=REGION), metrics
        )
        assert started.get(["a"]).error == "unconfigured"
    warning = json.loads(log.getvalue().splitlines()[0])
    assert warning["severity"] == "WARNING"
    assert warning["message"].startswith("no cache for now: SSM parameter /elsewhere")
