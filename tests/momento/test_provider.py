"""What the engine says when Momento refuses, and where the API key is to be seen: nowhere."""

import subprocess
import sys
from pathlib import Path

import pulumi
import pytest

from pulumi_momento import Cache, Provider
from stacks.config_reader import ConfigReader
from tests.engine import deployment
from tests.momento.conftest import ROOT, Engine, Momento, limited, running

APP_KEY = "the-app's-key"


@pytest.fixture(scope="module")
def said(momento: Momento, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The engine's lines about the caches of refused.py."""
    momento.create("taken")
    folder = tmp_path_factory.mktemp("refused")
    command = [sys.executable, "-m", "tests.momento.refused", folder, momento.endpoint, momento.key]
    with limited("every") as over:
        command += [over.endpoint]
        return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()


@pytest.mark.parametrize(
    ("cache", "why", "fix"),
    [
        ("taken", "cache 'taken' exists already at {endpoint}", "`pulumi import momento:index:Cache "),
        ("nowhere", "resource 'nowhere' does not exist", ""),
        ("wrong-key", "Momento at {endpoint} refuses the API key", "`pulumi config set --secret momento:apiKey`"),
        ("closed", "Momento at http://127.0.0.1:", "Connection refused"),
        ("closed", "cannot be reached", "`pulumi config set momento:endpoint`"),
        ("over", "over a limit of the account (Request rate limit exceeded for this account", "/cache/limits"),
        ("silent", "cannot be reached (no answer within 5 s)", "`pulumi config set momento:endpoint`"),
    ],
)
def test_a_refusal_is_one_line_that_names_the_fix(
    said: list[str], momento: Momento, cache: str, why: str, fix: str
) -> None:
    about = said[said.index("Diagnostics:") :]
    start = about.index(f"  momento:index:Cache ({cache}):")
    error, after = about[start + 1 : start + 3]
    assert why.format(endpoint=momento.endpoint) in error
    assert fix in error
    assert not after.strip()


def test_a_refusal_shows_no_key(said: list[str], momento: Momento) -> None:
    assert not [line for line in said if momento.key in line or "another-key" in line]


def test_the_key_is_a_secret_wherever_it_comes_from(engine: Engine, momento: Momento, tmp_path: Path) -> None:
    def program() -> None:
        account = Provider("account", api_key=momento.key, endpoint=momento.endpoint)
        Cache("default")
        Cache("explicit", opts=pulumi.ResourceOptions(provider=account))
        pulumi.export("key", vars(account)["apiKey"])

    engine.up(program)
    key = engine.decrypted_outputs()["key"]
    assert (key.value, key.secret) == (momento.key, True)
    written = [
        file for file in tmp_path.rglob("*") if file.is_file() and momento.key in file.read_text(errors="ignore")
    ]
    assert momento.key not in "".join(engine.said)
    assert written == []


def test_keys_of_the_environment_are_secrets_as_well(
    momento: Momento, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider's and the app's, as a CI server has them."""
    engine = Engine.made(tmp_path, {"momento:endpoint": momento.endpoint})
    environment = {"MOMENTO_API_KEY": momento.key, "MOMENTO_APP_API_KEY": APP_KEY}
    engine.stack.workspace.env_vars = {**engine.stack.workspace.env_vars, **environment}
    monkeypatch.setenv("MOMENTO_APP_API_KEY", APP_KEY)  # the program runs in this process

    def program() -> None:
        Cache("users")
        pulumi.export("key", ConfigReader("caches", engine.stack.name).secret("momentoApiKey", "MOMENTO_APP_API_KEY"))

    engine.up(program)
    exported = engine.decrypted_outputs()["key"]
    assert (exported.value, exported.secret) == (APP_KEY, True)
    for key in (momento.key, APP_KEY):
        assert key not in "".join(engine.said)
        files = [file for file in tmp_path.rglob("*") if file.is_file()]
        assert not [file for file in files if key in file.read_text(errors="ignore")]
    assert "apiKey" not in str(deployment(engine.state)), "the provider's key is not even in the state"
    engine.destroy()


@pytest.mark.prove
def test_another_key_is_an_update_of_the_provider_alone(engine: Engine, momento: Momento) -> None:
    engine.up(lambda: program(momento.key, momento.endpoint))
    assert engine.preview(lambda: program("another-key", momento.endpoint)) == {"update": 1, "same": 2}


def test_caches_move_to_another_endpoint(engine: Engine, momento: Momento) -> None:
    before = momento.caches()
    engine.up(lambda: program(momento.key, momento.endpoint))
    with running("local.cloud.momento") as other:
        assert engine.up(lambda: program(other.key, other.endpoint)) == {"replace": 2, "same": 1}
        assert (momento.caches(), len(other.caches())) == (before, 1)


def program(key: str, endpoint: str) -> None:
    account = Provider("account", api_key=key, endpoint=endpoint)
    Cache("users", opts=pulumi.ResourceOptions(provider=account))
