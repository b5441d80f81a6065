"""A daemon of the laptop's clouds for each test process, and Lambda functions behind HTTP APIs in it."""

import http.client
import io
import json
import os
import select
import signal
import subprocess
import sys
import textwrap
import uuid
import zipfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import boto3
import httpx
import pytest

ROOT = Path(__file__).parents[2]
ROLE = "arn:aws:iam::123456789012:role/function"


@dataclass
class Daemon:
    home: Path
    process: subprocess.Popen[str]
    _clients: list[Any] = field(default_factory=list[Any])

    @classmethod
    def start(cls, home: Path, path: str = "", previous: int = 0, lock: int | None = None) -> "Daemon":
        """Starts a daemon and waits for its daemon.json, not the one that the daemon with pid `previous` left behind.

        Without Java on `path`, Firestore is the built-in one. `lock` is a descriptor of the locked daemon.lock.
        """
        home.mkdir(parents=True, exist_ok=True)
        # Its code must push none out of the user's cache. Only Java needs that one, for the emulator's classes.
        cache = {} if path else {"XDG_CACHE_HOME": str(home / "cache")}
        locked = [] if lock is None else ["--lock", str(lock)]
        with open(home / "daemon.log", "a", opener=lambda path, flags: os.open(path, flags, 0o600)) as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "local.cloud.daemon", "--home", home, *locked],
                cwd=ROOT,
                pass_fds=[] if lock is None else [lock],
                env=os.environ | {"PATH": path} | cache,
                stdout=log,
                stderr=log,
                text=True,
            )
        daemon = cls(home, process)
        ended = os.pidfd_open(process.pid)
        try:
            while daemon._pid() in (None, previous):
                if select.select([ended], [], [], 0.02)[0]:
                    raise AssertionError(f"the daemon ended: {daemon.log}")
        finally:
            os.close(ended)
        return daemon

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        for client in self._clients:
            client.close()
        self.process.send_signal(number)
        return self.process.wait(10)

    @property
    def facts_file(self) -> Path:
        return self.home / "daemon.json"

    @property
    def log(self) -> str:
        return (self.home / "daemon.log").read_text()

    def _pid(self) -> int | None:
        """The pid in daemon.json, which a starting daemon removes first if another one has left it behind."""
        try:
            return json.loads(self.facts_file.read_text())["pid"]
        except FileNotFoundError:
            return None

    @cached_property
    def facts(self) -> dict[str, Any]:
        return json.loads(self.facts_file.read_text())

    @cached_property
    def control(self) -> httpx.Client:
        return self.http(self.facts["control"], {"Authorization": f"Bearer {self.facts['token']}"})

    def http(self, url: str, headers: dict[str, str] | None = None) -> httpx.Client:
        client = httpx.Client(base_url=url, headers=headers, timeout=60)
        self._clients.append(client)
        return client

    def client(self, service: Any) -> Any:
        make_client = cast(Callable[..., Any], boto3.client)  # pyright: ignore[reportUnknownMemberType]
        client = make_client(
            service,
            endpoint_url=self.facts["aws"],
            region_name="eu-west-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        self._clients.append(client)
        return client


@pytest.fixture(scope="session")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Its Firestore is the built-in one."""
    daemon = Daemon.start(tmp_path_factory.mktemp("clouds"))
    daemon.client("iam").create_role(RoleName="function", AssumeRolePolicyDocument="{}")
    yield daemon
    assert daemon.stop() == 0
    assert "Traceback" not in daemon.log


@dataclass
class Deployed:
    """A function with an alias `live` of its version 1, behind an HTTP API."""

    daemon: Daemon
    name: str
    api_id: str
    url: str

    @cached_property
    def http(self) -> httpx.Client:
        return self.daemon.http(self.url)

    def lines(self, version: str = "1") -> list[str]:
        """What the function's processes printed, and the platform about them."""
        return (self.daemon.home / "logs" / f"lambda-{self.name}-{version}.log").read_text().splitlines()


type Deploy = Callable[..., Deployed]


def raw_get(url: str, target: str) -> bytes:
    """The answer to a request line that httpx would have normalised."""
    connection = http.client.HTTPConnection(url.removeprefix("http://").rstrip("/"), timeout=60)
    try:
        connection.request("GET", target)
        return connection.getresponse().read()
    finally:
        connection.close()


def zipped(source: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("main.py", textwrap.dedent(source))
    return archive.getvalue()


@contextmanager
def deploying(daemon: Daemon) -> Generator[Deploy]:
    """Deploys the source as main.py with `main.handler`; `settings` are further ones of the function."""
    opened: list[str] = []

    def deploy(source: str, route: str = "$default", permission: str = "/*/*", **settings: Any) -> Deployed:
        functions, gateway = daemon.client("lambda"), daemon.client("apigatewayv2")
        name = f"function-{uuid.uuid4().hex[:8]}"
        arn = functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=ROLE,
            Handler="main.handler",
            Code={"ZipFile": zipped(source)},
            **settings,
        )["FunctionArn"]
        version = functions.publish_version(FunctionName=name)["Version"]
        functions.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
        api_id = gateway.create_api(Name=name, ProtocolType="HTTP")["ApiId"]
        integration = gateway.create_integration(
            ApiId=api_id,
            IntegrationType="AWS_PROXY",
            IntegrationUri=f"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{arn}:live/invocations",
            PayloadFormatVersion="2.0",
        )["IntegrationId"]
        gateway.create_route(ApiId=api_id, RouteKey=route, Target=f"integrations/{integration}")
        gateway.create_stage(ApiId=api_id, StageName="$default", AutoDeploy=True)
        functions.add_permission(
            FunctionName=name,
            Qualifier="live",
            StatementId="api",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:eu-west-1:123456789012:{api_id}{permission}",
        )
        url = daemon.control.put(f"/aws/apis/{api_id}").raise_for_status().json()["url"]
        opened.append(api_id)
        return Deployed(daemon, name, api_id, url)

    yield deploy
    for api_id in opened:
        assert daemon.control.delete(f"/aws/apis/{api_id}").status_code == 204


@pytest.fixture
def deploy(daemon: Daemon) -> Iterator[Deploy]:
    with deploying(daemon) as deploy:
        yield deploy
