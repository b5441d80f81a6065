"""The contents of the artifact, and that it runs from a read-only folder with nothing else on its path."""

import hashlib
import importlib.util
import marshal
import stat
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from stacks.artifact import Artifact

HEADER = 16  # magic, flags, source hash: PEP 552
UNCHECKED_HASH = (1).to_bytes(4, "little")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run(tree: Path, code: str, **environment: str) -> None:
    """Run `code` with the standard library and the tree on its path; compiling any of the tree is an error."""
    guard = f"""
import sys
from importlib.machinery import SourceFileLoader
def refuse(self, data, path, **_):
    raise AssertionError(f"compiled at run time: {{path}}")
SourceFileLoader.source_to_code = refuse
sys.path.insert(0, {str(tree)!r})
"""
    command = [sys.executable, "-I", "-S", "-c", guard + code]
    result = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_both_archives_hold_the_tree_that_the_digest_names(artifact: Artifact, tree: Path, tar_tree: Path) -> None:
    files = contents(tree)
    assert contents(tar_tree) == files
    lines = [f"{path}\0{0o100644:o}\0{hashlib.sha256(files[path]).hexdigest()}\n" for path in sorted(files)]
    assert artifact.digest == "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()
    assert artifact.unpacked_bytes == sum(map(len, files.values())) == sum(artifact.packages.values())


def test_members_say_nothing_of_the_builder(artifact: Artifact) -> None:
    with zipfile.ZipFile(artifact.zip) as archive:
        infos = archive.infolist()
    assert {(i.date_time, i.external_attr >> 16, i.create_system) for i in infos} == {
        ((1980, 1, 1, 0, 0, 0), stat.S_IFREG | 0o644, 3)
    }
    with tarfile.open(artifact.tar) as archive:
        members = archive.getmembers()
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members} == {(315532800, 0, 0, "", "")}
    assert {(m.isdir(), m.mode) for m in members} == {(True, 0o755), (False, 0o644)}
    assert artifact.tar.read_bytes()[3:8] == b"\0" * 5  # gzip: no file name, no time
    in_zip, in_tar = [i.filename for i in infos], [m.name for m in members if m.isfile()]
    assert in_zip == sorted(in_zip)
    assert in_tar == sorted(in_tar, key=lambda name: (not name.startswith("app/"), name))
    for names in (in_zip, in_tar):
        assert not [name for name in names if name.startswith(("/", ".."))]


def test_every_module_is_compiled_and_valid_at_any_time(tree: Path) -> None:
    """The app's own modules beside their sources, those of packages instead of them."""
    files = contents(tree)
    sources = {importlib.util.cache_from_source(name): name for name in files if name.endswith(".py")}
    compiled = {name: content for name, content in files.items() if name.endswith(".pyc")}
    assert {name for name in compiled if name.startswith("app/")} == sources.keys()
    assert "flask/app.pyc" in compiled
    for name, pyc in sorted(compiled.items()):
        assert pyc[:4] == importlib.util.MAGIC_NUMBER
        assert pyc[4:8] == UNCHECKED_HASH
        source = sources.get(name, name.removesuffix("c"))
        assert source not in files or pyc[8:HEADER] == importlib.util.source_hash(files[source])
        assert marshal.loads(pyc[HEADER:]).co_filename == source


def test_nothing_superfluous_is_deployed(tree: Path, root: Path) -> None:
    paths = [Path(name) for name in contents(tree)]
    folders = {part for path in paths for part in path.parts[:-1]}
    assert not folders & {"bin", "tests", "test", ".venv"}
    notes = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "py.typed", "pyproject.toml", "uv.lock"}
    assert not {path.name for path in paths} & notes
    assert not {path.suffix for path in paths} & {".pyi", ".c", ".h", ".cc", ".pyx", ".pxd", ".proto"}
    assert {path.name for path in (tree / "botocore" / "data").glob("*/")} == {"dynamodb", "ssm", "sts"}
    packages = {path.name.split("-")[0] for path in tree.glob("*.dist-info")}
    assert not packages & {"awslambdaric", "momento", "moto", "pytest", "hypothesis", "pulumi", "pip", "setuptools"}
    assert {"flask", "botocore", "momento_wire_types", "gunicorn", "google_cloud_firestore"} <= packages


def test_the_whole_app_is_deployed(tree: Path, root: Path) -> None:
    sources = {path.relative_to(root) for path in (root / "app").rglob("*.py") if ".venv" not in path.parts}
    assert sources == {path.relative_to(tree) for path in (tree / "app").rglob("*.py")}


def test_both_entry_points_import_without_compiling(tree: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in tree.rglob("*")}
    run(tree, "import app.aws_lambda; assert callable(app.aws_lambda.handler)")
    run(tree, "import app.wsgi, app.gunicorn_config, gunicorn.app.wsgiapp; assert callable(app.wsgi.app)")
    assert {path: path.stat().st_mtime_ns for path in tree.rglob("*")} == before


def test_the_clients_of_the_app_can_be_made(tree: Path) -> None:
    run(
        tree,
        """
from botocore.session import get_session
urls = {
    "aws-global": "https://sts.amazonaws.com",
    "eu-central-1": "https://dynamodb.eu-central-1.amazonaws.com",
    "us-gov-west-1": "https://ssm.us-gov-west-1.amazonaws.com",
    "cn-north-1": "https://dynamodb.cn-north-1.amazonaws.com.cn",
}
for region, url in urls.items():
    service = url.removeprefix("https://").partition(".")[0]
    client = get_session().create_client(service, region)
    assert client.meta.endpoint_url == url, client.meta.endpoint_url
    assert client.meta.service_model.operation_names
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
firestore.Client(project="p", database="d", credentials=AnonymousCredentials()).collection("users")
import app.auth.bearer, app.cache.momento, app.data.firestore, app.gunicorn_worker
from importlib.metadata import version
assert version("flask")
""",
        AWS_ACCESS_KEY_ID="x",
        AWS_SECRET_ACCESS_KEY="x",
    )
