"""The provider protocol (pulumirpc.ResourceProvider) for Momento caches.

It implements the gRPC service itself: of Pulumi's two Python wrappers, the one for dynamic providers pickles code into
the state, and the experimental one prints a traceback with every error.
https://pulumi-developer-docs.readthedocs.io/latest/docs/architecture/providers/README.html
"""

import re
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct, Value
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc
from pulumi.runtime.rpc import UNKNOWN

from pulumi_momento.plugin.caches import Caches, MomentoError
from pulumi_momento.plugin.settings import InvalidSetting, Settings

SCHEMA = Path(__file__).with_name("schema.json")
# The pattern of Momento's CloudFormation resource, Momento::SimpleCache::Cache.
CACHE_NAME = re.compile(r"[a-zA-Z0-9._-]{3,255}")

# The protocol marks a secret as a struct with this field, and the value in its field `value`.
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"


class MomentoProvider(provider_pb2_grpc.ResourceProviderServicer):
    """Manages momento:index:Cache. Its name is its only property and its id."""

    _caches: Caches  # once the provider is configured

    def __init__(self, version: str) -> None:
        self._version = version

    def Handshake(
        self, request: provider_pb2.ProviderHandshakeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ProviderHandshakeResponse:
        return provider_pb2.ProviderHandshakeResponse()

    def GetPluginInfo(self, request: Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=self._version)

    def GetSchema(
        self, request: provider_pb2.GetSchemaRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetSchemaResponse:
        return provider_pb2.GetSchemaResponse(schema=SCHEMA.read_text())

    def CheckConfig(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        api_key, endpoint = _text(request.news, "apiKey"), _text(request.news, "endpoint")
        if api_key:
            request.news.fields["apiKey"].CopyFrom(_secret(api_key))
        if UNKNOWN not in (api_key, endpoint):
            try:
                Settings.read(api_key, endpoint)
            except InvalidSetting as invalid:
                # Names no property, because the engine would print its value, even if it is a secret.
                return _refused("", str(invalid))
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """Another endpoint is another place, so it replaces the provider and with it the caches."""
        old, new = (_text(properties, "endpoint").lower() for properties in (request.olds, request.news))
        if old == new or not (old and new) or UNKNOWN in (old, new):
            return provider_pb2.DiffResponse()
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME, diffs=["endpoint"], replaces=["endpoint"]
        )

    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        with _one_line(context):
            settings = Settings.read(_text(request.args, "apiKey"), _text(request.args, "endpoint"))
            self._caches = Caches(settings)
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Check(self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        name = _text(request.news, "name") or _text(request.olds, "name") or _random_name(request)
        if name != UNKNOWN and not CACHE_NAME.fullmatch(name):
            reason = f"{name!r} is not a cache name: 3 to 255 letters, digits, hyphens, underscores and dots"
            return _refused("name", reason)
        return provider_pb2.CheckResponse(inputs=_properties(name))

    def Diff(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        if _text(request.olds, "name") == _text(request.news, "name"):
            return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_SOME, diffs=["name"], replaces=["name"])

    def Create(self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        if request.preview:
            return provider_pb2.CreateResponse(properties=request.properties)
        name = _text(request.properties, "name")
        with _one_line(context):
            self._caches.create(name)
        return provider_pb2.CreateResponse(id=name, properties=request.properties)

    def Read(self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        with _one_line(context):
            if not self._caches.exists(request.id):
                return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=request.id, properties=_properties(request.id), inputs=_properties(request.id)
        )

    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> Empty:
        with _one_line(context):
            self._caches.delete(request.id)
        return Empty()

    def Cancel(self, request: Empty, context: grpc.ServicerContext) -> Empty:
        return Empty()


@contextmanager
def _one_line(context: grpc.ServicerContext) -> Generator[None]:
    """End the call with the error's message alone."""
    try:
        yield
    except (InvalidSetting, MomentoError) as error:
        context.abort(grpc.StatusCode.UNKNOWN, str(error))


def _random_name(request: provider_pb2.CheckRequest) -> str:
    """The resource's name and seven digits, which stay the same for the life of the resource."""
    resource = request.urn.rpartition("::")[2]
    seed = request.randomSeed or secrets.token_bytes()
    return f"{resource}-{seed.hex()[:7]}"


def _text(properties: Struct, key: str) -> str:
    """A property, secret or not; empty if it is not set."""
    value = properties.fields[key] if key in properties.fields else Value()
    if SIGNATURE in value.struct_value.fields:
        value = value.struct_value.fields["value"]
    return value.string_value


def _properties(name: str) -> Struct:
    return Struct(fields={"name": Value(string_value=name)})


def _secret(text: str) -> Value:
    fields = {SIGNATURE: Value(string_value=SECRET), "value": Value(string_value=text)}
    return Value(struct_value=Struct(fields=fields))


def _refused(property: str, reason: str) -> provider_pb2.CheckResponse:
    failure = provider_pb2.CheckFailure(property=property, reason=reason)
    return provider_pb2.CheckResponse(failures=[failure])
