"""Measures a server as Cloud Run starts it: a command, with PORT in its environment."""

import selectors
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryFile

from benchmarks.compare.catalog import Peer
from benchmarks.compare.http_client import ANSWERS_WITHIN, Connection, check
from benchmarks.compare.intervals import p50_p99
from benchmarks.compare.packages import clean_python
from benchmarks.compare.processes import CompareError, peak_memory, running
from local.cloud.common.listener import HOST, free_port

CONNECTIONS = 8
WARM_UP, DURATION = 0.3, 1.5  # seconds


def measure(peer: Peer, folder: Path, upstreams: Mapping[str, str], core: int, requests: int) -> dict[str, float]:
    """Like `lambda_runtime.measure`. Raises CompareError."""
    port = free_port()
    started = time.perf_counter()
    with (
        _server(peer, folder, upstreams, core, port) as process,
        Connection.when_it_listens(port, process.poll) as connection,
    ):
        body = connection.ask()
        found = {"cold": (time.perf_counter() - started) * 1000}
        check(body)
        if requests:
            times = [_timed(connection) for _ in range(requests)]
            found |= p50_p99(times) | {"memory": peak_memory(process.pid)}
    return found


def measure_throughput(peer: Peer, folder: Path, upstreams: Mapping[str, str], core: int) -> dict[str, float]:
    """`throughput`: answers a second, with CONNECTIONS that each send a request as soon as they have an answer."""
    port = free_port()
    with _server(peer, folder, upstreams, core, port) as process, ExitStack() as stack:
        with Connection.when_it_listens(port, process.poll) as connection:
            if not peer.module:
                connection.create_user()
            check(connection.ask())
        connections = [stack.enter_context(Connection(port)) for _ in range(CONNECTIONS)]
        selector = stack.enter_context(selectors.DefaultSelector())
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ)
            connection.send()
        _answers(selector, WARM_UP)
        return {"throughput": _answers(selector, DURATION) / DURATION}


def _answers(selector: selectors.BaseSelector, seconds: float) -> int:
    """How many answers come within the time. Each is followed by the next request."""
    answers, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        ready = selector.select(ANSWERS_WITHIN)
        if not ready:
            raise CompareError(f"no answer within {ANSWERS_WITHIN} seconds")
        for key, _ in ready:
            assert isinstance(key.fileobj, Connection)
            key.fileobj.receive()
            key.fileobj.send()
            answers += 1
    return answers


def _timed(connection: Connection) -> float:
    started = time.perf_counter()
    connection.ask()
    return (time.perf_counter() - started) * 1000


@contextmanager
def _server(peer: Peer, folder: Path, upstreams: Mapping[str, str], core: int, port: int) -> Generator[Popen[bytes]]:
    """An error in the block becomes a CompareError with the last line that the server printed.

    https://cloud.google.com/run/docs/container-contract#env-vars
    """
    python = clean_python()
    environment = {
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "PATH": f"{python.parent}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOST": HOST,
        "PORT": str(port),
        "FIRESTORE_EMULATOR_HOST": upstreams["firestore"],
        "GOOGLE_CLOUD_PROJECT": "compare",
        "K_SERVICE": "compare",
        "K_CONFIGURATION": "compare",
        "K_REVISION": "compare-00001",
        **{name: value.format(**upstreams) for name, value in peer.environment.items()},
    }
    command = [python, "-m", *(word.format(port=port) for word in peer.start)]
    with TemporaryFile() as output, running(command, folder, environment, core, output.fileno()) as process:
        try:
            yield process
        except (OSError, CompareError) as error:
            output.seek(0)
            lines = output.read().decode(errors="replace").strip().splitlines() or ["it printed nothing"]
            raise CompareError(f"{error}: {lines[-1]}") from error
