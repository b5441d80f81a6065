"""Stacks are found, and their files are read."""

from pathlib import Path

import pytest

from ops import stack
from ops.stack import Stack, UsageError, project_key


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
