"""`ops prune` deletes the versions of a function that no rollback needs, and no others, from the laptop's Lambda."""

import importlib
import io
import json
import re
import subprocess
import threading
import uuid
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from ops.__main__ import main
from ops.stack import Stack
from tests.ops.conftest import APP_PYTHON, ROOT

ACCOUNT = "123456789012"
SERVER = """
import sys
from local.cloud.aws.moto_server import Aws
print(Aws().url, flush=True)
sys.stdin.read()
"""
THROTTLED = (429, "TooManyRequestsException", "Rate exceeded")
DENIED = (
    403,
    "AccessDeniedException",
    "User: arn:aws:iam::1:user/ada is not authorized to perform: lambda:DeleteFunction",
)

type Refusal = tuple[int, str, str]
type Lookout = Callable[[str, str], Refusal | None]


class Front:
    """An HTTP server in front of Lambda. `lookout` gets each request's method and path, and may refuse it."""

    def __init__(self, lambda_url: str) -> None:
        self.lookout: Lookout = lambda method, path: None
        front = self

        class Handler(BaseHTTPRequestHandler):
            def forward(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if refusal := front.lookout(self.command, self.path):
                    status, code, message = refusal
                    body, headers = json.dumps({"message": message}).encode(), {"x-amzn-ErrorType": code}
                else:
                    sent = {name: value for name, value in self.headers.items() if name != "Host"}
                    answer = httpx.request(self.command, lambda_url + self.path, headers=sent, content=content)
                    status, body = answer.status_code, answer.content
                    headers = {k: v for k, v in answer.headers.items() if k.startswith("x-amzn-")}
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_DELETE = forward

            def log_message(self, format: str, *args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="session")
def lambda_url() -> Iterator[str]:
    command = [APP_PYTHON, "-c", SERVER]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        yield process.stdout.readline().strip()
        process.stdin.close()


@pytest.fixture
def front(lambda_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Front]:
    """The endpoint of whoever calls AWS with ambient credentials."""
    front = Front(lambda_url)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ENDPOINT_URL": front.url,
        "AWS_ACCESS_KEY_ID": "ada",
        "AWS_SECRET_ACCESS_KEY": "ada",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "NO_PROXY": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    yield front
    front.close()


class Function:
    """A function with published versions from 1 on, at the laptop's Lambda."""

    def __init__(self, url: str) -> None:
        boto3: Any = importlib.import_module("boto3")
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        iam, self.client = (boto3.client(name, endpoint_url=url, **keys) for name in ("iam", "lambda"))
        self.name = f"function-{uuid.uuid4().hex[:8]}"
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("main.py", "")
        self.client.create_function(
            FunctionName=self.name,
            Runtime="python3.13",
            Role=iam.create_role(RoleName=self.name, AssumeRolePolicyDocument="{}")["Role"]["Arn"],
            Handler="main.handler",
            Code={"ZipFile": archive.getvalue()},
        )
        iam.close()

    def publish(self, count: int, **settings: Any) -> None:
        for _ in range(count):
            description = uuid.uuid4().hex
            self.client.update_function_configuration(FunctionName=self.name, Description=description, **settings)
            self.client.publish_version(FunctionName=self.name)

    def versions(self) -> list[str]:
        pages = self.client.get_paginator("list_versions_by_function").paginate(FunctionName=self.name)
        return [version["Version"] for page in pages for version in page["Versions"]]

    def outputs(self, stable: int, *releases: int) -> dict[str, Any]:
        """A stack's outputs, of whose releases the first is the newest and the target."""
        return {
            "cloud": "aws",
            "account": ACCOUNT,
            "region": "us-east-1",
            "service": self.name,
            "revision": str(releases[0]),
            "stableRevision": str(stable),
            "releases": [{"digest": "sha256:0", "revision": str(number)} for number in releases],
        }


@pytest.fixture
def function(lambda_url: str) -> Iterator[Function]:
    function = Function(lambda_url)
    yield function
    function.client.close()


type Prune = Callable[[], tuple[int, list[str], str]]


@pytest.fixture
def prune(capsys: pytest.CaptureFixture[str], front: Front, tmp_path: Path) -> Prune:
    """Runs `ops prune` on a real stack; returns its exit code, the lines after the title, and its errors."""

    def prune() -> tuple[int, list[str], str]:
        code = main(["prune", "aws", "--home", str(tmp_path / "home")])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out.splitlines()[1:], err

    return prune


type Put = Callable[..., None]


def test_sixty_versions(function: Function, prune: Prune, outputs: Put) -> None:
    function.publish(2, MemorySize=512)
    function.publish(58, MemorySize=1024, SnapStart={"ApplyOn": "PublishedVersions"})
    outputs(function.outputs(30, 60, 59, 58))
    code, lines, err = prune()
    assert (code, err) == (0, "")
    old = [number for number in range(1, 58) if number != 30]
    assert lines[:-1] == [f"deleted version {number} of {function.name}" for number in old]
    assert lines[-1] == f"their snapshots cost ${54 * 3.89992:.2f} a month, at the price of us-east-1"
    assert function.versions() == ["$LATEST", "30", "58", "59", "60"]
    assert prune() == (0, ["nothing to delete"], "")


def test_what_a_deployment_under_way_has_published_stays(function: Function, prune: Prune, outputs: Put) -> None:
    function.publish(6)
    outputs(function.outputs(3, 4))
    assert prune() == (0, [f"deleted version {number} of {function.name}" for number in (1, 2)], "")
    assert function.versions() == ["$LATEST", "3", "4", "5", "6"]


def test_a_rollback_does_not_endanger_what_is_newer(function: Function, prune: Prune, outputs: Put) -> None:
    function.publish(6)
    outputs(function.outputs(3, 6, 5, 3) | {"revision": "3"})
    assert prune() == (0, [f"deleted version {number} of {function.name}" for number in (1, 2, 4)], "")


def test_a_version_that_an_alias_leads_to_stays(function: Function, prune: Prune, outputs: Put) -> None:
    function.publish(5)
    function.client.create_alias(FunctionName=function.name, Name="mine", FunctionVersion="2")
    outputs(function.outputs(5, 5, 4))
    reason = "Unable to delete version because the following aliases reference it: [mine]"
    first, second, third = (f"version {number} of {function.name}" for number in (1, 2, 3))
    assert prune() == (0, [f"deleted {first}", f"kept {second}: {reason}", f"deleted {third}"], "")
    assert function.versions() == ["$LATEST", "2", "4", "5"]


def test_a_version_that_disappears_meanwhile(function: Function, prune: Prune, outputs: Put, front: Front) -> None:
    def delete_first(method: str, path: str) -> None:
        if method == "DELETE" and path.endswith("Qualifier=1"):
            function.client.delete_function(FunctionName=function.name, Qualifier="1")

    function.publish(3)
    outputs(function.outputs(3, 3))
    front.lookout = delete_first
    assert prune() == (0, [f"deleted version 2 of {function.name}"], "")


def test_calls_that_are_throttled_are_tried_again(function: Function, prune: Prune, outputs: Put, front: Front) -> None:
    seen: set[str] = set()

    def throttle_once(method: str, path: str) -> Refusal | None:
        first = method == "DELETE" and not seen
        seen.update({path} if first else ())
        return THROTTLED if first else None

    function.publish(3)
    outputs(function.outputs(3, 3))
    front.lookout = throttle_once
    assert prune() == (0, [f"deleted version {number} of {function.name}" for number in (1, 2)], "")
    assert len(seen) == 1


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_missing_permission(function: Function, prune: Prune, outputs: Put, front: Front, method: str) -> None:
    function.publish(3)
    outputs(function.outputs(3, 3))
    front.lookout = lambda asked, path: DENIED if asked == method else None
    code, lines, err = prune()
    assert (code, lines) == (2, [])
    operation = {"GET": "ListVersionsByFunction", "DELETE": "DeleteFunction"}[method]
    why = f"An error occurred (AccessDeniedException) when calling the {operation} operation: {DENIED[2]}"
    assert (
        err
        == f"stack aws of `pulumi stack output`, account {ACCOUNT}: {why} (docs/deployer.md lists the permissions)\n"
    )
    assert function.versions() == ["$LATEST", "1", "2", "3"]


def test_no_credentials(function: Function, prune: Prune, outputs: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    outputs(function.outputs(3, 3))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    title = f"stack aws of `pulumi stack output`, account {ACCOUNT}"
    assert prune() == (2, [], f"{title}: Unable to locate credentials: log in, or set AWS_PROFILE\n")


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"AWS_ENDPOINT_URL": "nowhere"}, "Invalid endpoint: nowhere"),
        ({"AWS_PROFILE": "broken"}, "[Errno 2] No such file or directory: 'not-installed'"),
        ({"AWS_PROFILE": "missing"}, "The config profile (missing) could not be found"),
    ],
)
def test_broken_settings_of_aws(
    function: Function,
    prune: Prune,
    outputs: Put,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    variables: dict[str, str],
    problem: str,
) -> None:
    outputs(function.outputs(3, 3))
    (tmp_path / "config").write_text("[profile broken]\ncredential_process = not-installed\n")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    title = f"stack aws of `pulumi stack output`, account {ACCOUNT}"
    assert prune() == (2, [], f"{title}: {problem}\n")


def test_the_profile_of_the_stack_file(
    function: Function, prune: Prune, outputs: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    def file(stack: Stack) -> dict[str, Any]:
        return {"config": {"aws:profile": "production"}}

    monkeypatch.setattr(Stack, "file", file)
    outputs(function.outputs(3, 3))
    title = f"stack aws of `pulumi stack output`, account {ACCOUNT}"
    assert prune() == (2, [], f"{title}: The config profile (production) could not be found\n")


def test_credentials_of_another_account(function: Function, prune: Prune, outputs: Put) -> None:
    function.publish(3)
    outputs(function.outputs(3, 3) | {"account": "999999999999"})
    problem = f"is in account 999999999999, but the credentials are for account {ACCOUNT}"
    assert prune() == (2, [], f"stack aws of `pulumi stack output` {problem}\n")
    assert function.versions() == ["$LATEST", "1", "2", "3"]


def test_the_function_is_gone(function: Function, prune: Prune, outputs: Put) -> None:
    outputs(function.outputs(3, 3) | {"service": "nobody"})
    code, lines, err = prune()
    assert (code, lines, err.count("\n")) == (2, [], 1)
    assert re.search(r"\(ResourceNotFoundException\) .*Function not found: arn:aws:lambda:us-east-1:.*:nobody$", err)


@pytest.mark.parametrize(
    ("values", "reason"), [({"cloud": "gcp"}, "Google Cloud bills no old revisions"), ({}, "it has not come up")]
)
def test_a_stack_without_versions(
    capsys: pytest.CaptureFixture[str], outputs: Put, tmp_path: Path, values: dict[str, str], reason: str
) -> None:
    outputs(values)
    assert main(["prune", "gcp", "--home", str(tmp_path / "home")]) == 0
    nothing = f"nothing to delete, since {reason}"
    assert capsys.readouterr().out == f"stack gcp of `pulumi stack output`: {nothing}\n"


@pytest.mark.parametrize(
    ("values", "missing"), [({"cloud": "aws"}, "service"), ({"cloud": "aws", "service": "a"}, "account")]
)
def test_a_stack_with_the_outputs_of_another_version(
    capsys: pytest.CaptureFixture[str], outputs: Put, tmp_path: Path, values: dict[str, str], missing: str
) -> None:
    outputs(values)
    assert main(["prune", "aws", "--home", str(tmp_path / "home")]) == 2
    problem = f"has no output '{missing}' yet: bring it up first"
    assert capsys.readouterr().err == f"stack aws of `pulumi stack output` {problem}\n"
