"""A Momento on the laptop that refuses calls for their rate; prints its endpoint. It needs the app's environment.

python -m tests.momento.limited API_KEY every-other|every
"""

import sys
from itertools import cycle

import grpc

from local.cloud.momento import OVER_QUOTA, MomentoServer


def main(api_key: str, refused: str) -> None:
    is_refused = cycle([True, refused == "every"])

    def refuse(method: str, context: grpc.ServicerContext) -> None:
        if next(is_refused):
            context.set_trailing_metadata(OVER_QUOTA)
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "Too many calls")

    with MomentoServer(api_key) as server:
        server.fault = refuse
        print(server.endpoint, flush=True)
        server.server.wait_for_termination()


main(*sys.argv[1:])
