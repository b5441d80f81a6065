"""Momento Cache on the laptop: a small gRPC server for the data and control planes of Momento's wire protocol.

Clients must send its API key, as to the real service. `CredentialProvider.for_momento_local` connects in plaintext but
sends an empty key; CredentialProvider is a dataclass, so this makes a client that sends one:

    local = CredentialProvider.for_momento_local("127.0.0.1", port)
    CacheClient(configuration, dataclasses.replace(local, auth_token=api_key), default_ttl)

`MOMENTO_API_KEY=... python -m local.cloud.momento [--port N]` runs this server alone, and prints its endpoint.
"""

# All of Momento's wire types begin with an underscore, and some lack stubs.
# pyright: reportPrivateUsage=false, reportUnknownMemberType=false

import argparse
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import grpc
from grpc import StatusCode
from momento_wire_types import cacheclient_pb2 as data
from momento_wire_types import cacheclient_pb2_grpc as data_grpc
from momento_wire_types import controlclient_pb2 as control
from momento_wire_types import controlclient_pb2_grpc as control_grpc

from local.cloud.common.grpc_server import HOST, GrpcServer

OVER_QUOTA = (("err", "operations_rate_limit_exceeded"),)
"""Momento names in this trailer the limit that was exceeded, and its SDKs read it there."""

# https://docs.momentohq.com/cache/limits
MAX_TTL = 24 * 60 * 60 * 1000  # milliseconds
MAX_ITEM = 5 * 2**20  # bytes


@dataclass
class Cache:
    """A cache. Its values expire."""

    _items: dict[bytes, tuple[bytes, float]] = field(default_factory=dict[bytes, tuple[bytes, float]])

    def get(self, key: bytes) -> bytes | None:
        value, expires = self._items.get(key, (None, 0))
        return value if time.monotonic() < expires else None

    def set(self, key: bytes, value: bytes, ttl: int) -> None:
        """Keeps the value for `ttl` milliseconds."""
        self._items[key] = value, time.monotonic() + ttl / 1000

    def clear(self) -> None:
        self._items.clear()


class MomentoServer(GrpcServer):
    """Momento Cache in memory. Calls without `api_key` in their `authorization` metadata are UNAUTHENTICATED."""

    def __init__(self, api_key: str, port: int = 0) -> None:
        super().__init__(port)
        self._api_key = api_key
        self._caches: dict[str, Cache] = {}
        data_grpc.add_ScsServicer_to_server(_Data(self._caches), self.server)
        control_grpc.add_ScsControlServicer_to_server(_Control(self._caches), self.server)

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    def clear(self) -> None:
        """Empties all caches."""
        for cache in self._caches.values():
            cache.clear()

    def check(self, method: str, context: grpc.ServicerContext) -> None:
        if _metadata(context, "authorization") != self._api_key:
            context.abort(StatusCode.UNAUTHENTICATED, "Invalid API key")
        super().check(method, context)


class _Data(data_grpc.ScsServicer):
    """The data plane. The cache's name comes in the call's metadata."""

    def __init__(self, caches: dict[str, Cache]) -> None:
        self._caches = caches

    def Get(self, request: data._GetRequest, context: grpc.ServicerContext) -> data._GetResponse:
        value = self._cache(context).get(request.cache_key)
        return data._GetResponse(result=data.Miss if value is None else data.Hit, cache_body=value)

    def GetBatch(self, request: data._GetBatchRequest, context: grpc.ServicerContext) -> Iterator[data._GetResponse]:
        """One answer for each item, in the order of the request."""
        return (self.Get(item, context) for item in request.items)

    def Set(self, request: data._SetRequest, context: grpc.ServicerContext) -> data._SetResponse:
        self._put(request.cache_key, request.cache_body, request.ttl_milliseconds, context)
        return data._SetResponse(result=data.Ok)

    def SetBatch(self, request: data._SetBatchRequest, context: grpc.ServicerContext) -> Iterator[data._SetResponse]:
        """One answer for each item, in the order of the request. An invalid item ends the call."""
        return (self.Set(item, context) for item in request.items)

    def SetIfNotExists(
        self, request: data._SetIfNotExistsRequest, context: grpc.ServicerContext
    ) -> data._SetIfNotExistsResponse:
        if self._cache(context).get(request.cache_key) is not None:
            return data._SetIfNotExistsResponse(not_stored=data._SetIfNotExistsResponse._NotStored())
        self._put(request.cache_key, request.cache_body, request.ttl_milliseconds, context)
        return data._SetIfNotExistsResponse(stored=data._SetIfNotExistsResponse._Stored())

    def _cache(self, context: grpc.ServicerContext) -> Cache:
        return _find(self._caches, _metadata(context, "cache"), context)

    def _put(self, key: bytes, value: bytes, ttl: int, context: grpc.ServicerContext) -> None:
        if not 0 < ttl <= MAX_TTL:
            context.abort(StatusCode.INVALID_ARGUMENT, f"Invalid TTL {ttl} ms: more than 0, at most 24 hours")
        if len(value) > MAX_ITEM:
            context.set_trailing_metadata((("err", "item_size_limit_exceeded"),))
            context.abort(StatusCode.RESOURCE_EXHAUSTED, f"The item has {len(value)} bytes: at most {MAX_ITEM}")
        self._cache(context).set(key, value, ttl)


class _Control(control_grpc.ScsControlServicer):
    """The control plane, which creates, deletes and lists caches."""

    def __init__(self, caches: dict[str, Cache]) -> None:
        self._caches = caches

    def CreateCache(
        self, request: control._CreateCacheRequest, context: grpc.ServicerContext
    ) -> control._CreateCacheResponse:
        if not request.cache_name:
            context.abort(StatusCode.INVALID_ARGUMENT, "The cache name is empty")
        if request.cache_name in self._caches:
            context.abort(StatusCode.ALREADY_EXISTS, f"Cache with name {request.cache_name} already exists")
        self._caches[request.cache_name] = Cache()
        return control._CreateCacheResponse()

    def DeleteCache(
        self, request: control._DeleteCacheRequest, context: grpc.ServicerContext
    ) -> control._DeleteCacheResponse:
        _find(self._caches, request.cache_name, context)
        del self._caches[request.cache_name]
        return control._DeleteCacheResponse()

    def ListCaches(
        self, request: control._ListCachesRequest, context: grpc.ServicerContext
    ) -> control._ListCachesResponse:
        return control._ListCachesResponse(cache=[control._Cache(cache_name=name) for name in sorted(self._caches)])


def _find(caches: dict[str, Cache], name: str, context: grpc.ServicerContext) -> Cache:
    if name not in caches:
        context.abort(StatusCode.NOT_FOUND, f"Cache with name {name} does not exist")
    return caches[name]


def _metadata(context: grpc.ServicerContext, key: str) -> str:
    return str(dict(context.invocation_metadata()).get(key, ""))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.cloud.momento", description="Momento Cache on the laptop")
    parser.add_argument("--port", type=int, default=0, help="the port on 127.0.0.1; 0, the default, takes a free one")
    port: int = parser.parse_args().port
    with MomentoServer(os.environ["MOMENTO_API_KEY"], port) as server:
        print(server.endpoint, flush=True)
        server.server.wait_for_termination()


if __name__ == "__main__":
    main()
