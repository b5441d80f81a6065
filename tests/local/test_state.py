"""The outputs of stacks are read from the engine's state."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.cli import engine, state
from local.cli.home import Home, LocalError

CIPHERTEXT = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:AAAA:AAAA"}
NEVER_UP = None


def write(home: Home, name: str, resources: list[dict[str, Any]] | None) -> Path:
    file = home.state / ".pulumi" / "stacks" / "better-together" / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    latest = resources if resources is None else {"resources": resources}
    file.write_text(json.dumps({"version": 3, "checkpoint": {"latest": latest}}))
    return file


def test_a_secret_output_is_not_shown(tmp_path: Path) -> None:
    home = Home(tmp_path)
    outputs = {"percent": 100, "key": CIPHERTEXT, "releases": [{"revision": "1"}]}
    write(home, "aws", [{"type": "pulumi:pulumi:Stack", "outputs": outputs}, {"type": "a:b:C", "outputs": {"d": "e"}}])
    write(home, "gcp", NEVER_UP)
    assert state.outputs(home) == {"aws": outputs | {"key": "[secret]"}, "gcp": {}}
    assert not engine.has_lost_track(home)


def test_a_state_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    home = Home(tmp_path)
    file = write(home, "aws", [])
    file.write_text(file.read_text()[:-9])
    with pytest.raises(LocalError, match=f"{file} cannot be read: `make up` starts the clouds afresh"):
        state.outputs(home)
    assert engine.has_lost_track(home)


def test_what_is_protected_is_known_before_anything_is_destroyed(tmp_path: Path) -> None:
    home = Home(tmp_path)
    write(home, "aws", [{"type": "a:b:C"}, {"type": "a:b:D", "protect": True}])
    write(home, "gcp", [{"type": "a:b:C"}])
    assert [engine.is_protected(home, name) for name in ("aws", "gcp", "azure")] == [True, False, False]
