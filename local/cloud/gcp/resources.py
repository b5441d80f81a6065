"""Google Cloud's control plane on the laptop: stores resources, with outputs like those that Google Cloud computes.

A resource's type is its Pulumi type token. Inputs and outputs have the provider's camelCase names. This module
implements the behaviour of resources: a service runs, an object has content, a database is emptied. outputs.py computes
their outputs.
"""

import base64
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local.cloud.common.code import CodeFolder
from local.cloud.common.errors import NotFound
from local.cloud.common.processes import Processes
from local.cloud.gcp import outputs as gcp_outputs
from local.cloud.gcp.cloud_run.instance import StartError
from local.cloud.gcp.cloud_run.services import CloudRun, ProcessContext
from local.cloud.gcp.cloud_run.spec import Secret, SpecError
from local.cloud.gcp.firestore.emulator import Firestore
from local.cloud.gcp.outputs import Properties
from local.cloud.gcp.request_log import RequestLog
from local.cloud.gcp.stdout_log import StdoutLog

SERVICE = "gcp:cloudrunv2/service:Service"
BUCKET = "gcp:storage/bucket:Bucket"
OBJECT = "gcp:storage/bucketObject:BucketObject"
SECRET = "gcp:secretmanager/secret:Secret"
SECRET_VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
DATABASE = "gcp:firestore/database:Database"
SIMPLE = {BUCKET: gcp_outputs.bucket, SECRET: gcp_outputs.secret, DATABASE: gcp_outputs.database}
"""The types without further behaviour, and the functions that compute their outputs."""


class GcpError(Exception):
    """The cloud refuses a request. The message is one line; `status` is the HTTP status."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Resource:
    inputs: Properties
    outputs: Properties
    content: bytes = b""


class Gcp:
    def __init__(self, firestore: Firestore) -> None:
        self._firestore = firestore
        self._resources: dict[tuple[str, str], Resource] = {}
        self._secret_versions = Counter[str]()
        self._run: CloudRun | None = None

    def open(self, processes: Processes, python: Path, code: CodeFolder, logs: Path, firestore: str) -> None:
        """Opens Cloud Run, with Firestore at that address. Needs a running event loop."""
        stdout = StdoutLog(logs)
        self.requests = RequestLog(stdout)
        context = ProcessContext(processes, python, code, stdout, firestore, self.read, self._reveal, self.requests)
        self._run = CloudRun.open(context)

    async def close(self) -> None:
        await self._cloud_run.close()

    @property
    def _cloud_run(self) -> CloudRun:
        assert self._run
        return self._run

    @property
    def lost(self) -> str:
        """One line about data that the cloud has lost; empty if it has not lost any."""
        return self._firestore.lost

    def get(self, type: str, id: str) -> dict[str, Properties]:
        """Raises NotFound."""
        resource = self._resources.get((type, id))
        if not resource:
            raise NotFound(f"{type} {id} does not exist")
        return {"inputs": resource.inputs, "outputs": resource.outputs}

    async def put(self, type: str, id: str, inputs: Properties, files: dict[str, str]) -> dict[str, Properties]:
        """Creates or updates a resource. `files` maps inputs that are assets to their paths.

        Raises GcpError, and OSError for a database if Firestore could not start.
        """
        old = self._resources.get((type, id))
        try:
            content = self._content(type, inputs, files)
            computed = await self._computed(type, id, inputs, old, content)
        except (SpecError, StartError, NotFound) as error:
            raise GcpError(f"{inputs.get('name', id)}: {error}") from error
        except (KeyError, TypeError, AttributeError) as error:
            raise GcpError(f"{type} {id}: the inputs are malformed: {error!r}") from error
        self._resources[type, id] = Resource(inputs, {**inputs, **computed}, content)
        return self.get(type, id)

    async def delete(self, type: str, id: str) -> None:
        """Raises NotFound, and GcpError for a bucket that is not empty or a protected database."""
        self.get(type, id)
        resource = self._resources[type, id]
        if type == SERVICE:
            await self._cloud_run.delete(resource.inputs["name"])
        elif type == DATABASE:
            if resource.inputs.get("deleteProtectionState") == "DELETE_PROTECTION_ENABLED":
                raise GcpError(f"database {resource.inputs['name']} is protected: deleteProtectionState is on")
            await self._firestore.clear(resource.inputs["project"], resource.inputs["name"])
        elif type == BUCKET:
            self._empty(resource)
        elif type == SECRET:
            for version in [key for key in self._resources if key[0] == SECRET_VERSION and key[1].startswith(f"{id}/")]:
                del self._resources[version]
        self._resources.pop((type, id))

    async def _computed(
        self, type: str, id: str, inputs: Properties, old: Resource | None, content: bytes
    ) -> Properties:
        if type == SERVICE:
            service = await self._cloud_run.deploy(inputs)
            return gcp_outputs.service(inputs, old and old.outputs, service)
        if type == OBJECT:
            return gcp_outputs.bucket_object(inputs, content)
        if type == SECRET_VERSION:
            if not old:
                self._secret_versions[inputs["secret"]] += 1  # numbers of deleted versions are not reused
            return gcp_outputs.secret_version(inputs, old and old.outputs, self._secret_versions[inputs["secret"]])
        if type == DATABASE:
            await self._firestore.ready()
        if type not in SIMPLE:
            raise GcpError(f"{type} is not known: it is recorded", 404)
        return SIMPLE[type](inputs, old and old.outputs)

    def _content(self, type: str, inputs: Properties, files: dict[str, str]) -> bytes:
        if type != OBJECT:
            return b""
        if "source" in files:
            return Path(files["source"]).read_bytes()
        if inputs.get("content") is None:
            raise GcpError(f"{inputs.get('name')}: neither source nor content is given")
        return inputs["content"].encode()

    def _empty(self, bucket: Resource) -> None:
        name = bucket.inputs["name"]
        objects = [key for key, one in self._resources.items() if key[0] == OBJECT and one.inputs["bucket"] == name]
        if objects and not bucket.inputs.get("forceDestroy"):
            raise GcpError(f"bucket {name} is not empty, and forceDestroy is not set", 409)
        for key in objects:
            del self._resources[key]

    def read(self, bucket: str, name: str, generation: str | None = None) -> bytes:
        """Raises NotFound unless the bucket has the object, in that generation."""
        for one in self._every(OBJECT):
            found = one.inputs["bucket"], one.inputs["name"], str(one.outputs["generation"])
            if found == (bucket, name, generation or found[2]):
                return one.content
        raise NotFound(f"object gs://{bucket}/{name} (generation {generation or 'any'}) does not exist")

    def _reveal(self, wanted: Secret) -> str:
        """Raises NotFound unless the secret has that version."""
        id = wanted.secret.rpartition("/")[2]
        versions = [one for one in self._every(SECRET_VERSION) if one.inputs["secret"].rpartition("/")[2] == id]
        for one in reversed(versions):
            if wanted.version in ("latest", one.outputs["version"]) and one.inputs.get("enabled") is not False:
                data = one.inputs["secretData"]
                return base64.b64decode(data).decode() if one.inputs.get("isSecretDataBase64") else data
        raise NotFound(f"secret {id} version {wanted.version} does not exist")

    def _every(self, type: str) -> Iterator[Resource]:
        return (resource for (kind, _), resource in list(self._resources.items()) if kind == type)
