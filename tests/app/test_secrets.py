"""The Momento API key as an SSM SecureString, read through the real client."""

import io
import json
import threading

import boto3
import pytest

from app.bootstrap import cache
from app.metrics import Metrics
from app.secrets import RETRY_SECONDS, Secret, SecretUnavailable, momento_api_key
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
        ssm.put_parameter(Name="/momento", Value="s3cret\n", Type="SecureString")
        assert momento_api_key(SETTINGS) == "s3cret"


@pytest.mark.parametrize("parameter", [{}, {"Value": ""}, {"Value": 7}, [], None], ids=str)
def test_nonsense_is_no_secret(monkeypatch: pytest.MonkeyPatch, parameter: object) -> None:
    def answer(*_: object, **__: object) -> dict[str, object]:
        return {"Parameter": parameter}

    aws_environment(monkeypatch, "http://127.0.0.1:1")
    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", answer)
    with pytest.raises(SecretUnavailable, match="SSM parameter /momento"):
        momento_api_key(SETTINGS)


def test_without_the_parameter_there_is_no_cache_for_now(
    monkeypatch: pytest.MonkeyPatch, metrics: Metrics, log: io.StringIO
) -> None:
    with servers.moto() as url:
        aws_environment(monkeypatch, url)
        with pytest.raises(SecretUnavailable, match=r"SSM parameter /elsewhere: ParameterNotFound"):
            momento_api_key(CacheSettings("users", "cell", 60, api_key_parameter="/elsewhere", aws_region=REGION))
        started = cache(
            CacheSettings("users", "http://127.0.0.1:1", 60, api_key_parameter="/elsewhere", aws_region=REGION), metrics
        )
        assert started.get(["a"]).error == "unconfigured"
    warning = json.loads(log.getvalue().splitlines()[0])
    assert warning["severity"] == "WARNING"
    assert warning["message"].startswith("no cache for now: SSM parameter /elsewhere")


class Vault:
    """Holds each attempt to read until it is let go, and fails until `value` is there."""

    def __init__(self) -> None:
        self.value: str | None = None
        self.attempts = 0
        self.let_go = threading.Event()
        self.let_go.set()

    def read(self) -> str:
        self.attempts += 1
        self.let_go.wait()
        if self.value is None:
            raise SecretUnavailable("the vault is empty")
        return self.value


def test_a_secret_is_read_once() -> None:
    vault = Vault()
    vault.value = "s3cret"
    secret = Secret(vault.read, Metrics(stream=io.StringIO()))
    assert [secret(), secret(), vault.attempts] == ["s3cret", "s3cret", 1]


def test_a_missing_secret_is_read_again_in_the_background(metrics: Metrics) -> None:
    vault, now = Vault(), 0.0

    def is_unavailable() -> None:
        with pytest.raises(SecretUnavailable):
            secret()

    secret = Secret(vault.read, metrics, lambda: now)
    vault.let_go.clear()
    is_unavailable()
    assert vault.attempts == 1

    now += RETRY_SECONDS
    is_unavailable()
    [reading] = [thread for thread in threading.enumerate() if thread.name == "secret"]
    now += RETRY_SECONDS
    is_unavailable()
    vault.let_go.set()
    reading.join()
    assert vault.attempts == 2

    vault.value = "s3cret"
    is_unavailable()
    now += RETRY_SECONDS
    is_unavailable()
    for thread in threading.enumerate():
        if thread.name == "secret":
            thread.join()
    assert (secret(), vault.attempts) == ("s3cret", 3)
