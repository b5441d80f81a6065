"""The laptop's two clouds, in one process: `app/.venv/bin/python -m local.cloud.daemon --home DIR`.

It runs moto's AWS server, HTTP APIs and Lambda, Google Cloud's control plane and Cloud Run, Firestore, Momento, an
issuer of tokens, and the control API. When all are ready, it writes their addresses to DIR/daemon.json. SIGTERM, SIGINT
and SIGHUP end it, and nothing outlives it.
"""

import argparse
import asyncio
import fcntl
import json
import os
import secrets
import signal
import sys
import venv
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from local.cloud.aws.function_logs import FunctionLogs
from local.cloud.aws.http_api.front import HttpApis
from local.cloud.aws.lambda_ import environment as lambda_environment
from local.cloud.aws.lambda_.invoke import invoke_of
from local.cloud.aws.lambda_.service import LambdaService
from local.cloud.aws.moto_server import Aws
from local.cloud.common.listener import listen
from local.cloud.common.processes import Processes
from local.cloud.common.unpack import remove
from local.cloud.daemon.control import control
from local.cloud.faults.proxy import FaultProxy
from local.cloud.faults.throttling import OverloadedAws, OverloadedGrpc
from local.cloud.gcp.apis import google_apis
from local.cloud.gcp.firestore import emulator as firestore_emulator
from local.cloud.gcp.resources import Gcp
from local.cloud.issuer import Issuer
from local.cloud.momento import OVER_QUOTA, MomentoServer


def main() -> None:
    os.umask(0o077)  # only the owner may read logs, code and daemon.json
    parser = argparse.ArgumentParser(prog="local.cloud.daemon", description="the laptop's two clouds")
    parser.add_argument("--home", type=Path, required=True, help="the folder for the lock, daemon.json, logs and code")
    parser.add_argument("--lock", type=int, metavar="FD", help="daemon.lock, opened and locked by the parent process")
    arguments = parser.parse_args()
    home: Path = arguments.home.resolve()
    try:
        if os.getsid(0) != os.getpid():
            os.setsid()  # the reaper finds the children by their session
        home.mkdir(parents=True, exist_ok=True)
        asyncio.run(_run(home, _locked(home, arguments.lock)))
    except OSError as error:
        sys.exit(f"the laptop's clouds cannot run in {home}: {error}")


def _locked(home: Path, inherited: int | None) -> int:
    """Locks daemon.lock, which reserves the home, and writes this process into it; returns its descriptor.

    Exits with one line if another daemon holds the lock.
    """
    lock = os.open(home / "daemon.lock", os.O_RDWR | os.O_CREAT, 0o600) if inherited is None else inherited
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"another daemon of the laptop's clouds is running in {home}: stop it with `make down`")
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    return lock


async def _run(home: Path, lock: int) -> None:
    """Starts and serves the clouds until a signal arrives or the home is gone."""
    serving = asyncio.create_task(_serve(home, lock))
    lost = asyncio.create_task(_lost(home / "daemon.lock", lock))
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    ending = asyncio.create_task(end.wait())
    await asyncio.wait({serving, ending, lost}, return_when=asyncio.FIRST_COMPLETED)
    for task in (ending, lost, serving):
        task.cancel()
    with suppress(asyncio.CancelledError):
        await serving


async def _lost(path: Path, lock: int) -> None:
    """Returns when the lock's file was deleted or replaced, since commands cannot find this daemon then."""
    with suppress(FileNotFoundError):
        while os.path.samestat(path.stat(), os.fstat(lock)):
            await asyncio.sleep(1)


async def _serve(home: Path, lock: int) -> None:
    facts_file = home / "daemon.json"
    facts_file.unlink(missing_ok=True)
    async with _clouds(home, lock) as facts:
        unfinished = facts_file.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        unfinished.write_text(json.dumps(facts, indent=2) + "\n")
        unfinished.rename(facts_file)
        try:
            await asyncio.Event().wait()
        finally:
            facts_file.unlink(missing_ok=True)


@asynccontextmanager
async def _clouds(home: Path, lock: int) -> AsyncGenerator[dict[str, str | int]]:
    """Starts the clouds, and stops them in the reverse order; yields the content of daemon.json."""
    logs, run = home / "logs", home / "run"
    logs.mkdir(exist_ok=True)
    remove(run)
    async with AsyncExitStack() as stack:
        stack.callback(remove, run)
        await asyncio.to_thread(_CleanPython(symlinks=True).create, run / "python")
        python = run / "python" / "bin" / "python3"
        momento_api_key, token = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        processes = Processes(lock)
        stack.push_async_callback(processes.stop_all, grace=1)
        firestore, (aws, momento) = await asyncio.gather(
            firestore_emulator.start(processes, logs / "firestore.log"), asyncio.to_thread(_servers, momento_api_key)
        )
        stack.callback(momento.stop)
        issuer = stack.enter_context(Issuer())
        stack.callback(aws.close)
        stack.push_async_callback(firestore.close)

        momento_address = momento.endpoint.removeprefix("http://")
        proxies = {
            "aws": FaultProxy(aws.url.removeprefix("http://"), await OverloadedAws(aws.url).open()),
            "firestore": FaultProxy(firestore.address, OverloadedGrpc(firestore.address)),
            "momento": FaultProxy(momento_address, OverloadedGrpc(momento_address, OVER_QUOTA)),
        }
        for proxy in proxies.values():
            stack.push_async_callback(proxy.close)
            await proxy.open()
        addresses = {name: proxy.address for name, proxy in proxies.items()}

        context = lambda_environment.ProcessContext(processes, python, logs, f"http://{addresses['aws']}")
        functions = LambdaService(aws, context, run / "lambda")
        stack.push_async_callback(functions.close)
        aws.operations += [invoke_of(functions), FunctionLogs(logs)]
        apis = HttpApis(aws, functions)
        stack.push_async_callback(apis.close)
        gcp = Gcp(firestore)
        gcp.open(processes, python, run / "cloud-run", logs, addresses["firestore"])
        stack.push_async_callback(gcp.close)
        google = await listen(google_apis(gcp))
        stack.push_async_callback(google.close)
        front = await listen(control(token, apis, functions, gcp, proxies))
        stack.push_async_callback(front.close)
        yield {
            "pid": os.getpid(),
            "control": front.url,
            "token": token,
            "aws": f"http://{addresses['aws']}",
            "firestore": addresses["firestore"],
            "firestoreKind": firestore.kind,
            "momento": f"http://{addresses['momento']}",
            "momentoApiKey": momento_api_key,
            "issuer": issuer.url,
            "google": google.url,
        }


def _servers(momento_api_key: str) -> tuple[Aws, MomentoServer]:
    return Aws(), MomentoServer(momento_api_key).start()


class _CleanPython(venv.EnvBuilder):
    """A Python without packages, like the one that Lambda and Cloud Run give to the artifact."""

    def setup_scripts(self, context: object) -> None:
        """Creates no activation scripts: they are not needed, and other users could read them."""


if __name__ == "__main__":
    main()
