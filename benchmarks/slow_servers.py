"""Runs the local Firestore and Momento with a delay of 10 ms, until stdin ends.

Prints one line of JSON: the address of Firestore, and an empty cache as CacheSettings.
"""

import dataclasses
import json
import sys
import time

from local.cloud.common import grpc_server
from local.cloud.gcp.firestore import FirestoreServer
from local.cloud.momento import MomentoServer
from tests.app.servers import MOMENTO_API_KEY, momento_cache

DELAY = 0.010  # seconds


def main() -> None:
    with FirestoreServer() as firestore, MomentoServer(MOMENTO_API_KEY) as momento:
        cache = dataclasses.asdict(momento_cache(momento))
        firestore.fault = momento.fault = lambda method, context: time.sleep(DELAY)
        print(json.dumps({"firestore": f"{grpc_server.HOST}:{firestore.port}", "cache": cache}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
