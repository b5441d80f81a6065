"""`flask run` on a stack's store and cache, for the time between two edits."""

import importlib
import os
import socket
from collections.abc import Mapping
from typing import Any, NoReturn

from pulumi import automation as auto

from local.cli import clouds, commands, engine, stack_files
from local.cli.clouds import Daemon
from local.cli.home import APP_PYTHON, ROOT, Home, LocalError

HOST = "127.0.0.1"
KEPT = ("HOME", "LANG", "PATH", "TERM")
"""What of the person's own environment the app gets; the clouds give it none of that."""

EDITED = {"ARTIFACT_DIGEST": "development", "METRICS_FORMAT": "json"}
"""What is not as deployed: it is the checkout that runs, and a person who reads the log."""

FLASK = """
import signal
signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C would print a traceback while Flask is imported
from flask.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""


def dev(home: Home, name: str = "aws", *, port: str = "5000") -> NoReturn:
    """Becomes `flask run` with the environment of the stack's app, after bringing the stack up if it is not.

    The secrets are in the environment of that process, and nowhere else.
    """
    stack_files.check([name])
    _refuse_if_taken(port)
    stack = _brought_up(home, name)
    variables = _variables(clouds.required(home), stack)
    own = {key: os.environ[key] for key in KEPT if key in os.environ}
    command = [str(APP_PYTHON), "-c", FLASK, "--app", "app.wsgi", "run", "--reload", "--host", HOST, "--port", port]
    os.chdir(ROOT)
    os.execve(APP_PYTHON, command, own | variables | EDITED)


def _refuse_if_taken(port: str) -> None:
    if not (port.isascii() and port.isdigit() and int(port) < 2**16):
        raise LocalError(f"PORT is {port!r}: it takes 0 to 65535")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(port)))
        except OSError as error:
            raise LocalError(f"port {port}: {error.strerror}: `make dev PORT=5001` takes another") from None


def _brought_up(home: Home, name: str) -> auto.Stack:
    if clouds.running(home) and not engine.has_lost_track(home) and name not in home.unfinished():
        for stack in engine.stacks_up(home, [name]):
            return stack
    commands.up(home, [name])
    return engine.one_that_is_up(home, name)


def _variables(daemon: Daemon, stack: auto.Stack) -> dict[str, str]:
    """The environment that the stack gives to its app, and what the laptop's clouds add to it."""
    for resource in (stack.export_stack().deployment or {})["resources"]:
        match resource:
            case {"type": "aws:lambda/function:Function", "inputs": inputs, "outputs": {"arn": str(arn)}}:
                return _of_lambda(daemon, inputs, arn)
            case {"type": "gcp:cloudrunv2/service:Service", "inputs": inputs}:
                return _of_cloud_run(daemon, inputs)
            case _:
                pass
    raise LocalError(f"stack {stack.name} has no app: `make up STACK={stack.name}`")


def _of_lambda(daemon: Daemon, inputs: Mapping[str, Any], arn: str) -> dict[str, str]:
    """With credentials of the function's role, so that a right that is missing is missed here too."""
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
    """Its one secret is the key of the laptop's Momento."""
    variables = {given["name"]: given.get("value", "") for given in inputs["template"]["containers"][0]["envs"]}
    return {
        **variables,
        "MOMENTO_API_KEY": daemon.momento_api_key,
        "FIRESTORE_EMULATOR_HOST": daemon.firestore,
    }
