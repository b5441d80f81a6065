"""Delays between the app and its upstreams last as long as the request that asks for them."""

import http.client
import json
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.cloud.conftest import Daemon

DELAY = 0.5  # seconds


@contextmanager
def asked(daemon: Daemon, delays: Any) -> Generator[http.client.HTTPResponse]:
    """The response to a request whose body goes on. In the end its connection is cut, as that of a killed process."""
    line = json.dumps(delays).encode() + b"\n"
    connection = http.client.HTTPConnection("127.0.0.1", daemon.control.base_url.port)
    connection.putrequest("POST", "/delays")
    connection.putheader("Authorization", daemon.control.headers["Authorization"])
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    connection.send(b"%x\r\n%s\r\n" % (len(line), line))
    answer = connection.getresponse()
    yield answer
    answer.close()
    connection.close()


def is_free(daemon: Daemon) -> bool:
    with asked(daemon, {"momento": 0.001}) as answer:
        return answer.status == 200


def seconds(daemon: Daemon) -> float:
    begin = time.monotonic()
    daemon.client("dynamodb").list_tables()
    return time.monotonic() - begin


def test_a_delay_ends_with_the_connection_of_who_asked(daemon: Daemon):
    with asked(daemon, {"aws": DELAY}) as answer:
        assert answer.status == 200
        assert seconds(daemon) >= DELAY
        with asked(daemon, {"momento": DELAY}) as second:
            assert (second.status, json.load(second)["error"]) == (409, "another client holds delays: only one can")
        assert seconds(daemon) >= DELAY, "a refusal must not end the delays of others"
    assert any(is_free(daemon) for _ in range(1000)), "the daemon sees the end of the connection a moment later"
    assert min(seconds(daemon) for _ in range(5)) < DELAY


@pytest.mark.parametrize("delays", [[], {}, {"aws": "1"}, {"aws": 0}, {"aws": -1}, {"aws": 1.5}, {"s3": 0.1}])
def test_a_delay_that_makes_no_sense_is_a_400(daemon: Daemon, delays: Any):
    with asked(daemon, delays) as answer:
        assert answer.status == 400
        assert "\n" not in json.load(answer)["error"]
