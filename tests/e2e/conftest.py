import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.breaking import kill_workers
from tests.e2e.laptop import ROOT, Laptop, Outputs
from tests.flask_run import flask_run as run_flask


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long is begun first, so that no worker is left with it in the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


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
    """Both stacks up, shared by the tests of one worker, which leave them as they are."""
    folder = Path(tempfile.mkdtemp(prefix="better-together-"))
    laptop = Laptop(folder)
    try:
        laptop.must("up")
        yield laptop
        laptop.must("down")
        assert laptop.processes() == []
    finally:
        laptop.run("down")
        shutil.rmtree(folder)


@pytest.fixture
def restored(clouds: Laptop) -> Iterator[Laptop]:
    """The shared clouds; they get this checkout's app back."""
    yield clouds
    clouds.must("up")


@pytest.fixture
def second_checkout(tmp_path: Path) -> Path:
    """A copy of this one, with its environments."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for source in filter(Path.is_file, (ROOT / name for name in names)):
        target = tmp_path / source.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    for folder in ("app", "policy", "pulumi_momento"):
        (tmp_path / folder / ".venv").symlink_to(ROOT / folder / ".venv")
    return tmp_path


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
