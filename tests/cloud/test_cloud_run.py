"""Cloud Run, by what happens to tiny servers deployed through the control API."""

import asyncio
import errno
import gzip
import io
import json
import os
import signal
import tarfile
import textwrap
import time
import uuid
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psutil
import pytest

from local.cloud.common.unpack import remove
from local.cloud.gcp.cloud_run.instance import Instance, StartError
from local.cloud.gcp.cloud_run.services import IDLE_REVISIONS
from tests.cloud.conftest import Daemon, raw_get

SERVICE = "gcp:cloudrunv2/service:Service"
SECRET_VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
OBJECT = "gcp:storage/bucketObject:BucketObject"

SERVER = """
    import json, os, sys, time
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.reply(b"")

        def do_POST(self):
            self.reply(self.rfile.read(int(self.headers["Content-Length"])))

        def reply(self, body):
            if self.path == "/exit":
                os._exit(3)
            if self.path.startswith("/drop/"):
                open(self.path.removeprefix("/drop"), "a").write("x")
                self.close_connection = True
                return
            if self.path.startswith("/wait/"):
                open(self.path.removeprefix("/wait") + ".in", "a").write("x")
                while not os.path.exists(self.path.removeprefix("/wait")):
                    time.sleep(0.01)
            facts = {
                "pid": os.getpid(), "path": self.path, "headers": dict(self.headers), "env": dict(os.environ),
                "body": body.decode("latin-1"), "argv": sys.argv[1:], "path_entries": sys.path, "cwd": os.getcwd(),
            }
            content = json.dumps(facts).encode()
            self.send_response(int(os.environ.get("STATUS", "200")))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    print("serving", os.environ["K_REVISION"], flush=True)
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


def tarred(source: str) -> bytes:
    """The same bytes for the same source, whatever the time."""
    content = textwrap.dedent(source).encode()
    archive = io.BytesIO()
    with gzip.GzipFile(fileobj=archive, mode="wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo("server.py")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


@dataclass
class Cloud:
    daemon: Daemon
    folder: Path
    name: str
    stored: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """What `deploy` uploaded last, by its source."""

    def put(self, type: str, id: str, inputs: dict[str, Any], **files: str) -> httpx.Response:
        url = f"/gcp/resources/{quote(type, safe='')}/{quote(id, safe='')}"
        return self.daemon.control.put(url, json={"inputs": inputs, "files": files})

    def delete(self, type: str, id: str) -> httpx.Response:
        return self.daemon.control.delete(f"/gcp/resources/{quote(type, safe='')}/{quote(id, safe='')}")

    def upload(self, source: str) -> dict[str, Any]:
        file = self.folder / "source.tar.gz"
        file.write_bytes(tarred(source))
        inputs = {"bucket": "sources", "name": f"{self.name}.tar.gz"}
        return self.put(OBJECT, self.name, inputs, source=str(file)).raise_for_status().json()["outputs"]

    def deploy(self, source: str = SERVER, env: dict[str, Any] | None = None, **changes: Any) -> httpx.Response:
        """Uploads the server and deploys it; `changes` are of the service, `template` and `container` of those."""
        if source not in self.stored:
            self.stored = {source: self.upload(source)}
        stored = self.stored[source]
        template, container = changes.pop("template", {}), changes.pop("container", {})
        envs = [{"name": name, **({"value": v} if isinstance(v, str) else v)} for name, v in (env or {}).items()]
        inputs = {
            "name": self.name,
            "project": "p",
            "location": "europe-west1",
            "template": {
                "containers": [
                    {
                        "image": "scratch",
                        "sourceCode": {
                            "cloudStorageSource": {
                                "bucket": stored["bucket"],
                                "object": stored["name"],
                                "generation": str(stored["generation"]),
                            }
                        },
                        "commands": ["python3"],
                        "args": ["server.py", "--flag"],
                        "envs": envs,
                        "startupProbe": {"httpGet": {"path": "/up"}, "periodSeconds": 1, "failureThreshold": 8},
                    }
                    | container
                ],
                **template,
            },
            **changes,
        }
        return self.put(SERVICE, self.name, inputs)

    def deployed(self, **arguments: Any) -> httpx.Client:
        """A client of the service, which anyone may invoke."""
        outputs = self.deploy(invokerIamDisabled=True, **arguments).raise_for_status().json()["outputs"]
        return self.daemon.http(outputs["uri"])


@pytest.fixture
def cloud(daemon: Daemon, tmp_path: Path) -> Iterator[Cloud]:
    cloud = Cloud(daemon, tmp_path, f"s{uuid.uuid4().hex[:6]}")
    yield cloud
    cloud.delete(SERVICE, cloud.name)


def test_the_service_runs_its_own_command_with_what_cloud_run_gives(cloud: Cloud):
    client = cloud.deployed(env={"COLOUR": "red"})
    facts = json.loads(raw_get(str(client.base_url), "/a%2Fb/../%00//c?x=%20"))
    env = facts["env"]
    assert facts["path"] == "/a%2Fb/../%00//c?x=%20"
    assert facts["argv"] == ["--flag"]
    assert (env["COLOUR"], env["K_SERVICE"], env["K_CONFIGURATION"]) == ("red", cloud.name, cloud.name)
    assert (env["HOST"], int(env["PORT"]) > 0) == ("127.0.0.1", True)
    assert env["K_REVISION"].startswith(f"{cloud.name}-00001-")
    assert env["FIRESTORE_EMULATOR_HOST"] == cloud.daemon.facts["firestore"]
    assert not [entry for entry in facts["path_entries"] if "app/.venv" in entry]
    log = cloud.daemon.home / "logs" / f"run-{cloud.name}-{env['K_REVISION']}.log"
    assert f"serving {env['K_REVISION']}" in log.read_text()


def test_headers_and_bodies_pass_through(cloud: Cloud):
    client = cloud.deployed()
    response = client.post("/", content="größe".encode(), headers={"Authorization": "Bearer x", "Host": "example.com"})
    facts = response.json()
    headers = {name.lower(): value for name, value in facts["headers"].items()}
    assert facts["body"].encode("latin-1") == "größe".encode()
    assert (headers["authorization"], headers["host"]) == ("Bearer x", "example.com")
    assert (headers["x-forwarded-proto"], headers["x-forwarded-for"]) == ("http", "127.0.0.1")
    assert "accept-encoding" in headers
    assert "traceparent" in headers
    assert (
        client.post("/", content=iter([b"in ", b"chunks"]), headers={"Content-Length": "9"}).json()["body"]
        == "in chunks"
    )
    packed = gzip.compress(b"text")
    facts = client.post("/", content=packed, headers={"Content-Encoding": "gzip"}).json()
    assert (facts["body"].encode("latin-1"), facts["headers"]["Content-Encoding"]) == (packed, "gzip")
    assert client.post("/", content=b"x" * (32 * 2**20 + 1)).status_code == 413


def test_the_service_is_open_only_while_nobody_is_asked_for_a_role(cloud: Cloud):
    client = cloud.daemon.http(cloud.deploy().json()["outputs"]["uri"])
    assert client.get("/").status_code == 403
    cloud.deployed()
    assert client.get("/").status_code == 200
    cloud.deploy().raise_for_status()
    assert client.get("/").status_code == 403


def test_secrets_reach_the_service_as_values(cloud: Cloud):
    secret = f"projects/p/secrets/{cloud.name}"
    for data in ("first", "second"):
        version = cloud.put(
            SECRET_VERSION,
            f"{cloud.name}-{data}",
            {"secret": secret, "secretData": data},
        )
        assert version.is_success
    assert version.json()["outputs"]["name"] == f"{secret}/versions/2"

    def reference(version: str) -> dict[str, Any]:
        return {"valueSource": {"secretKeyRef": {"secret": cloud.name, "version": version}}}

    env = cloud.deployed(env={"OLD": reference("1"), "NEW": reference("latest")}).get("/").json()["env"]
    assert (env["OLD"], env["NEW"]) == ("first", "second")
    refusal = cloud.deploy(env={"NONE": reference("3")})
    assert (refusal.status_code, refusal.json()["error"]) == (
        400,
        f"{cloud.name}: secret {cloud.name} version 3 does not exist",
    )


@pytest.mark.prove
def test_every_start_of_an_instance_reads_the_version_that_its_revision_names(cloud: Cloud):
    def store(data: str) -> dict[str, Any]:
        version = {"secret": f"projects/p/secrets/{cloud.name}", "secretData": data}
        number = cloud.put(SECRET_VERSION, f"{cloud.name}-{data}", version).raise_for_status().json()["outputs"]
        return {"valueSource": {"secretKeyRef": {"secret": cloud.name, "version": number["version"]}}}

    def kill(client: httpx.Client) -> int:
        assert client.get("/exit").status_code == 503
        return client.get("/").status_code

    first = store("first")
    client = cloud.deployed(env={"KEY": first})
    stable = client.get("/").json()["env"]["K_REVISION"]
    new = [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 0}]
    old = [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": stable, "percent": 100}]
    cloud.deployed(env={"KEY": store("second")}, traffics=new + old)
    assert kill(client) == 200
    assert client.get("/").json()["env"]["KEY"] == "first"
    cloud.delete(SECRET_VERSION, f"{cloud.name}-first").raise_for_status()
    assert kill(client) == 429, "the version is gone"


def test_a_request_that_an_instance_drops_is_not_sent_again(cloud: Cloud, tmp_path: Path):
    dropped = tmp_path / "dropped"
    assert cloud.deployed().get(f"/drop{dropped}").status_code == 503
    assert dropped.read_text() == "x"


def test_code_that_cannot_be_unpacked_is_a_failed_start(tmp_path: Path):
    @asynccontextmanager
    async def full() -> AsyncGenerator[Path]:
        raise OSError(errno.ENOSPC, "No space left on device", "/full")
        yield tmp_path

    unused: Any = None
    with pytest.raises(StartError, match=r"the code cannot be unpacked: .*No space left on device: '/full'"):
        asyncio.run(Instance.start(unused, unused, unused, {}, full(), tmp_path))


@pytest.mark.parametrize(
    ("env", "source", "reason"),
    [
        ({"STATUS": "503"}, SERVER, "startup probe /up failed (status 503)"),
        ({}, "raise SystemExit(4)", "exited with 4"),
    ],
)
def test_a_revision_that_does_not_start_leaves_the_old_one_serving(
    cloud: Cloud, env: dict[str, str], source: str, reason: str
):
    client = cloud.deployed()
    before = client.get("/").json()
    probe = {"httpGet": {"path": "/up"}, "periodSeconds": 1, "failureThreshold": 1}
    refusal = cloud.deploy(source, env=env, container={"startupProbe": probe})
    assert refusal.status_code == 400
    assert reason in refusal.json()["error"]
    assert "\n" not in refusal.json()["error"]
    assert client.get("/").json()["pid"] == before["pid"]


def test_a_new_revision_takes_over_and_traffic_can_be_split_and_rolled_back(cloud: Cloud):
    client = cloud.deployed(env={"COLOUR": "red"})
    old = client.get("/").json()["env"]["K_REVISION"]
    cloud.deployed(env={"COLOUR": "blue"})
    assert client.get("/").json()["env"]["COLOUR"] == "blue"

    def share(percent: int) -> None:
        targets = [
            {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": old, "percent": percent},
            {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100 - percent},
        ]
        cloud.deployed(env={"COLOUR": "blue"}, traffics=targets)

    share(50)
    assert {client.get("/").json()["env"]["COLOUR"] for _ in range(60)} == {"red", "blue"}
    share(100)
    assert {client.get("/").json()["env"]["COLOUR"] for _ in range(20)} == {"red"}


def test_a_revision_with_a_tag_answers_at_a_url_of_its_own_whatever_its_share(cloud: Cloud):
    client = cloud.deployed(env={"COLOUR": "red"})
    red = client.get("/").json()
    stable = {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": red["env"]["K_REVISION"]}
    latest = {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "tag": "canary"}

    def canary(colour: str, percent: int, **changes: Any) -> httpx.Client:
        traffics = [latest | {"percent": percent}, stable | {"percent": 100 - percent}]
        answer = cloud.deploy(env={"COLOUR": colour}, traffics=traffics, invokerIamDisabled=True, **changes)
        tagged, untagged = answer.raise_for_status().json()["outputs"]["trafficStatuses"]
        assert tagged == latest | {"revision": "", "percent": percent, "uri": tagged["uri"]}
        assert untagged == stable | {"percent": 100 - percent, "tag": "", "uri": ""}
        return cloud.daemon.http(tagged["uri"])

    tagged = canary("blue", 0)
    assert tagged.base_url != client.base_url
    blue = tagged.get("/").json()
    assert (blue["env"]["COLOUR"], client.get("/").json()["env"]["COLOUR"]) == ("blue", "red")
    assert canary("blue", 1).base_url == tagged.base_url
    assert {tagged.get("/").json()["pid"] for _ in range(5)} == {blue["pid"]}
    for number in range(IDLE_REVISIONS + 1):  # newer ones, which the tag does not name
        named = [stable | {"revision": blue["env"]["K_REVISION"], "percent": 0, "tag": "canary"}]
        cloud.deployed(env={"COLOUR": str(number)}, traffics=[*named, stable | {"percent": 100}])
    assert tagged.get("/").json()["pid"] == blue["pid"]

    daemon: int = cloud.daemon.facts["pid"]
    assert tagged.base_url.port in listening(daemon)
    cloud.deployed(env={"COLOUR": "blue"}, traffics=[stable | {"percent": 100}])
    assert tagged.base_url.port not in listening(daemon)


def test_the_listener_of_a_tag_goes_with_its_service(cloud: Cloud):
    latest = {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "tag": "canary", "percent": 100}
    [status] = cloud.deploy(traffics=[latest]).raise_for_status().json()["outputs"]["trafficStatuses"]
    tagged = cloud.daemon.http(status["uri"])
    assert tagged.get("/").status_code == 403, "the service is not public"
    cloud.delete(SERVICE, cloud.name)
    assert tagged.base_url.port not in listening(cloud.daemon.facts["pid"])


@pytest.mark.parametrize("tags", [["Canary"], ["a_b"], ["a", "a"]])
def test_a_tag_that_cloud_run_refuses(cloud: Cloud, tags: list[str]):
    targets = [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 0, "tag": tag} for tag in tags]
    refusal = cloud.deploy(traffics=[*targets, {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}])
    assert refusal.status_code == 400
    assert f"the tag {tags[-1]!r} is not a unique name" in refusal.json()["error"]


def test_a_revision_that_was_stopped_long_ago_can_be_rolled_back_to(cloud: Cloud):
    client = cloud.deployed(source=f"{SERVER}    # {cloud.name}", env={"COLOUR": "red"})
    old = client.get("/").json()
    for number in range(IDLE_REVISIONS + 1):
        cloud.deployed(env={"COLOUR": str(number)})
    assert not psutil.pid_exists(old["pid"])
    remove(Path(old["cwd"]))
    targets = [
        {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": old["env"]["K_REVISION"], "percent": 100}
    ]
    cloud.deployed(env={"COLOUR": str(IDLE_REVISIONS)}, traffics=targets)
    assert client.get("/").json()["env"]["COLOUR"] == "red"


def test_an_instance_serves_no_more_requests_at_a_time_than_its_concurrency(cloud: Cloud):
    scaling = {"maxInstanceCount": 2}
    client = cloud.deployed(template={"maxInstanceRequestConcurrency": 2, "scaling": scaling})
    gate = cloud.folder / "gate"
    with ThreadPoolExecutor(5) as pool:
        answers = [pool.submit(client.get, f"/wait{gate}") for _ in range(5)]
        arrived = cloud.folder / "gate.in"
        while not arrived.exists() or len(arrived.read_text()) < 4:
            time.sleep(0.01)
        assert len(arrived.read_text()) == 4
        gate.touch()
        pids = [answer.result().json()["pid"] for answer in answers]
    assert len(pids) == 5
    assert len(set(pids)) == 2


def test_an_instance_that_dies_answers_503_and_is_replaced(cloud: Cloud):
    client = cloud.deployed()
    pid = client.get("/").json()["pid"]
    assert client.get("/exit").status_code == 503
    assert client.get("/").json()["pid"] != pid
    os.kill(client.get("/").json()["pid"], signal.SIGKILL)
    assert client.get("/").status_code in (200, 503)
    assert client.get("/").status_code == 200


def test_a_request_that_takes_too_long_gets_504(cloud: Cloud):
    client = cloud.deployed(template={"timeout": "0.2s"})
    response = client.get(f"/wait{cloud.folder}/never")
    assert (response.status_code, response.text) == (504, "upstream request timeout")


def listening(pid: int) -> set[int]:
    """The ports that a process listens on."""
    connections = psutil.Process(pid).net_connections("tcp")
    return {connection.laddr.port for connection in connections if connection.status == psutil.CONN_LISTEN}


def test_a_deleted_service_has_no_process_and_no_listener(cloud: Cloud):
    client = cloud.deployed(source=f"{SERVER}    # {cloud.name}")
    pid = client.get("/").json()["pid"]
    daemon: int = cloud.daemon.facts["pid"]
    assert client.base_url.port in listening(daemon)
    assert cloud.delete(SERVICE, cloud.name).status_code == 204
    assert not psutil.pid_exists(pid)
    assert client.base_url.port not in listening(daemon)  # another daemon may have taken the port already
    assert cloud.delete(SERVICE, cloud.name).status_code == 404


def test_a_deleted_service_has_no_process_that_was_starting(cloud: Cloud):
    folder, gate = cloud.folder / "starts", cloud.folder / "gate"
    folder.mkdir()
    second_start_hangs = f"""
    import os, time

    starts = {str(folder)!r}
    open(f"{{starts}}/{{os.getpid()}}", "w").close()
    while len(os.listdir(starts)) == 2:
        time.sleep(0.01)
    {SERVER}"""
    client = cloud.deployed(source=second_start_hangs, template={"maxInstanceRequestConcurrency": 1})
    first = client.get("/").json()["pid"]
    with ThreadPoolExecutor(2) as pool:
        for _ in range(2):
            pool.submit(client.get, f"/wait{gate}")
        while len(starts := {int(path.name) for path in folder.iterdir()}) == 1:
            time.sleep(0.01)
        [second] = starts - {first}
        assert psutil.pid_exists(second)
        assert cloud.delete(SERVICE, cloud.name).status_code == 204
        assert not psutil.pid_exists(second)


def test_the_source_must_be_the_generation_that_was_asked_for(cloud: Cloud):
    first, same = cloud.upload(SERVER), cloud.upload(SERVER)
    cloud.delete(OBJECT, cloud.name).raise_for_status()
    again, other = cloud.upload(SERVER), cloud.upload(SERVER + "    # changed\n")
    assert first["generation"] < same["generation"] < again["generation"] < other["generation"]
    source = {
        "cloudStorageSource": {"bucket": "sources", "object": first["name"], "generation": str(first["generation"])}
    }
    refusal = cloud.deploy(SERVER + "    # changed again\n", container={"sourceCode": source})
    assert "does not exist" in refusal.json()["error"]
