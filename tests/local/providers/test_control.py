"""Calls of a control API that goes away meanwhile, or that is not there."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.providers.control import Control
from local.providers.resource import ProviderError

CUT = "HTTP/1.1 {}\r\nContent-Length: 9\r\n\r\n{{"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "Remote end closed connection without response"),
        (CUT.format("200 OK"), "IncompleteRead(1 bytes read, 8 more expected)"),
        (CUT.format("400 Bad Request"), "IncompleteRead(1 bytes read, 8 more expected)"),
    ],
    ids=["before the answer", "in the answer", "in the error"],
)
def test_a_daemon_that_ends_in_mid_request(answer: str, reason: str, tmp_path: Path) -> None:
    def end() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(2**16)
            connection.sendall(answer.encode())

    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as threads:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        (tmp_path / "daemon.json").write_text(json.dumps({"control": address, "token": "t"}))
        ending = threads.submit(end)
        with pytest.raises(ProviderError) as refusal:
            Control(tmp_path)("GET", "health")
        ending.result()
    assert str(refusal.value) == f"the laptop's clouds do not answer at {address} ({reason}): run `make up`"


@pytest.mark.parametrize("address", ["http://127.0.0.1:abc", "http://127.0.0.1:1/"])
def test_an_address_that_is_none(address: str, tmp_path: Path) -> None:
    (tmp_path / "daemon.json").write_text(json.dumps({"control": address, "token": "t"}))
    with pytest.raises(ProviderError, match=f"^the laptop's clouds do not answer at {address} "):
        Control(tmp_path)("GET", "health")
