"""Rules for the code of the app: what it imports and where it reads the environment."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.data.firestore import PICTURE
from app.data.records import FIELDS
from app.settings import Settings, SettingsError
from tests.app import test_store_failures
from tests.app.caches import CACHES
from tests.app.stores import CLIENTS, SERVERS

APP = Path(__file__).parents[2] / "app"
SOURCES = [path for path in APP.rglob("*.py") if ".venv" not in path.parts]
DYNAMODB = {"PERSISTENCE": "dynamodb", "USERS_TABLE": "users", "PICTURES_TABLE": "p", "AWS_REGION": "us-east-1"}
FIRESTORE = {"PERSISTENCE": "firestore", "GOOGLE_CLOUD_PROJECT": "p", "FIRESTORE_EMULATOR_HOST": "127.0.0.1:1"}
MOMENTO = {"MOMENTO_CACHE": "c", "MOMENTO_ENDPOINT": "http://127.0.0.1:1", "MOMENTO_API_KEY": "k"}
AUTH = {"AUTH_ISSUER": "http://127.0.0.1:1", "AUTH_AUDIENCE": "users"}

ABSENT: list[tuple[dict[str, str], set[str]]] = [
    (
        {},
        {
            *("boto3", "botocore", "google", "grpc", "momento_wire_types", "jwt", "cryptography", "urllib3"),
            "app.http.openapi",
        },
    ),
    (DYNAMODB, {"boto3", "google", "grpc", "momento_wire_types"}),
    (FIRESTORE, {"boto3", "botocore", "momento_wire_types"}),
    (DYNAMODB | MOMENTO | AUTH, {"google", "grpc", "momento_wire_types", "jwt", "cryptography"}),
    (FIRESTORE | MOMENTO | AUTH, {"boto3", "botocore", "momento_wire_types", "jwt"}),
]


def test_no_store_is_forgotten() -> None:
    """Most tests of stores use SERVERS; tests that name a store must name every one."""
    with pytest.raises(SettingsError) as unknown:
        Settings.from_environ({"PERSISTENCE": "unknown"})
    kinds = set(re.findall(r"\w+", str(unknown.value).partition("set it to")[2])) - {"or", "memory"}
    assert kinds >= {"dynamodb", "firestore"}
    assert SERVERS.keys() == CLIENTS.keys() == kinds, "tests/app/stores.py"
    assert {environ["PERSISTENCE"] for environ, _ in ABSENT[1:]} == kinds, "ABSENT, above"
    failing = {name.lower() for name in vars(test_store_failures) if name.startswith("Test")}
    assert failing == {f"test{kind}" for kind in kinds}, "a class in tests/app/test_store_failures.py"


def test_firestore_indexes_no_field_that_the_app_writes() -> None:
    declared = re.search(r"^UNQUERIED = (\(.+\))$", (APP.parent / "stacks" / "gcp.py").read_text(), re.MULTILINE)
    assert declared
    assert set(ast.literal_eval(declared[1])) == {*FIELDS, PICTURE}


def test_no_cache_is_forgotten() -> None:
    """Every implementation runs the conformance tests of caches."""
    implementations = {path.stem for path in (APP / "cache").glob("*.py")} - {"__init__", "breaker", "late", "none"}
    assert CACHES.keys() - {"memory"} == implementations


@pytest.mark.parametrize(
    ("environ", "absent"),
    ABSENT,
    ids=["memory", "dynamodb", "firestore", "dynamodb with all", "firestore with all"],
)
def test_only_what_every_request_needs_is_imported_at_start(environ: dict[str, str], absent: set[str]) -> None:
    answer = _python("import app.wsgi, sys; print(*sys.modules)", environ)
    loaded = answer.stdout.split()
    assert "app.wsgi" in loaded, answer.stderr
    assert absent.isdisjoint(loaded)


def test_a_snapshot_holds_what_any_request_needs() -> None:
    """Neither the issuer nor the cache answers."""
    code = "import sys; from app.aws_lambda import app; app.before_snapshot(); print(*sys.modules)"
    answer = _python(code, MOMENTO | AUTH)
    assert {"grpc", "momento_wire_types", "jwt"} <= {*answer.stdout.split()}, answer.stderr


@pytest.mark.parametrize("module", ["app.wsgi", "app.aws_lambda"])
def test_what_start_up_creates_is_never_looked_at_for_garbage(module: str) -> None:
    answer = _python(f"import {module}, gc; print(gc.isenabled(), gc.get_freeze_count() > len(gc.get_objects()))", {})
    assert answer.stdout == "True True\n", answer.stderr


@pytest.mark.parametrize("module", ["app.wsgi", "app.aws_lambda", "app.gunicorn_config"])
def test_a_wrong_setting_is_one_line(module: str) -> None:
    answer = _python(f"import {module}", {"PERSISTENCE": "mysql", "PORT": "x"})
    assert answer.returncode == 1
    assert answer.stderr.startswith("better-together: P")
    assert answer.stderr.count("\n") == 1


def test_environ_is_read_in_settings_only() -> None:
    readers = {p.name for p in SOURCES if {"os.environ", "os.getenv"} & _attributes(p)}
    assert readers == {"settings.py"}


def _python(code: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=APP.parent, env=environ, capture_output=True, text=True, timeout=60
    )


def _attributes(path: Path) -> set[str]:
    return {ast.unparse(node) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
