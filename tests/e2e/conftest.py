import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from xdist.scheduler import LoadScopeScheduling  # pyright: ignore[reportMissingTypeStubs]

from rehearsal.builds import FIRST, copy_installed
from rehearsal.stage import Stage
from stacks import artifact
from tests.e2e.breaking import kill_workers
from tests.e2e.laptop import ROOT, Laptop, Outputs
from tests.flask_run import flask_run as run_flask

OWN_CLOUDS = {"test_docs_commands.py", "test_promotion.py", "test_promotion_killed.py"}
SEEDS_IN_A_ROW = 10


class Scheduling(LoadScopeScheduling):
    """One process for all tests that may use the shared clouds, and others for the files that do not.

    In `make prove`, the many seeds of test_cut_off.py come last, a few at a time in whichever process is free. Each
    process has shared clouds of its own, if it needs them.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0].rpartition("/")[2]
        if not self.config.option.markexpr and (seed := re.search(r"test_cut_off.*\bseed (\d+)", nodeid)):
            return f"cut off {int(seed[1]) // SEEDS_IN_A_ROW}"
        return file if file in OWN_CLOUDS else "shared clouds"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What leaves the shared clouds with other URLs comes last."""
    items.sort(key=lambda item: "battered" in getattr(item, "fixturenames", []))


@pytest.fixture
def laptop() -> Iterator[Laptop]:
    """Clouds that are not up yet, for tests that break them."""
    with tempfile.TemporaryDirectory(prefix="better-together-") as folder:
        laptop = Laptop(Path(folder))
        try:
            yield laptop
        finally:
            laptop.run("down")


@pytest.fixture(scope="session")
def clouds() -> Iterator[Laptop]:
    """Both stacks up, shared by tests that leave them as they are. In the end nothing of them is left."""
    folder = Path(tempfile.mkdtemp(prefix="better-together-"))
    laptop = Laptop(folder)
    try:
        laptop.must("up")
        yield laptop
        laptop.must("down")
        assert_nothing_is_left(laptop)
    finally:
        laptop.run("down")
        shutil.rmtree(folder)


def assert_nothing_is_left(laptop: Laptop) -> None:
    """No file and no process, and so no port; other clouds on this computer may listen on the same ones by now."""
    assert laptop.processes() == {}
    left = {path.name for path in laptop.home.iterdir()}
    assert left == {"command.lock", "daemon.lock", "engine.lock"}


@pytest.fixture
def restored(clouds: Laptop) -> Iterator[Laptop]:
    """The shared clouds; they get this checkout's app back."""
    before = artifacts(clouds)
    yield clouds
    if artifacts(clouds) != before:
        clouds.must("up")


def artifacts(clouds: Laptop) -> list[tuple[str, str]]:
    return [(outputs["artifactDigest"], outputs["stableDigest"]) for outputs in clouds.outputs().values()]


@pytest.fixture
def second_checkout(tmp_path: Path) -> Path:
    """A copy of this one, with its environments and its artifact."""
    copy_with_artifact(tmp_path)
    return tmp_path


def copy_with_artifact(folder: Path) -> None:
    """Copies this checkout, in which other tests are at work meanwhile, so that `make` need not install or build."""
    copy_installed(folder)
    built = artifact.build(ROOT).zip.parent
    shutil.copytree(built, folder / built.relative_to(ROOT))


class ForkingStage(Stage):
    """Its `local` commands are forks."""

    def local(self, *arguments: str, build: str = FIRST) -> str:
        return Laptop(self.home).must(*arguments, checkout=self._checkout(build))


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Stacks to promote from and to. The second ones run the first build."""
    with tempfile.TemporaryDirectory(prefix="better-together-") as folder, ForkingStage(Path(folder)) as stage:
        yield stage


@pytest.fixture(scope="session")
def flask_run() -> Iterator[str]:
    """Yields its URL."""
    with run_flask() as url:
        yield url


@pytest.fixture(scope="session")
def outputs(clouds: Laptop) -> Outputs:
    """Both stacks' outputs."""
    return clouds.outputs()


@pytest.fixture(scope="session")
def runtimes(outputs: Outputs, flask_run: str) -> Iterator[dict[str, httpx.Client]]:
    """A client for every runtime of the app: aws, gcp and flask run."""
    urls = {name: stack["url"] for name, stack in outputs.items()} | {"flask run": flask_run}
    clients = {name: httpx.Client(base_url=url, timeout=30) for name, url in urls.items()}
    yield clients
    for client in clients.values():
        client.close()


@pytest.fixture(params=["aws", "gcp"])
def cloud(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def young(cloud: str, clouds: Laptop, runtimes: dict[str, httpx.Client]) -> Iterator[httpx.Client]:
    """A client of the cloud, whose app has new processes before and after the test: no circuit is open."""
    kill_workers(clouds, cloud)
    yield runtimes[cloud]
    kill_workers(clouds, cloud)
