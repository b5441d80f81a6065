"""An artifact that does not start gets no request, makes no output lie, and keeps nothing from being deployed later."""

from pathlib import Path

import httpx
import pytest

from tests.e2e.laptop import Laptop

WAYS = {
    "raises": ("raise RuntimeError('no wine left')", "does not start: no wine left"),
    "hangs": (
        "import threading; print('waiting for Godot', flush=True); threading.Event().wait()",
        "does not start: Init timed out after 10.00 seconds: waiting for Godot",
    ),
    "has no handler": ("del handler", "does not start: Handler 'handler' missing on module 'app.aws_lambda'"),
}


@pytest.mark.long
def test_an_artifact_that_does_not_start(restored: Laptop, second_checkout: Path, tmp_path: Path) -> None:
    """The same archive fails in three ways and then starts: the engine sees no difference between the four."""
    how = tmp_path / "how"
    module = second_checkout / "app" / "aws_lambda.py"
    module.write_text(module.read_text() + f"exec(open({str(how)!r}).read())\n")
    before = restored.outputs()["aws"]
    url = before["url"] + "/health/live"
    for code, words in WAYS.values():
        how.write_text(code)
        failed = restored.run("up", "aws", checkout=second_checkout)
        assert failed.returncode == 1
        assert words in failed.stderr
        assert "Traceback" not in failed.stdout + failed.stderr
        assert restored.outputs()["aws"] == before
        assert httpx.get(url, timeout=30).json()["artifact"] == before["artifactDigest"]
    how.write_text("")
    restored.must("up", "aws", checkout=second_checkout)
    after = restored.outputs()["aws"]
    assert httpx.get(url, timeout=30).json()["artifact"] == after["artifactDigest"] != before["artifactDigest"]
    newest, second = after["releases"][:2]
    assert (newest["digest"], second) == (after["artifactDigest"], before["releases"][0])
