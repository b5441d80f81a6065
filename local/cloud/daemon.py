"""The laptop's two clouds, in one process: `app/.venv/bin/python -m local.cloud.daemon --home DIR`.

Moto's AWS server, HTTP APIs and Lambda, Google Cloud's control plane and Cloud Run, Firestore, Momento, an issuer of
tokens, and the control API. When all of it is ready, DIR/daemon.json says where; SIGTERM and SIGINT end it. Nothing
outlives the process.
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
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from local.cloud import firestore_emulator, lambda_environment
from local.cloud.aws import Aws
from local.cloud.control import control
from local.cloud.gcp import Gcp
from local.cloud.http_api import HttpApis
from local.cloud.issuer import Issuer
from local.cloud.lambda_service import LambdaService
from local.cloud.listener import listen
from local.cloud.momento import MomentoServer
from local.cloud.overloaded import OverloadedAws, OverloadedGrpc
from local.cloud.processes import Processes
from local.cloud.relay import Relay
from local.cloud.unpack import remove


def main() -> None:
    parser = argparse.ArgumentParser(prog="local.cloud.daemon", description="the laptop's two clouds")
    parser.add_argument("--home", type=Path, required=True, help="the folder for the lock, daemon.json, logs and code")
    home: Path = parser.parse_args().home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    try:
        with _only_one(home):
            asyncio.run(_run(home))
    except OSError as error:
        sys.exit(f"the laptop's clouds cannot run in {home}: {error}")


@contextmanager
def _only_one(home: Path) -> Generator[None]:
    """Holds the home for as long as the process lives; exits with one line if another daemon does."""
    with (home / "daemon.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"another daemon of the laptop's clouds is running in {home}: stop it with `make down`")
        yield


async def _run(home: Path) -> None:
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    facts_file = home / "daemon.json"
    facts_file.unlink(missing_ok=True)
    async with _clouds(home) as facts:
        unfinished = facts_file.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(facts, indent=2) + "\n")
        unfinished.chmod(0o600)
        unfinished.rename(facts_file)
        await end.wait()
        facts_file.unlink(missing_ok=True)


@asynccontextmanager
async def _clouds(home: Path) -> AsyncGenerator[dict[str, str | int]]:
    """All of the clouds, started in order and stopped in the opposite one; yields the content of daemon.json."""
    logs, run = home / "logs", home / "run"
    logs.mkdir(exist_ok=True)
    remove(run)
    async with AsyncExitStack() as stack:
        stack.callback(remove, run)
        python = await asyncio.to_thread(_clean_python, run / "python")
        momento_api_key = secrets.token_urlsafe(24)
        processes = Processes()
        stack.push_async_callback(processes.stop_all, grace=1)
        firestore, (aws, momento) = await asyncio.gather(
            firestore_emulator.start(processes, logs / "firestore.log"), asyncio.to_thread(_servers, momento_api_key)
        )
        stack.callback(momento.stop)
        issuer = stack.enter_context(Issuer())
        stack.callback(aws.close)
        stack.push_async_callback(firestore.close)

        momento_address = momento.endpoint.removeprefix("http://")
        relays = {
            "aws": Relay(aws.url.removeprefix("http://"), await OverloadedAws(aws.url).open()),
            "firestore": Relay(firestore.address, OverloadedGrpc(firestore.address)),
            "momento": Relay(momento_address, OverloadedGrpc(momento_address)),
        }
        for relay in relays.values():
            stack.push_async_callback(relay.close)
            await relay.open()
        addresses = {name: relay.address for name, relay in relays.items()}

        workshop = lambda_environment.Workshop(processes, python, logs, f"http://{addresses['aws']}")
        functions = LambdaService(aws, workshop, run / "lambda")
        stack.push_async_callback(functions.close)
        apis = HttpApis(aws, functions)
        stack.push_async_callback(apis.close)
        gcp = Gcp(firestore)
        gcp.open(processes, python, run / "cloud-run", logs, addresses["firestore"])
        stack.push_async_callback(gcp.close)
        front = await listen(control(apis, functions, gcp, relays))
        stack.push_async_callback(front.close)
        yield {
            "pid": os.getpid(),
            "control": front.url,
            "aws": f"http://{addresses['aws']}",
            "firestore": addresses["firestore"],
            "firestoreKind": firestore.kind,
            "momento": f"http://{addresses['momento']}",
            "momentoApiKey": momento_api_key,
            "issuer": issuer.url,
        }


def _servers(momento_api_key: str) -> tuple[Aws, MomentoServer]:
    return Aws(), MomentoServer(momento_api_key).start()


def _clean_python(folder: Path) -> Path:
    """A Python without any packages, which is what Lambda and Cloud Run give to the artifact."""
    venv.create(folder, symlinks=True)
    return folder / "bin" / "python3"


if __name__ == "__main__":
    main()
