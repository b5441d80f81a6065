"""`flask run` on a stack's store and cache, for quick edits."""

import importlib
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from local.cli import bring_up, clouds, stack_files, state
from local.cli.clouds import Daemon
from local.cli.home import APP_PYTHON, ROOT, Home, LocalError

HOST = "127.0.0.1"
INHERITED = ("HOME", "LANG", "PATH", "TERM")
"""The variables that the app gets from the shell's environment. On the clouds it gets none of these."""

CHANGED = {"ARTIFACT_DIGEST": "development", "METRICS_FORMAT": "json"}
"""The variables that differ from the deployed app's: the checkout has no digest, and a person reads the log."""

FLASK = """
import signal
signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C would print a traceback while Flask is imported
from flask.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""


def dev(home: Home, name: str = "aws", *, port: str = "5000") -> NoReturn:
    """Replaces this process with `flask run` in the environment of the stack's app. Brings the stack up if necessary.

    Secrets exist only in the environment of that process.
    """
    name = stack_files.one(name)
    _refuse_if_taken(port)
    _bring_up(home, name)
    variables = _variables(clouds.required(home), name, state.resources(home, name))
    inherited = {key: os.environ[key] for key in INHERITED if key in os.environ}
    command = [str(APP_PYTHON), "-c", FLASK, "--app", "app.wsgi", "run", "--reload", "--host", HOST, "--port", port]
    os.chdir(ROOT)
    os.execve(APP_PYTHON, command, inherited | variables | CHANGED)


def _refuse_if_taken(port: str) -> None:
    if not (port.isascii() and port.isdigit() and int(port) < 2**16):
        raise LocalError(f"PORT is {port!r}: it takes 0 to 65535")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(port)))
        except OSError as error:
            raise LocalError(f"port {port}: {error.strerror}: `make dev PORT=5001` takes another") from None


def _bring_up(home: Home, name: str) -> None:
    is_whole = clouds.running(home) and name not in home.unfinished()
    if not (is_whole and state.resources(home, name)):
        bring_up.up(home, [name])


def _variables(daemon: Daemon, name: str, resources: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The environment that the stack gives to its app, and the variables that the laptop's clouds add."""
    for resource in resources:
        match resource:
            case {"type": "aws:lambda/function:Function", "inputs": inputs, "outputs": {"arn": str(arn)}}:
                return _of_lambda(daemon, inputs, arn)
            case {"type": "gcp:cloudrunv2/service:Service", "inputs": inputs}:
                return _of_cloud_run(daemon, inputs)
            case _:
                pass
    raise LocalError(f"stack {name} has no app: `make up STACK={name}`")


def _of_lambda(daemon: Daemon, inputs: Mapping[str, Any], arn: str) -> dict[str, str]:
    """Includes credentials of the function's role, so that missing permissions show up here too."""
    region = arn.split(":")[3]
    keys = {"aws_access_key_id": "laptop", "aws_secret_access_key": "laptop"}
    sts: Any = importlib.import_module("boto3").client("sts", region, endpoint_url=daemon.aws, **keys)
    credentials = sts.assume_role(RoleArn=inputs["role"], RoleSessionName="make-dev")["Credentials"]
    return {
        **inputs["environment"]["variables"],
        "AWS_ENDPOINT_URL": daemon.aws,
        "AWS_REGION": region,
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
    }


def _of_cloud_run(daemon: Daemon, inputs: Mapping[str, Any]) -> dict[str, str]:
    """Includes the service's only secret, the key of the laptop's Momento."""
    variables = {given["name"]: given.get("value", "") for given in inputs["template"]["containers"][0]["envs"]}
    return {
        **variables,
        "MOMENTO_API_KEY": daemon.momento_api_key,
        "FIRESTORE_EMULATOR_HOST": daemon.firestore,
    }
