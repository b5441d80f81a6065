"""Moto as AWS: it is not made for several threads, so it gets one request at a time."""

import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

from local.cloud.aws import one_at_a_time


def test_requests_do_not_overlap():
    second_is_here, overlapped = threading.Event(), list[bool]()
    first_is_in = threading.Event()

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        if first_is_in.is_set():
            second_is_here.set()
        else:
            first_is_in.set()
            overlapped.append(second_is_here.wait(0.5))
        return [environ["wsgi.input"].read()]

    def request(body: bytes) -> list[bytes]:
        environ = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return list(serialised(environ, cast(Any, None)))

    serialised = one_at_a_time(application, threading.Lock())
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(request, b"first")
        assert first_is_in.wait(10)
        second = pool.submit(request, b"second")
        assert (first.result(), second.result()) == ([b"first"], [b"second"])
    assert overlapped == [False]
