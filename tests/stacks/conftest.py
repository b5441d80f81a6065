import tarfile
import zipfile
from pathlib import Path

import pytest

from stacks.artifact import Artifact, build
from tests.stacks.deployment import Deployment, deploy

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def artifact() -> Artifact:
    return build(ROOT)


@pytest.fixture(scope="session")
def tree(artifact: Artifact, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """app.zip, unpacked as Lambda does."""
    folder = tmp_path_factory.mktemp("zip")
    with zipfile.ZipFile(artifact.zip) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def tar_tree(artifact: Artifact, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """app.tar.gz, unpacked as Cloud Run does."""
    folder = tmp_path_factory.mktemp("tar")
    with tarfile.open(artifact.tar) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="session")
def aws() -> Deployment:
    return deploy("aws")


@pytest.fixture(scope="session")
def gcp() -> Deployment:
    return deploy("gcp")


@pytest.fixture(params=["aws", "gcp"])
def either(request: pytest.FixtureRequest) -> Deployment:
    """Both stacks, one after the other."""
    return request.getfixturevalue(request.param)
