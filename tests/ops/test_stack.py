"""Stacks are found, and their files are read."""

from pathlib import Path

import pytest

from local.cli.state import create
from ops import stack
from ops.stack import Laptop, Stack, UsageError, project_key


def test_the_file_of_a_stack_with_a_full_name() -> None:
    config = Stack("acme/better-together/gcp-prod", {}).file()["config"]
    assert config[project_key("cloud")] == "gcp"


@pytest.mark.parametrize("content", ["- a", "7", "config: 7", "config: [a", b"\xff"])
def test_a_broken_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | bytes) -> None:
    (tmp_path / "Pulumi.aws.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    monkeypatch.setattr(stack, "ROOT", tmp_path)
    with pytest.raises(UsageError, match=r"^Pulumi.aws.yaml cannot be read: [^\n]+$"):
        Stack("aws", {}).file()


@pytest.mark.parametrize("content", ["", "config:\n"])
def test_an_empty_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str) -> None:
    (tmp_path / "Pulumi.aws.yaml").write_text(content)
    monkeypatch.setattr(stack, "ROOT", tmp_path)
    assert Stack("aws", {}).file() == {"config": {}}


@pytest.mark.parametrize("content", ["name: [", "7", "{}", "\0"])
def test_a_broken_project_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text(content)
    monkeypatch.setattr(stack, "ROOT", tmp_path)
    with pytest.raises(UsageError, match=r"^Pulumi.yaml cannot be read: [^\n]+$"):
        stack.project.__wrapped__()


def test_the_state_on_the_laptop_is_read_and_nothing_is_written(tmp_path: Path) -> None:
    """It keeps its secrets encrypted, and another command may be at work."""
    here = Laptop(tmp_path, "", "")
    resources = [{"type": "a:b:C", "inputs": {"key": {"ciphertext": "v1:abc"}}}]
    create(tmp_path / "state", "better-together", "aws", {"resources": resources})
    before = sorted(tmp_path.rglob("*"))
    assert Stack("aws", {}, here).state() == {"resources": resources}
    assert Stack("gcp", {}, here).state() == {}
    assert sorted(tmp_path.rglob("*")) == before
    before[-1].write_text("{")
    with pytest.raises(UsageError, match=r"aws\.json cannot be read: `make up` starts the clouds afresh$"):
        Stack("aws", {}, here).state()
