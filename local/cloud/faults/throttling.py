"""Overloaded services: they forward to a service, but throttle every call or serve only half of each batch.

A proxy connects to them while its fault is `throttled` or `halved`. They answer as the real services do:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html and
https://cloud.google.com/firestore/docs/understand-error-codes. Momento names the limit in a trailer besides. Without a
fault they forward everything.
"""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any, Protocol, Self

import grpc
from aiohttp import web
from yarl import URL

from local.cloud.common.forwarding import end_to_end, session
from local.cloud.common.grpc_server import HOST, MAX_MESSAGE, Handler
from local.cloud.common.listener import body, listen

THREADS = 16
THROTTLED = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"


class Overloaded(Protocol):
    """`address` is host:port."""

    address: str
    throttled: bool
    halved: bool

    async def close(self) -> None: ...


class OverloadedAws:
    """Overloads DynamoDB; the other services at the same address work."""

    throttled = halved = False

    def __init__(self, url: str) -> None:
        self._url = url

    async def open(self) -> Self:
        self._http = session()
        self._listener = await listen(self._handle)
        self.address = self._listener.address
        return self

    async def close(self) -> None:
        await self._listener.close()
        await self._http.close()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        content = await body(request)
        service, _, operation = request.headers.get("X-Amz-Target", "").partition(".")
        if self.throttled and service.startswith("DynamoDB"):
            return _json({"__type": THROTTLED, "message": "The provisioned throughput was exceeded."}, 400)
        if self.halved and operation == "BatchGetItem":
            return await self._half(request, json.loads(content))
        return await self._pass_on(request, content)

    async def _half(self, request: web.BaseRequest, batch: dict[str, Any]) -> web.StreamResponse:
        """Serves the first half of each table's keys, and reports the rest as unprocessed."""
        served: dict[str, Any] = {}
        left: dict[str, Any] = {}
        for table, wanted in batch["RequestItems"].items():
            half = (len(wanted["Keys"]) + 1) // 2
            served[table] = {**wanted, "Keys": wanted["Keys"][:half]}
            if wanted["Keys"][half:]:
                left[table] = {**wanted, "Keys": wanted["Keys"][half:]}
        answer = await self._pass_on(request, json.dumps({**batch, "RequestItems": served}).encode())
        assert isinstance(answer.body, bytes)
        return _json({**json.loads(answer.body), "UnprocessedKeys": left}, answer.status)

    async def _pass_on(self, request: web.BaseRequest, content: bytes) -> web.Response:
        headers = end_to_end(request.headers)
        headers.popall("Content-Length", None)  # `content` may be another one
        url = URL(self._url + request.raw_path, encoded=True)
        async with self._http.request(
            request.method, url, data=BytesIO(content), headers=headers, allow_redirects=False
        ) as answer:
            return web.Response(body=await answer.read(), status=answer.status, headers=end_to_end(answer.headers))


class OverloadedGrpc(grpc.GenericRpcHandler):
    """Overloads any gRPC service. A stream of several answers counts as a batch, and ends in the middle.

    `trailers` are sent with the status of a throttled call.
    """

    throttled = halved = False

    def __init__(self, target: str, trailers: Sequence[tuple[str, str]] = ()) -> None:
        self._trailers = tuple(trailers)
        options = [("grpc.max_receive_message_length", MAX_MESSAGE)]
        self._channel: Any = grpc.insecure_channel(target, options)
        self._server = grpc.server(ThreadPoolExecutor(THREADS), options=options)
        self._server.add_generic_rpc_handlers((self,))
        self.address = f"{HOST}:{self._server.add_insecure_port(f'{HOST}:0')}"
        self._server.start()

    async def close(self) -> None:
        self._server.stop(grace=None)
        self._channel.close()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler:
        call = self._channel.stream_stream(handler_call_details.method)

        def answers(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
            if self.throttled:
                context.set_trailing_metadata(self._trailers)
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "Quota exceeded.")
            try:
                batch: list[bytes] = list(call(requests, context.time_remaining(), context.invocation_metadata()))
            except grpc.RpcError as error:
                context.abort(error.code(), error.details() or "")
            if self.halved and len(batch) > 1:
                yield from batch[: len(batch) // 2]
                context.abort(grpc.StatusCode.UNAVAILABLE, "The service is currently unavailable.")
            yield from batch

        return grpc.stream_stream_rpc_method_handler(answers)


def _json(body: dict[str, Any], status: int) -> web.Response:
    return web.json_response(body, status=status, content_type="application/x-amz-json-1.0")
