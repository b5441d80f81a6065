"""An answer that comes before the body was read reaches a client that is still sending."""

import socket
from collections.abc import Generator
from contextlib import ExitStack

import httpx
import pytest

from tests.app.gunicorn import gunicorn

SIZE = 24 * 1024 * 1024  # more than the kernel holds between two sockets
LIMIT = 400 * 1024
HEAD = "{} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: {}\r\n{}\r\n\r\n"


@pytest.fixture(scope="module")
def address() -> Generator[tuple[str, int]]:
    with gunicorn({}) as address:
        yield address


@pytest.mark.parametrize(
    ("request_line", "content_type", "status"),
    [
        ("POST /users", "application/json", 413),
        ("POST /users", "text/plain", 415),
        ("POST /nowhere", "application/json", 404),
        ("DELETE /health/live", "application/json", 405),
    ],
)
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_the_whole_body_can_be_sent_before_the_answer_is_read(
    address: tuple[str, int], request_line: str, content_type: str, status: int, chunked: bool
) -> None:
    body = b"x" * SIZE
    size = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {SIZE}"
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(HEAD.format(request_line, content_type, size).encode())
        connection.sendall(b"%x\r\n%b\r\n0\r\n\r\n" % (SIZE, body) if chunked else body)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert answer.endswith(b"}")


@pytest.mark.parametrize(("size", "status"), [(LIMIT, 400), (LIMIT + 1, 413)])
def test_a_body_of_unsaid_length_is_refused_and_not_cut_off(address: tuple[str, int], size: int, status: int) -> None:
    with httpx.Client(base_url=f"http://{address[0]}:{address[1]}", timeout=60) as client:
        answer = client.post("/users", content=iter([b"[" * size]), headers={"Content-Type": "application/json"})
    assert answer.status_code == status


def test_a_client_that_gives_up_does_not_keep_others_waiting(address: tuple[str, int]) -> None:
    head = HEAD.format("POST /users", "application/json", f"Content-Length: {SIZE}").encode()
    for _ in range(20):  # more than there are threads
        with socket.create_connection(address, timeout=60) as connection:
            connection.sendall(head + b"x")
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(HEAD.format("GET /health/live", "text/plain", "Content-Length: 0").encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.prove
def test_a_body_that_never_comes_is_not_waited_for_without_end(address: tuple[str, int]) -> None:
    with ExitStack() as stack:
        for request_line, status in (("POST /users", 400), ("GET /health/live", 200)):
            connection = stack.enter_context(socket.create_connection(address, timeout=60))
            head = HEAD.format(request_line, "application/json", "Content-Length: 100")
            connection.sendall(head.encode() + b'{"id":"stalled","name":"x"}')
            stack.callback(answers_with, connection, status)


def answers_with(connection: socket.socket, status: int) -> None:
    answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())


def test_a_body_that_ends_early_is_refused(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=60) as connection:
        head = HEAD.format("POST /users", "application/json", "Content-Length: 100")
        connection.sendall(head.encode() + b'{"id":"truncated","name":"x"}')
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in answer
