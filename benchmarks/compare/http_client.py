"""An HTTP/1.1 client that costs little: the generator must not be what is measured."""

import json
import socket
import time
from collections.abc import Callable
from typing import Self

from benchmarks.compare.catalog import USER
from benchmarks.compare.processes import CompareError

REQUEST = b"GET /users/1 HTTP/1.1\r\nHost: users.example.com\r\nAccept: */*\r\nUser-Agent: compare\r\n\r\n"
STARTS_WITHIN = 30  # seconds
ANSWERS_WITHIN = 30  # seconds


class Connection:
    """A connection that stays open."""

    def __init__(self, port: int) -> None:
        """Raises OSError."""
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWERS_WITHIN)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @classmethod
    def when_it_listens(cls, port: int, ended: Callable[[], int | None]) -> Self:
        """Connect as soon as the port is open. `ended` returns the exit code of a server that has ended."""
        end = time.perf_counter() + STARTS_WITHIN
        while True:
            try:
                return cls(port)
            except ConnectionRefusedError:
                if ended() is not None or time.perf_counter() > end:
                    raise CompareError("the server does not listen") from None
                time.sleep(0.0005)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self) -> None:
        self._socket.sendall(REQUEST)

    def receive(self, status: int = 200) -> bytes:
        """The body of the answer. Raises CompareError if its status is another."""
        received = self._read(b"")
        while b"\r\n\r\n" not in received:
            received = self._read(received)
        head, _, body = received.partition(b"\r\n\r\n")
        fields = head.lower()
        if not fields.startswith(f"http/1.1 {status}".encode()):
            raise CompareError(f"it answered {head.splitlines()[0].decode()}")
        length = int(fields.split(b"content-length:")[1].split(b"\r\n")[0])
        while len(body) < length:
            body = self._read(body)
        return body

    def create_user(self) -> None:
        """Create the user in an API that has it in memory."""
        body = json.dumps(USER).encode()
        fields = f"Host: users.example.com\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        self._socket.sendall(f"POST /users HTTP/1.1\r\n{fields}\r\n\r\n".encode() + body)
        self.receive(201)

    def ask(self) -> bytes:
        self.send()
        return self.receive()

    def _read(self, before: bytes) -> bytes:
        chunk = self._socket.recv(65536)
        if not chunk:
            raise CompareError("it closed the connection")
        return before + chunk


def check(body: bytes | str) -> None:
    """Raises CompareError unless it is the user."""
    if json.loads(body) != USER:
        raise CompareError(f"it answered {body!r}")
