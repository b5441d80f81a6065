"""The provider protocol (pulumirpc.ResourceProvider), the same for every package and resource type.

This implements the gRPC service directly, because the SDK's `pulumi.provider.experimental` lacks old inputs in `Diff`,
the hashes of assets, unknowns, and errors without a traceback.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from google.rpc.status_pb2 import Status
from pulumi.runtime import proto

from local.providers import sdk
from local.providers.compare import changes, diff_response, observed, root, unhonoured
from local.providers.control import Control
from local.providers.resource import ProviderError, Resource, UpdateFailed
from local.providers.values import UNKNOWN, Props, overlay, pack, plain

DEFAULTS = "__defaults"  # the names of the inputs that the provider chose, as in the real providers


class FakeProvider(proto.ResourceProviderServicer):
    """A package's provider. Subclasses find the resource types and call the functions."""

    package: str

    def __init__(self, control: Control) -> None:
        self.control = control
        self.settings: Props = {}

    def resource(self, token: str) -> Resource:
        """The resource type. Raises ProviderError if the fake provider has no such type."""
        raise NotImplementedError

    def function(self, token: str, args: Props) -> Props:
        """The result of an invoke. Raises ProviderError if the fake provider has no such function."""
        raise NotImplementedError

    def autoname(self, name: str, suffix: str) -> str:
        """The physical name of a resource that the program does not name."""
        return f"{name}-{suffix}"

    def outputs(self, token: str, live: Props) -> Props:
        """Adds the outputs that all resources of the package share to those that a type reads."""
        return live

    def is_missing(self, error: Exception) -> bool:
        """Whether the error means that the resource no longer exists."""
        return False

    def explains(self, error: Exception) -> bool:
        """Whether the error's text can be shown to a person."""
        return False

    def Attach(self, request: proto.PluginAttach, context: grpc.ServicerContext) -> Empty:
        """The engine's address, which this provider does not need."""
        return Empty()

    def GetPluginInfo(self, request: Empty, context: grpc.ServicerContext) -> proto.PluginInfo:
        return proto.PluginInfo(version=version(f"pulumi-{self.package}"))

    def GetSchema(self, request: proto.GetSchemaRequest, context: grpc.ServicerContext) -> proto.GetSchemaResponse:
        return proto.GetSchemaResponse(schema="{}")

    def Cancel(self, request: Empty, context: grpc.ServicerContext) -> Empty:
        return Empty()

    def CheckConfig(self, request: proto.CheckRequest, context: grpc.ServicerContext) -> proto.CheckResponse:
        config = {name: value for name, value in plain(request.news).items() if name != "version"}
        faults = sdk.unknown_names(sdk.provider_args(self.package), config)
        return proto.CheckResponse(inputs=request.news, failures=_failures(faults))

    def DiffConfig(self, request: proto.DiffRequest, context: grpc.ServicerContext) -> proto.DiffResponse:
        return diff_response(list(changes(plain(request.old_inputs), plain(request.news))))

    def Configure(self, request: proto.ConfigureRequest, context: grpc.ServicerContext) -> proto.ConfigureResponse:
        self.settings = plain(request.args)
        return proto.ConfigureResponse(acceptSecrets=True, acceptResources=True, supportsPreview=True)

    def Check(self, request: proto.CheckRequest, context: grpc.ServicerContext) -> proto.CheckResponse:
        resource, args, olds, news = (
            self.resource(request.type),
            sdk.args_type(request.type),
            plain(request.olds),
            plain(request.news),
        )
        chosen: Props = {}
        if (name := resource.autoname) and name not in news and sdk.takes_text(sdk.properties(args).get(name)):
            recorded = olds.get(name) if name in olds.get(DEFAULTS, []) else None
            chosen = {name: recorded or self.autoname(request.name, _seven_hex(request.randomSeed)), DEFAULTS: [name]}
        refused = {
            path: f"the laptop's {self.package} has no '{path}' of {request.type}: add it to {resource.file}"
            for path in unhonoured(resource.honours, news)
        }
        for name, value in resource.only.items():
            if (other := news.get(name, resource.defaults.get(name, value))) not in (value, UNKNOWN):
                reason = f"of {request.type} is {other!r}, and the laptop's {self.package} has only {value!r}"
                refused[name] = f"'{name}' {reason}: add it to {resource.file}"
        faults = refused | dict(sdk.faults(args, news | {k: v for k, v in chosen.items() if k != DEFAULTS}))
        return proto.CheckResponse(inputs=overlay(request.news, chosen), failures=_failures(faults.items()))

    def Diff(self, request: proto.DiffRequest, context: grpc.ServicerContext) -> proto.DiffResponse:
        olds, news = plain(request.old_inputs), plain(request.news)
        resource = self.resource(request.type)
        found = list(changes(_given(olds), _given(news)))
        response = diff_response(found, resource.replaces, resource.in_place)
        name = resource.autoname
        chosen = name in news.get(DEFAULTS, [])
        if response.replaces and name in news and not chosen and olds.get(name) == news[name]:
            response.deleteBeforeReplace = True
        return response

    def Create(self, request: proto.CreateRequest, context: grpc.ServicerContext) -> proto.CreateResponse:
        inputs = _without(request.properties, {DEFAULTS})
        resource = self.resource(request.type)
        if request.preview:
            return proto.CreateResponse(properties=overlay(inputs, resource.planned(plain(inputs), {})))
        identifier = resource.create(plain(inputs))
        return proto.CreateResponse(id=identifier, properties=self._made(resource, request.type, identifier, inputs))

    def Read(self, request: proto.ReadRequest, context: grpc.ServicerContext) -> proto.ReadResponse:
        resource, inputs = self.resource(request.type), plain(request.inputs)
        known = plain(request.properties)
        live = self._live(resource, request.type, request.id, known)
        if live is None:
            return proto.ReadResponse()
        ordinary = {**resource.defaults, **self.outputs(request.type, {}), **known}
        seen = observed(inputs, live, ordinary, sdk.properties(sdk.args_type(request.type)))
        gone = dict.fromkeys(inputs.keys() - seen.keys())
        return proto.ReadResponse(
            id=request.id, inputs=overlay(request.inputs, seen | gone), properties=overlay(request.properties, live)
        )

    def Update(self, request: proto.UpdateRequest, context: grpc.ServicerContext) -> proto.UpdateResponse:
        resource, olds, news = self.resource(request.type), plain(request.olds), plain(request.news)
        old_inputs, inputs = plain(request.old_inputs), _without(request.news, {DEFAULTS})
        if request.preview:
            changed = {root(path) for path, _ in changes(_given(old_inputs), _given(news))}
            forgotten = resource.unsettled(changed, news) | (old_inputs.keys() - news.keys())
            outputs = _without(request.olds, forgotten | news.keys())
            outputs.MergeFrom(inputs)
            return proto.UpdateResponse(properties=overlay(outputs, resource.planned(plain(inputs), olds)))
        try:
            resource.update(request.id, olds, plain(inputs))
        except UpdateFailed as error:
            outputs = _without(request.olds, set(inputs.keys()))
            outputs.MergeFrom(inputs)
            details = _failure_details(request.id, outputs, inputs, str(error))
            context.set_trailing_metadata((("grpc-status-details-bin", details),))
            raise
        return proto.UpdateResponse(properties=self._made(resource, request.type, request.id, inputs))

    def Delete(self, request: proto.DeleteRequest, context: grpc.ServicerContext) -> Empty:
        """Deletes the resource unless its inputs protect it (an error) or abandon it (no error)."""
        resource, known = self.resource(request.type), plain(request.properties)
        settings = {**resource.defaults, **known}
        if settings.get("deletionProtection") or settings.get("deletionPolicy") == "PREVENT":
            wanted = "deletionProtection false, deletionPolicy DELETE"
            raise ProviderError(f"cannot delete {request.id}: it is protected; deploy it first with {wanted}")
        if settings.get("deletionPolicy") == "ABANDON" or settings.get("skipDestroy"):
            return Empty()
        try:
            resource.delete(request.id, known)
        except Exception as error:
            if not self.is_missing(error):
                raise
        return Empty()

    def Invoke(self, request: proto.InvokeRequest, context: grpc.ServicerContext) -> proto.InvokeResponse:
        result: Any = {"return": pack(self.function(request.tok, plain(request.args)))}  # a keyword, so not spelled out
        return proto.InvokeResponse(**result)

    def _live(self, resource: Resource, token: str, identifier: str, known: Props) -> Props | None:
        try:
            live = resource.read(identifier, known)
        except Exception as error:
            if self.is_missing(error):
                return None
            raise
        return live and self.outputs(token, live)

    def _made(self, resource: Resource, token: str, identifier: str, inputs: Struct) -> Struct:
        live = self._live(resource, token, identifier, plain(inputs))
        if live is None:
            raise ProviderError(f"{identifier} vanished as soon as it was made")
        return overlay(inputs, live)


def _failure_details(id: str, properties: Struct, inputs: Struct, reason: str) -> bytes:
    """Details that make the engine record the inputs as applied and the update as failed."""
    detail = AnyMessage()
    detail.Pack(proto.ErrorResourceInitFailed(id=id, properties=properties, inputs=inputs, reasons=[reason]))
    return Status(code=grpc.StatusCode.UNKNOWN.value[0], message=reason, details=[detail]).SerializeToString()


def _failures(faults: Iterable[tuple[str, str]]) -> list[proto.CheckFailure]:
    return [proto.CheckFailure(property=path, reason=reason) for path, reason in faults]


def _given(inputs: Mapping[str, Any]) -> Props:
    return {name: value for name, value in inputs.items() if name != DEFAULTS}


def _without(struct: Struct, names: set[str]) -> Struct:
    return overlay(struct, dict.fromkeys(names))


def _seven_hex(seed: bytes) -> str:
    return hashlib.sha256(seed or os.urandom(16)).hexdigest()[:7]
