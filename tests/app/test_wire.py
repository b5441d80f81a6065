"""What the benchmarks count as calls, from what real clients send."""

import pytest

from benchmarks.wire import PREFACE, Calls


def frame(kind: int, payload: bytes = b"", stream: int = 1) -> bytes:
    """RFC 9113, 4.1."""
    return len(payload).to_bytes(3) + bytes([kind, 0]) + stream.to_bytes(4) + payload


DATA, HEADERS, SETTINGS, WINDOW_UPDATE = 0, 1, 4, 8
TWO_CALLS = b"".join(
    [
        PREFACE,
        frame(SETTINGS, stream=0),
        frame(HEADERS, b"\1" * 40),
        frame(DATA, b"\1" * 100),
        frame(WINDOW_UPDATE, b"\0\0\0\1"),
        frame(HEADERS, b"\1" * 9, stream=3),
        frame(DATA, stream=3),
    ]
)


@pytest.mark.parametrize("size", [24, 25, 40, 1000])
def test_a_call_of_grpc_begins_with_its_headers_however_it_is_cut(size: int) -> None:
    calls = Calls()
    chunks = [TWO_CALLS[begin : begin + size] for begin in range(0, len(TWO_CALLS), size)]
    assert sum(map(calls.begun, chunks)) == 2


def test_requests_of_one_connection_to_dynamodb() -> None:
    calls = Calls()
    request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n"
    assert [calls.begun(chunk) for chunk in (request, b"{}", request + b"{}")] == [1, 0, 1]
