"""The daemon's child processes."""

import asyncio
import socket
import sys

from local.cloud.common.listener import HOST
from local.cloud.common.processes import Child

SERVER = """
import os, socket, threading

server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)

def exit_when_asked():
    connection, _ = server.accept()
    connection.recv(1)
    os._exit(0)

thread = threading.Thread(target=exit_when_asked)
thread.start()
thread.join()
"""


async def is_alive_after_its_socket_has_closed() -> bool:
    process = await asyncio.create_subprocess_exec(sys.executable, "-S", "-c", SERVER, stdout=asyncio.subprocess.PIPE)
    child = Child(process)
    assert process.stdout
    with socket.create_connection((HOST, int(await process.stdout.readline()))) as connection:
        assert child.alive
        connection.send(b"x")
        assert connection.recv(1) == b""  # blocks the loop, so that nothing delays the question
        alive = child.alive
    await child.exited
    return alive


def test_a_child_that_has_closed_its_sockets_is_not_alive():
    async def run() -> list[bool]:
        return [await is_alive_after_its_socket_has_closed() for _ in range(20)]

    assert not any(asyncio.run(run()))
