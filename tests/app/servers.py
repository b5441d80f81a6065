"""The servers that the app's clients are tested against, each started once per test process."""

# google-cloud-firestore is partly typed.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

import dataclasses
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta

from momento import CacheClient, Configurations, CredentialProvider
from momento.responses import CreateCache

from app.cache.momento import MomentoCache
from app.settings import CacheSettings
from local.cloud.aws.moto_server import Aws
from local.cloud.common.cache import CACHE
from local.cloud.common.listener import HOST, free_port
from local.cloud.gcp.firestore.emulator import WARM_UP
from local.cloud.gcp.firestore.java import JAVA, emulator_command, emulator_jar
from local.cloud.gcp.firestore.server import FirestoreServer
from local.cloud.momento import MomentoServer

DYNAMODB_LOCAL = "software.amazon.dynamodb.services.local.main.ServerRunner"
DYNAMODB_LOCAL_HOME = CACHE / "dynamodb-local-3.1.0"
MOMENTO_API_KEY = "momento-test-key"
STARTS_WITHIN = 60  # seconds


class NotInstalled(Exception):
    """A server is missing; the message says which, and where it was expected."""


@contextmanager
def moto() -> Generator[str]:
    """The local AWS; yields its URL."""
    aws = Aws()
    try:
        yield aws.url
    finally:
        aws.close()


@contextmanager
def dynamodb_local() -> Generator[str]:
    """AWS's DynamoDB Local; yields its URL. It has no option to listen on 127.0.0.1 only."""
    if not shutil.which("java") or not DYNAMODB_LOCAL_HOME.is_dir():
        raise NotInstalled(f"DynamoDB Local needs java, and its jars in {DYNAMODB_LOCAL_HOME}")
    port, jars = free_port(), DYNAMODB_LOCAL_HOME
    arguments = ["-inMemory", "-disableTelemetry", "-port", str(port)]
    command = [*JAVA, f"-Djava.library.path={jars}", "-cp", f"{jars}/*", DYNAMODB_LOCAL, *arguments]
    with _running(command, port):
        yield f"http://{HOST}:{port}"


@contextmanager
def built_in_firestore() -> Generator[str]:
    """The local, built-in Firestore; yields its host and port."""
    with FirestoreServer() as server:
        yield f"{HOST}:{server.port}"


@contextmanager
def google_firestore() -> Generator[str]:
    """Google's Firestore emulator; yields its host and port."""
    jar = emulator_jar()
    if jar is None:
        raise NotInstalled("Google's Firestore emulator needs java and a Google Cloud SDK with the emulator")
    port = free_port()
    address = f"{HOST}:{port}"
    with _running(emulator_command(jar, address), port):
        subprocess.run(WARM_UP, env=os.environ | {"FIRESTORE_EMULATOR_HOST": address}, check=True)
        yield address


@contextmanager
def _running(command: list[str], port: int) -> Generator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_until_it_answers(process, port)
        yield
    finally:
        process.kill()
        process.wait()


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://{HOST}:{port}/", timeout=5).close()
            return
        except urllib.error.HTTPError as error:
            error.close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{process.args} does not answer on port {port}: exit code {process.poll()}")


def await_connection(cache: MomentoCache) -> None:
    """Return once the client is connected, which may take longer than its deadline on a busy machine."""
    while cache.get(["anything"]).error == "timeout":
        pass


def momento_cache(server: MomentoServer) -> CacheSettings:
    """The settings of a new, empty cache on the server."""
    local = dataclasses.replace(CredentialProvider.for_momento_local(HOST, server.port), auth_token=MOMENTO_API_KEY)
    name = f"users-{uuid.uuid4().hex}"
    with CacheClient(Configurations.Laptop.latest(), local, timedelta(minutes=1)) as client:
        created = client.create_cache(name)
    assert isinstance(created, CreateCache.Success), created
    return CacheSettings(name=name, endpoint=server.endpoint, ttl_seconds=60, api_key=MOMENTO_API_KEY)
