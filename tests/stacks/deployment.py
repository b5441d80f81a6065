"""Runs the Pulumi program against a monitor that records the registered resources."""

import asyncio
import gc
import json
import runpy
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import pulumi
import yaml
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime import get_root_resource, mocks, set_all_config
from pulumi.runtime.stack import Stack, run_pulumi_func

from local.cli.stack_files import plain_config
from local.providers import values
from local.providers.values import is_object
from stacks.last_deployment import Newest

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "__main__.py"
PROJECT = "better-together"
KEYS = {"momento:apiKey": "the provider's key", f"{PROJECT}:momentoApiKey": "the app's key"}
# The signature of a secret on the wire: github.com/pulumi/pulumi, sdk/go/common/resource/sig/sig.go
SECRET = "1b47061264138c4ac30d75fd1eb44270"
type Answer = Mapping[str, Any] | Callable[[Mapping[str, Any]], Mapping[str, Any] | None]
"""The answer to a call, or a function of the call's arguments that returns it, or None if nothing is found."""

# Answers to the stacks' calls to the clouds.
CALLS: Mapping[str, Answer] = {
    "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": "123456789012"},
    "aws:servicequotas/getServiceQuota:getServiceQuota": {"value": 1000.0},
}
# Outputs that the clouds compute. `{}` is the resource's name in the program.
COMPUTED = {
    "apiEndpoint": "https://{}.execute-api.test",
    "arn": "arn:test:{}",
    "domainNameConfiguration": {"hostedZoneId": "Z2", "targetDomainName": "d-1.execute-api.test"},
    "domainValidationOptions": [
        {"resourceRecordName": "_a.test.", "resourceRecordType": "CNAME", "resourceRecordValue": "_b.test."}
    ],
    "bucket": "{}-bucket",
    "email": "{}@test",
    "executionArn": "arn:test:execute-api:{}",
    "fqdn": "{}.test",
    "generation": 42,
    "invokeArn": "arn:test:invoke:{}",
    "latestReadyRevision": "projects/p/locations/l/services/s/revisions/{}-00001-abc",
    "member": "serviceAccount:{}@test",
    "statuses": [{"resourceRecords": [{"type": "CNAME", "rrdata": "ghs.googlehosted.com."}]}],
    "uri": "https://{}.run.test",
    "version": "7",
}


@dataclass(frozen=True)
class Registered:
    """One resource: its inputs as sent to the engine, and the names of the secret ones."""

    type: str
    name: str
    inputs: dict[str, Any]
    secrets: set[str]
    parent: str
    needs: set[str]
    """The resources, as `type::name`, that the engine creates before this one."""
    protect: bool
    delete_hooks: list[str]
    ignored: list[str]
    """The inputs in `ignore_changes`."""
    retained: bool
    """Whether it is retained on delete."""


@dataclass(frozen=True)
class Deployment:
    resources: list[Registered]
    """In the order of their types and names, since the SDK registers resources concurrently."""
    outputs: dict[str, Any]

    def one(self, kind: str, name: str | None = None) -> Registered:
        """The only resource with this end of its type, and this name if it is given."""
        [found] = [r for r in self.resources if r.type.endswith(kind) and name in (None, r.name)]
        return found

    def inputs(self, kind: str, name: str | None = None) -> dict[str, Any]:
        return self.one(kind, name).inputs


@cache
def stack_config(cloud: str) -> dict[str, str]:
    """The config after the steps of docs/real-clouds.md: Pulumi.yaml's defaults, the stack file, keys and project.

    All stacks run what the checkout builds, also those whose files leave the artifact to promotions.
    """
    keys: dict[str, Any] = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    defaults = {f"{PROJECT}:{key}": str(facts["default"]).lower() for key, facts in keys.items() if "default" in facts}
    plain = plain_config(cloud).items()
    stack = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in plain}
    given = {f"{PROJECT}:artifact": "build"} | ({"gcp:project": "a-project"} if cloud.startswith("gcp") else {})
    return defaults | stack | KEYS | given


def deploy(
    cloud: str,
    changes: Mapping[str, str | None] | None = None,
    stack: str = "",
    plain: str = "",
    before: Mapping[str, Any] | None = None,
    calls: Mapping[str, Answer] = CALLS,
    newest: Newest | None = None,
) -> Deployment:
    """Run `__main__.py` with changed config, in which None removes a key; `plain` is a key to leave unencrypted.

    `before` are the outputs of the stack's last deployment, `calls` the answers to the stacks' calls to the clouds, and
    `newest` is the revision in the state, by default the one of `before`.
    """
    config = {key: value for key, value in (stack_config(cloud) | dict(changes or {})).items() if value is not None}
    outputs = before or {}
    mocked = _Cloud(f"ours/{PROJECT}/{stack or cloud}", outputs, calls, newest or newest_of(outputs))
    monitor = _Monitor(mocked)
    with _event_loop() as loop:
        mocks.set_mocks(mocked, PROJECT, stack or cloud, preview=False, monitor=monitor, organization="ours")
        set_all_config(config, [key for key in KEYS if key != plain])
        after = loop.run_until_complete(_run())
        return Deployment(sorted(monitor.registered, key=lambda r: (r.type, r.name)), after)


def newest_of(outputs: Mapping[str, Any]) -> Newest:
    """The newest revision after a deployment with these outputs that was no rollback."""
    return Newest(*(str(outputs.get(name, "")) for name in ("artifactDigest", "revision", "deployment")))


@contextmanager
def _event_loop() -> Generator[asyncio.AbstractEventLoop]:
    """An event loop for this thread; the SDK would create one and never close it."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        yield loop
    finally:
        loop.close()
        asyncio.set_event_loop(None)


async def _run() -> dict[str, Any]:
    def program() -> None:
        try:
            runpy.run_path(str(PROGRAM), run_name="__main__")
        finally:
            gc.enable()

    exported: dict[str, Any] = cast(Stack, get_root_resource()).outputs
    exported.clear()  # the SDK keeps the stack, with what an earlier deployment of this process exported
    await run_pulumi_func(program)
    outputs = await pulumi.Output.all(**exported).future() or {}
    return {name: value for name, value in outputs.items() if value is not None}  # as the engine has it


class _Cloud(mocks.Mocks):
    def __init__(self, stack: str, before: Mapping[str, Any], calls: Mapping[str, Answer], newest: Newest) -> None:
        self._stack = stack
        self._before = before
        self._calls = calls
        self._digest = ""
        self._newest = newest

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        if args.token == "pulumi:pulumi:readStackOutputs":
            assert args.args["name"] == self._stack  # pyright: ignore[reportUnknownMemberType]
            return {"name": self._stack, "outputs": dict(self._before), "secretOutputNames": []}, []
        if args.token == "pulumi:pulumi:readStackResourceOutputs":
            assert args.args["stackName"] == self._stack  # pyright: ignore[reportUnknownMemberType]
            return {"name": self._stack, "outputs": _state(self._newest)}, []
        if args.token == "aws:lambda/getInvocation:getInvocation":
            return {"result": json.dumps({"statusCode": 200, "body": json.dumps({"artifact": self._digest})})}, []
        if args.token not in self._calls:
            return {}, [(args.token, "AccessDenied")]
        answer = self._calls[args.token]
        found = answer(cast("dict[str, Any]", args.args)) if callable(answer) else answer  # pyright: ignore[reportUnknownMemberType]
        return ({}, [(args.token, "couldn't find resource")]) if found is None else (dict(found), [])

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        computed: dict[str, Any] = {k: v.format(args.name) if isinstance(v, str) else v for k, v in COMPUTED.items()}
        inputs = cast("dict[str, Any]", args.inputs)  # pyright: ignore[reportUnknownMemberType]
        if args.typ == "aws:lambda/function:Function":
            self._digest = inputs["environment"]["variables"]["ARTIFACT_DIGEST"]
        if args.typ == "gcp:cloudrunv2/service:Service":
            tags = (traffic.get("tag", "") for traffic in inputs["traffics"])
            computed["trafficStatuses"] = [{"tag": tag, "uri": tag and f"https://{tag}---api.run.test"} for tag in tags]
        inside = {k: v | inputs[k] for k, v in computed.items() if k in inputs and is_object(v)}
        return f"{args.name}-id", computed | inputs | inside


def _state(newest: Newest) -> dict[str, Any]:
    """The resource of the state that has the newest revision, which on AWS is a number; none without a deployment."""
    if not newest.deployment:
        return {}
    if newest.revision.isdecimal():
        outputs = {
            "description": newest.deployment,
            "environment": {"variables": {"ARTIFACT_DIGEST": newest.digest}},
            "version": newest.revision,
        }
        return {"urn": {"type": "aws:lambda/function:Function", "outputs": outputs}}
    variables = [{"name": "ARTIFACT_DIGEST", "value": newest.digest}, {"name": "MOMENTO_API_KEY"}]
    outputs = {
        "template": {"annotations": {"deployment": newest.deployment}, "containers": [{"envs": variables}]},
        "latestReadyRevision": f"projects/p/locations/l/services/s/revisions/{newest.revision}",
    }
    return {"urn": {"type": "gcp:cloudrunv2/service:Service", "outputs": outputs}}


class _Monitor(mocks.MockMonitor):
    def __init__(self, cloud: _Cloud) -> None:
        super().__init__(cloud)
        self.registered: list[Registered] = []
        self._hooks = set[str]()

    def RegisterResource(self, request: Any) -> Any:
        if request.type != "pulumi:pulumi:Stack":
            self.registered.append(
                Registered(
                    type=request.type,
                    name=request.name,
                    inputs=values.plain(request.object),
                    secrets=_secrets(request.object),
                    parent=request.parent,
                    needs={"::".join(urn.split("$")[-1].split("::")[-2:]) for urn in request.dependencies},
                    protect=request.protect,
                    delete_hooks=list(request.hooks.before_delete),
                    ignored=list(request.ignoreChanges),
                    retained=request.retainOnDelete,
                )
            )
        with _event_loop():
            return super().RegisterResource(request)  # pyright: ignore[reportUnknownMemberType]

    def RegisterResourceHook(self, request: Any) -> Any:
        """The engine takes a name once."""
        assert request.name not in self._hooks, f"resource hook already registered for name {request.name!r}"
        self._hooks.add(request.name)
        return super().RegisterResourceHook(request)  # pyright: ignore[reportUnknownMemberType]

    def Invoke(self, request: Any) -> Any:
        """Without a version, the engine would start, and keep in the state, a second provider for the call."""
        assert request.version or request.tok.startswith("pulumi:"), f"{request.tok} is called without a version"
        with _event_loop():
            return super().Invoke(request)  # pyright: ignore[reportUnknownMemberType]


def _secrets(inputs: Struct) -> set[str]:
    return {name for name, value in inputs.fields.items() if SECRET in str(value)}
