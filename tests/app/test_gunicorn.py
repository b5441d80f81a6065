"""The app in gunicorn, as Cloud Run's probes and front meet it."""

import os
import re
import select
import signal
import socket
import subprocess
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path

import httpx

from local.cloud.common.listener import free_port
from tests.app.gunicorn import GUNICORN, ROOT, gunicorn

THREADS = 8
# The body never comes, and gunicorn says 100 in the thread that then waits for it.
HANGING = (
    b"POST /users HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n"
    b"Expect: 100-continue\r\n\r\n"
)


def test_liveness_does_not_wait_behind_requests_that_hang() -> None:
    with gunicorn({"THREADS": str(THREADS)}) as address, ExitStack() as stack:
        hanging = [stack.enter_context(socket.create_connection(address, timeout=60)) for _ in range(THREADS)]
        for connection in hanging:
            connection.sendall(HANGING)
            assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        host, port = address
        assert httpx.get(f"http://{host}:{port}/health/live", timeout=60).status_code == 200
        answered, _, _ = select.select(hanging, [], [], 0)
        assert answered == [], "it waited until a thread was free"


def test_idle_connections_outlive_those_of_google_s_fronts() -> None:
    command = [*GUNICORN, "--print-config", "app.wsgi:app"]
    environ = {"PATH": os.environ["PATH"]}
    shown = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True).stdout
    [keepalive] = re.findall(r"^keepalive\s+= (\d+)$", shown, re.MULTILINE)
    assert int(keepalive) > 600


def test_a_wrong_setting_ends_it_with_one_line() -> None:
    command = [*GUNICORN, "app.wsgi:app"]
    environ = {"PATH": os.environ["PATH"], "PORT": str(free_port()), "PERSISTENCE": "paper"}
    ended = subprocess.run(command, cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True, timeout=60)
    assert ended.returncode == 4
    assert [line for line in ended.stderr.splitlines() if not line.startswith("[")] == [
        "better-together: PERSISTENCE='paper' is unknown: set it to dynamodb, firestore or memory"
    ]


def test_an_interrupt_while_the_app_is_loaded_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import time; print('loading', flush=True); time.sleep(60)")
    command = [*GUNICORN, "slow:app"]
    environ = {"PATH": os.environ["PATH"], "PORT": str(free_port()), "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as loading:
        assert loading.stdout
        assert loading.stdout.readline() == b"loading\n"
        loading.send_signal(signal.SIGINT)
        assert loading.wait(60) == 0


def test_an_idle_connection_is_used_again_and_does_not_hold_up_the_end() -> None:
    with gunicorn({}) as address:
        connection = HTTPConnection(*address, timeout=60)
        used: list[socket.socket] = []
        for _ in range(2):
            connection.request("GET", "/health/live")
            used.append(connection.sock)
            assert connection.getresponse().read() != b""
        assert used[0] is used[1] is connection.sock
    with used[0]:
        assert used[0].recv(1) == b"", "closed, not reset"
