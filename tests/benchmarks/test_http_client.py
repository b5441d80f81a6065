"""The HTTP client of `make compare`: it is strict, since a peer that answers something else would look quick."""

import socket
from collections.abc import Generator
from contextlib import contextmanager
from threading import Thread

import pytest

from benchmarks.compare.http_client import Connection, check
from benchmarks.compare.processes import CompareError

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n"


@contextmanager
def answering(*segments: bytes) -> Generator[Connection]:
    """A connection to a server that answers the first request with these segments, and then closes."""

    def serve() -> None:
        client, _ = listener.accept()
        with client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.recv(65536)
            for segment in segments:
                client.sendall(segment)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Thread(target=serve)
        server.start()
        with Connection(listener.getsockname()[1]) as connection:
            yield connection
        server.join()


@pytest.mark.parametrize("segments", [[HEAD + b"\r\nbody"], [HEAD, b"\r\nbo", b"dy"], [HEAD + b"\r", b"\nbody"]])
def test_an_answer_may_come_in_parts(segments: list[bytes]) -> None:
    with answering(*segments) as connection:
        assert connection.ask() == b"body"


@pytest.mark.parametrize(
    ("segments", "message"),
    [
        ([HEAD.replace(b"200 OK", b"500 Internal Server Error") + b"\r\nbody"], "it answered HTTP/1.1 500"),
        ([HEAD + b"\r\nbo"], "it closed the connection"),
        ([], "it closed the connection"),
    ],
)
def test_another_answer_is_an_error(segments: list[bytes], message: str) -> None:
    with answering(*segments) as connection, pytest.raises(CompareError, match=message):
        connection.ask()


def test_another_user_is_an_error() -> None:
    check('{"followers": ["2", "3"], "name": "Ada", "id": "1"}')
    with pytest.raises(CompareError, match="it answered"):
        check('{"followers": ["2"], "name": "Ada", "id": "1"}')
