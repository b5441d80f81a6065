"""google-cloud-firestore's client, but soon back after an outage."""

# google-cloud-firestore is typed in part.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from typing import Any

import grpc
from google.cloud.firestore import Client
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport

# https://github.com/grpc/grpc/blob/master/include/grpc/impl/channel_arg_names.h. The library's own options, and:
# attempts to connect are given up after 2 s, as calls are, and made every second.
CHANNEL_OPTIONS = (
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.min_reconnect_backoff_ms", 2_000),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)


class ReconnectingClient(Client):
    """While Firestore cannot be reached gRPC pauses between attempts to connect, in the end for two minutes, and calls
    fail without one. The library has no option for that, so its channel is made here."""

    @property
    def _firestore_api(self) -> Any:
        api: Any = self._firestore_api_internal
        if api is None:
            self._transport = FirestoreGrpcTransport(host=self._target, channel=self._channel())
            api = self._firestore_api_internal = FirestoreClient(transport=self._transport)
        return api

    def close(self) -> None:
        """Let go of the connection; the next call makes another."""
        api, self._firestore_api_internal = self._firestore_api_internal, None
        if api is not None:
            api.transport.close()

    def _channel(self) -> grpc.Channel:
        if self._emulator_host is not None:
            return grpc.insecure_channel(self._emulator_host, CHANNEL_OPTIONS)
        credentials: Any = self._credentials
        return FirestoreGrpcTransport.create_channel(self._target, credentials=credentials, options=CHANNEL_OPTIONS)
