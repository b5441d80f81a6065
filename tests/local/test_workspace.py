"""The engine reads the config that is written without it."""

import json
from pathlib import Path

import pytest

from local.cli import engine, vault
from local.cli.clouds import Daemon
from local.cli.home import Home, LocalError
from local.cli.state import create

KEY = "the laptop's key"
SIGNATURE, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"


@pytest.fixture
def daemon() -> Daemon:
    return Daemon(0, "", "", "", "", "http://127.0.0.1:1", KEY, "", "", "")


def test_a_key_is_encrypted(tmp_path: Path, daemon: Daemon) -> None:
    stack = engine.open_stack(Home(tmp_path), "aws")
    engine.configure(stack, daemon)
    assert stack.get_config("momento:apiKey").value == KEY
    assert KEY not in "".join(path.read_text() for path in (tmp_path / "workspace").glob("*") if path.is_file())


def test_the_laptops_key_is_not_a_persons_vaults(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, daemon: Daemon
) -> None:
    monkeypatch.setattr(vault, "variables", vault.variables.__wrapped__)
    for name in ("VAULT_AGENT_ADDR", "VAULT_PROXY_ADDR", "VAULT_HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("VAULT_CACERT", "nowhere.pem")
    monkeypatch.setenv("PULUMI_CLOUD_SECRET_OVERRIDE", "hashivault://another")
    test_a_key_is_encrypted(tmp_path, daemon)


def test_the_state_of_an_earlier_version_can_be_read(tmp_path: Path) -> None:
    """It encrypted secrets with a passphrase."""
    home, name = Home(tmp_path), "aws"
    stack = {
        "urn": f"urn:pulumi:{name}::better-together::pulumi:pulumi:Stack::better-together-{name}",
        "custom": False,
        "type": "pulumi:pulumi:Stack",
        "outputs": {
            "key": {SIGNATURE: SECRET, "ciphertext": "v1:AAECAwQFBgcICQoL:M48JVZKstBxqObrnadRZhP22HesLpDX0xol1ChrFwQ=="}
        },
    }
    salt = "v1:B/cbSqKO26E=:v1:Kdkh6IlqkQewd6Gw:Cz6IGuEGnzLEuSrPgdwMSGqxdJXL4w=="
    secrets = {"type": "passphrase", "state": {"salt": salt}}
    create(home.state, "better-together", name, {"secrets_providers": secrets, "resources": [stack]})
    assert "an old secret" in json.dumps(engine.open_stack(home, name).export_stack().deployment)


def test_the_key_of_a_preview_without_clouds_can_be_decrypted(tmp_path: Path) -> None:
    stack = engine.open_stack(Home(tmp_path), "aws")
    engine.configure(stack, None, {"rollout": "10"})
    config = stack.get_all_config()
    assert (config["momento:apiKey"].value, config["momento:apiKey"].secret) == ("no-key-without-clouds", True)
    assert config["better-together:rollout"].value == "10"


def test_a_stack_is_created_once(tmp_path: Path) -> None:
    stacks = [engine.open_stack(Home(tmp_path), "aws") for _ in range(2)]
    assert [one.name for one in stacks[-1].workspace.list_stacks()] == ["aws"]


def test_a_stack_that_was_only_previewed_is_not_up(tmp_path: Path) -> None:
    home = Home(tmp_path)
    engine.open_stack(home, "aws")
    create(home.state, "better-together", "gcp", {"resources": [{"type": "pulumi:pulumi:Stack"}]})
    assert [stack.name for stack in engine.stacks_up(home)] == ["gcp"]
    with pytest.raises(LocalError, match=r"^stack aws is not up: `make up STACK=aws`$"):
        engine.one_that_is_up(home, "aws")
