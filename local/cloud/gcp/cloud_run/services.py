"""Cloud Run: deploys services, and answers their requests."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from local.cloud.common.code import CodeFolder
from local.cloud.common.errors import NotFound
from local.cloud.common.forwarding import session
from local.cloud.common.listener import listen
from local.cloud.common.processes import Processes
from local.cloud.gcp.cloud_run.front import MAX_BODY, forward
from local.cloud.gcp.cloud_run.instance import Instance, StartError
from local.cloud.gcp.cloud_run.revision import Revision
from local.cloud.gcp.cloud_run.service import Service
from local.cloud.gcp.cloud_run.spec import Secret, Spec, SpecError, Target, scaling, spec, targets
from local.cloud.gcp.request_log import RequestLog
from local.cloud.gcp.stdout_log import StdoutLog

PREFERRED_PORT = 8082
IDLE_REVISIONS = 3  # kept running without traffic, for instant rollbacks; older ones have to start again


@dataclass(frozen=True)
class ProcessContext:
    """What all instances share. `read` returns an object by bucket, name and generation, `reveal` a secret's value."""

    processes: Processes
    python: Path
    code: CodeFolder
    stdout: StdoutLog
    firestore: str  # host:port
    read: Callable[[str, str, str | None], bytes]
    reveal: Callable[[Secret], str]
    requests: RequestLog


class CloudRun:
    def __init__(self, context: ProcessContext, http: aiohttp.ClientSession) -> None:
        self._context = context
        self._http = http
        self._services: dict[str, Service] = {}

    @classmethod
    def open(cls, context: ProcessContext) -> "CloudRun":
        return cls(context, session())

    async def deploy(self, inputs: dict[str, Any]) -> Service:
        """Creates or updates a service. A changed template makes a revision, which must start before traffic moves.

        Raises SpecError or StartError; the previous revisions continue to serve then.
        """
        wanted, traffic = spec(inputs), targets(inputs)
        service = self._services.get(wanted.name) or await self._listen(inputs)
        name = inputs["template"].get("revision")
        try:
            _check_known(traffic, {*service.revisions, name})
            names = {target.revision for target in traffic}
            await asyncio.gather(*(old.start() for old in service.revisions.values() if old.name in names))
            if not service.revisions or service.latest.spec != wanted or name not in (None, service.latest.name):
                revision = await self._start(service, wanted, name)
                service.revisions[revision.name] = revision
        except BaseException:
            if wanted.name not in self._services:
                await service.listener.close()
            raise
        service.traffic, service.scaling = traffic, scaling(inputs)
        service.public = bool(inputs.get("invokerIamDisabled"))
        self._services[wanted.name] = service
        await self._tag(service)
        await service.scale()
        await _retire(service)
        return service

    async def delete(self, name: str) -> None:
        service = self._services.pop(name, None)
        if service:
            await service.close()

    async def close(self) -> None:
        await asyncio.gather(*(self.delete(name) for name in list(self._services)))
        await self._http.close()

    async def _listen(self, inputs: dict[str, Any]) -> Service:
        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            return await self._answer(service, None, request)

        listener = await listen(handle, PREFERRED_PORT, MAX_BODY)
        service = Service(listener, scaling(inputs), self._context.requests.of(inputs))
        return service

    async def _tag(self, service: Service) -> None:
        """Opens and closes listeners, so that each tag has one."""
        tags = {target.tag for target in service.traffic if target.tag}
        for tag in service.tagged.keys() - tags:
            await service.tagged.pop(tag).close()
        for tag in tags - service.tagged.keys():
            service.tagged[tag] = await listen(partial(self._answer, service, tag), max_body=MAX_BODY)

    async def _answer(self, service: Service, tag: str | None, request: web.BaseRequest) -> web.StreamResponse:
        if not service.public:
            return web.Response(status=403, text="Forbidden: the service asks for roles/run.invoker")
        revision = service.pick(tag)
        if not revision:
            return web.Response(status=404, text="Not Found")
        return await forward(request, revision, self._http, service.requests)

    async def _start(self, service: Service, wanted: Spec, name: str | None) -> Revision:
        name = name or f"{wanted.name}-{next(service.numbers):05d}-{secrets.token_hex(2)}"
        if name in service.revisions:
            raise SpecError(f"template.revision: {name} exists already, with another template")
        archive = await asyncio.to_thread(self._context.read, wanted.bucket, wanted.object, wanted.generation)
        log = self._context.stdout.file(wanted.name, name)

        async def start() -> Instance:
            try:
                env = self._variables(wanted, name)
            except NotFound as error:
                raise StartError(str(error)) from error
            return await Instance.start(
                self._context.processes, self._http, wanted, env, self._context.code.using(archive), log
            )

        revision = Revision(name, wanted, start, service.has_room)
        try:
            await revision.start()
        except BaseException:
            await revision.stop()
            raise
        return revision

    def _variables(self, wanted: Spec, revision: str) -> Mapping[str, str]:
        """Cloud Run's variables and the address of the laptop's Firestore.

        https://cloud.google.com/run/docs/container-contract#env-vars
        """
        own = {name: self._context.reveal(value) if isinstance(value, Secret) else value for name, value in wanted.env}
        return {
            "LANG": "C.UTF-8",
            "HOME": str(self._context.python.parents[1]),
            "PATH": f"{self._context.python.parent}:/usr/local/bin:/usr/bin:/bin",
            "FIRESTORE_EMULATOR_HOST": self._context.firestore,
            **own,
            "K_SERVICE": wanted.name,
            "K_CONFIGURATION": wanted.name,
            "K_REVISION": revision,
        }


def _check_known(traffic: list[Target], revisions: set[str | None]) -> None:
    for target in traffic:
        if target.revision and target.revision not in revisions:
            raise SpecError(f"traffics: revision {target.revision} does not exist")


async def _retire(service: Service) -> None:
    """Stops the revisions without traffic or tag, except the newest IDLE_REVISIONS of them."""
    idle = [name for name in service.revisions if name not in service.split() and name != service.latest.name]
    for name in idle[:-IDLE_REVISIONS]:
        await service.revisions[name].stop()
