"""A version without traffic is asked as the HTTP API would ask it, from the laptop's Lambda, through boto3."""

import httpx
import pytest

from ops.deployment import Deployment, Skipped
from ops.reads import checks
from ops.target import Target
from ops.version_transport import VersionTransport
from tests.cloud.conftest import Daemon, Deploy, Deployed, deploying
from tests.cloud.test_http_api import ECHO
from tests.cloud.test_lambda_log import APP, SETTINGS, stack_of

INTERNAL = {"message": "Internal Server Error"}


def client_of(function: Deployed, version: str = "1") -> httpx.Client:
    transport = VersionTransport(stack_of(function.daemon, function.name), version)
    return httpx.Client(base_url=function.url, transport=transport, timeout=60)


@pytest.fixture
def echo(deploy: Deploy) -> Deployed:
    return deploy(ECHO)


def test_the_checks_pass_without_traffic(daemon: Daemon) -> None:
    with deploying(daemon) as deploy:
        function = deploy(APP, **SETTINGS)
        changed = {"Variables": {"METRICS_FORMAT": "emf", "ARTIFACT_DIGEST": "sha256:new"}}
        functions = daemon.client("lambda")
        functions.update_function_configuration(FunctionName=function.name, Environment=changed)
        assert functions.publish_version(FunctionName=function.name)["Version"] == "2"
        assert function.http.get("/health/live").json()["artifact"] == "development"
        transport = VersionTransport(stack_of(daemon, function.name), "2")
        target = Target("version 2", function.url, ("sha256:new",))
        with Deployment.open(target, "", transport) as deployment:
            for name, check in checks(deployment):
                try:
                    assert check(), name
                except Skipped:
                    continue
