"""An artifact that does not start gets no request, makes no output lie, and keeps nothing from being deployed later."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.laptop import Laptop, versions

type Breaks = list[tuple[str, dict[str, str]]]

BREAKS: Breaks = [
    (
        "raise RuntimeError('no wine left')",
        {"aws": "does not run: no wine left", "gcp": "the container exited with 3 before it listened on $PORT"},
    ),
    ("del handler", {"aws": "does not run: Handler 'handler' missing on module 'app.aws_lambda'"}),
    (
        "import threading; print('waiting for Godot', flush=True); threading.Event().wait()",
        {"aws": "does not run: Init timed out after 10.00 seconds: waiting for Godot"},
    ),
]


@pytest.mark.prove
def test_an_artifact_that_does_not_start(restored: Laptop, second_checkout: Path, tmp_path: Path) -> None:
    """The same archive fails, in one way after the other, and then starts: the engine sees no difference."""
    how = tmp_path / "how"
    for name in ("aws_lambda.py", "wsgi.py"):
        with (second_checkout / "app" / name).open("a") as module:
            module.write(f"exec(open({str(how)!r}).read())\n")
    before = restored.outputs()
    for code, words in BREAKS:
        how.write_text(code)
        failed = restored.run("up", *words, checkout=second_checkout)
        assert failed.returncode == 1
        assert "Traceback" not in failed.stdout + failed.stderr
        assert restored.outputs() == before
        for cloud, said in words.items():
            assert said in failed.stderr
            assert artifact(before[cloud]) == before[cloud]["artifactDigest"]
    how.write_text("")
    restored.must("up", checkout=second_checkout)
    for cloud, after in restored.outputs().items():
        assert artifact(after) == after["artifactDigest"] != before[cloud]["artifactDigest"]
        newest, second = after["releases"][:2]
        assert (newest["digest"], second) == (after["artifactDigest"], before[cloud]["releases"][0])
        if cloud == "aws":
            kept = {release["revision"] for release in after["releases"]}
            assert set(versions(restored)) == kept, "those that failed are deleted"


def artifact(outputs: dict[str, Any]) -> str:
    return httpx.get(outputs["url"] + "/health/live", timeout=30).json()["artifact"]
