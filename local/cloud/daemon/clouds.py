"""Starts both clouds and what goes with them: importing all of it takes a second."""

import asyncio
import os
import secrets
import venv
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from local.cloud.aws.function_logs import FunctionLogs
from local.cloud.aws.http_api.front import HttpApis
from local.cloud.aws.lambda_ import environment as lambda_environment
from local.cloud.aws.lambda_.invoke import invoke_of
from local.cloud.aws.lambda_.service import LambdaService
from local.cloud.aws.moto_server import Aws
from local.cloud.common.code import CodeFolder
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


@asynccontextmanager
async def clouds(home: Path, lock: int) -> AsyncGenerator[dict[str, str | int]]:
    """Starts the clouds, and stops them in the reverse order; yields the content of daemon.json."""
    logs, run = home / "logs", home / "run"
    async with AsyncExitStack() as stack:
        stack.callback(remove, run)
        await asyncio.to_thread(_CleanPython(symlinks=True).create, run / "python")
        python = run / "python" / "bin" / "python3"
        code = CodeFolder()
        momento_api_key, token = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        processes = Processes(lock)
        stack.push_async_callback(processes.stop_all, grace=1)
        firestore = await firestore_emulator.start(processes, logs / "firestore.log")
        stack.push_async_callback(firestore.close)
        aws, momento = await asyncio.to_thread(_servers, momento_api_key)
        stack.callback(momento.stop)
        stack.callback(aws.close)
        issuer = stack.enter_context(Issuer())

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
        functions = LambdaService(aws, context, code)
        stack.push_async_callback(functions.close)
        aws.operations += [invoke_of(functions), FunctionLogs(logs)]
        apis = HttpApis(aws, functions)
        stack.push_async_callback(apis.close)
        gcp = Gcp(firestore)
        gcp.open(processes, python, code, logs, addresses["firestore"])
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
