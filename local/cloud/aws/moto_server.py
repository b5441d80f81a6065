"""AWS on the laptop: moto's server, and access to its state for HTTP APIs and Lambda.

This reads the state in moto's process, since moto's API is not enough: its Lambda needs Docker, and its URLs of code
lead nowhere.
"""

import asyncio
import copy
import importlib
import random
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import ModuleType
from typing import Any

from moto import backends
from moto.apigatewayv2.models import Api, ApiGatewayV2Backend, apigatewayv2_backends
from moto.awslambda.models import LambdaBackend, LambdaFunction, lambda_backends
from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.exceptions import JsonRESTError
from moto.dynamodb.models.table import Table
from moto.moto_server.werkzeug_app import (  # pyright: ignore[reportMissingTypeStubs]
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from moto.sts.models import sts_backends
from werkzeug.serving import make_server

from local.cloud.aws.iam import enforce_policies
from local.cloud.aws.lambda_versions import replace_motos, weights_of
from local.cloud.aws.operations import Operation, first, one_at_a_time
from local.cloud.common.errors import NotFound
from local.cloud.common.listener import HOST


@dataclass(frozen=True)
class Function:
    """A published version, or $LATEST, of a Lambda function, with all that an execution environment needs."""

    name: str
    version: str
    arn: str = field(compare=False)
    """The ARN that was invoked: a version's or an alias's."""
    handler: str
    role: str
    region: str
    memory: int  # MB
    timeout: int  # seconds
    code_sha256: str  # base64
    environment: tuple[tuple[str, str], ...]
    reserved_concurrency: int | None
    code: bytes = field(repr=False, compare=False)


def _import_ssm() -> None:
    """Saves 1.2 s: moto's SSM imports all of moto's EC2, which it uses for commands to instances only."""
    if "moto.ec2" not in sys.modules:
        stub = ModuleType("moto.ec2")
        stub.__dict__["ec2_backends"] = {}
        sys.modules["moto.ec2"] = stub
        try:
            importlib.import_module("moto.ssm.models")
        finally:
            del sys.modules["moto.ec2"]


# moto would list its own folder twice for each request.
MODULES = tuple(backends.list_of_moto_modules())
backends.list_of_moto_modules = lambda: MODULES


class _RequestHandler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: Any) -> None:
        """Logs nothing, because the bodies of requests contain secrets and the log is for errors."""


class Aws:
    """Moto's server, in threads. Hold `lock` to read or change its state, as `ask` does.

    `operations` answer before moto, and without the lock.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        _import_ssm()
        replace_motos()
        self.operations: list[Operation] = []
        moto = one_at_a_time(DomainDispatcherApplication(create_backend_app), self.lock)
        application = enforce_policies(first(self.operations, moto), self.lock)
        self._server = make_server(HOST, 0, application, threaded=True, request_handler=_RequestHandler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="moto", daemon=True)
        self._thread.start()
        self.url = f"http://{HOST}:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    async def ask[T](self, read: Callable[[], T]) -> T:
        """Calls `read` in a thread with the lock held, which moto may hold for long: the event loop must not wait."""

        def locked() -> T:
            with self.lock:
                return read()

        return await asyncio.to_thread(locked)

    def api(self, api_id: str) -> tuple[ApiGatewayV2Backend, Api]:
        """The HTTP API with that id, in any account and region. Raises NotFound."""
        for backend in _every(apigatewayv2_backends):
            if api_id in backend.apis:
                return backend, backend.apis[api_id]
        raise NotFound(f"HTTP API {api_id} does not exist")

    def function(self, arn: str, api_arn: str | None = None) -> Function:
        """The version that an invocation of `arn` runs; an alias picks one by its weights.

        Raises NotFound, and PermissionError if the function's resource policy does not allow `api_arn` to invoke it.
        """
        try:
            _, _, _, region, account, _, name, *rest = arn.split(":")
            qualifier = rest[0] if rest else "$LATEST"
            backend = lambda_backends[account][region]
            version, function = _pick(backend, name, qualifier)
        except (ValueError, KeyError, JsonRESTError) as error:
            raise NotFound(f"function {arn} does not exist") from error
        if api_arn and not _may_invoke(function, arn, api_arn):
            raise PermissionError(f"{arn} has no permission for apigateway.amazonaws.com from {api_arn}")
        return Function(
            name=name,
            version=version,
            arn=arn,
            handler=function.handler or "",
            role=function.role,
            region=region,
            memory=int(function.memory_size),
            timeout=int(function.timeout),
            code_sha256=function.code_sha_256,
            environment=tuple(sorted(function.environment_vars.items())),
            reserved_concurrency=backend.get_function(name).reserved_concurrency,
            code=function.code_bytes,
        )

    def credentials(self, role: str, region: str, session: str) -> dict[str, str]:
        """Temporary credentials of an execution role, as environment variables."""
        account = role.split(":")[4]
        assumed = sts_backends[account]["aws"].assume_role(
            region_name=region,
            role_session_name=session,
            role_arn=role,
            policy="",
            duration=43200,
            external_id="",
        )
        return {
            "AWS_ACCESS_KEY_ID": assumed.access_key_id,
            "AWS_SECRET_ACCESS_KEY": assumed.secret_access_key,
            "AWS_SESSION_TOKEN": assumed.session_token,
        }


def _share_items(table: Table, _: object) -> Table:
    """A copy of a table that shares its items.

    moto deep-copies whole tables for each write of a transaction, to have them back if it fails: with 1,500 users, that
    takes longer than the app waits. Puts and deletes replace items, so copies can share them. Updates change items in
    place, and would also change them in copies and backups; nothing on the laptop updates items.
    """
    copied: Any = copy.copy(table)
    copied.items = copied.items.copy()
    return copied


Table.__deepcopy__ = _share_items  # pyright: ignore[reportAttributeAccessIssue]


def _every[B: BaseBackend](backends: BackendDict[B]) -> Iterator[B]:
    for regions in backends.values():
        yield from regions.values()


def _pick(backend: LambdaBackend, name: str, qualifier: str) -> tuple[str, LambdaFunction]:
    if not qualifier.startswith("$") and not qualifier.isdigit():
        weights = weights_of(backend.get_alias(qualifier, name))
        [qualifier] = random.choices([*weights], [*weights.values()])
    return qualifier, backend.get_function(name, qualifier)


def _may_invoke(function: LambdaFunction, arn: str, api_arn: str) -> bool:
    """Whether the function's resource policy allows API Gateway to invoke exactly this ARN from this API."""
    for statement in function.policy.statements:
        source = statement.get("Condition", {}).get("ArnLike", {}).get("AWS:SourceArn", "*")
        if (
            statement["Resource"] == arn
            and statement["Principal"] in ({"Service": "apigateway.amazonaws.com"}, "apigateway.amazonaws.com", "*")
            and statement["Action"] in ("lambda:InvokeFunction", "lambda:*")
            and fnmatchcase(api_arn, source)
        ):
            return True
    return False
