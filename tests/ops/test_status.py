"""What `make status` and `make rollback` do with a rollout that nobody finishes, with a `pulumi` that keeps a state."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops import holder
from ops.__main__ import main
from ops.stack import Stack
from tests.ops.conftest import DIGEST, ROOT

NEW = "sha256:" + "2" * 64
ELSEWHERE = "ann@another-host:1"
RELEASES = [{"digest": NEW, "revision": "2"}, {"digest": DIGEST, "revision": "1"}]
STABLE = {
    "stableDigest": DIGEST,
    "stableRevision": "1",
    "releases": RELEASES,
    "cloud": "aws",
    "url": "https://a.example",
}
ROLLOUT = {"artifactDigest": NEW, "revision": "2", "percent": 10, "rolloutPlan": {"stepSeconds": 300}}
DONE = {"percent": 100, "rolloutBy": "", "rolloutUntil": ""}
# `up` completes the rollout, or gives it back, as the config for this run says.
PULUMI = """
import json, sys, yaml
from pathlib import Path
folder = Path({folder!r})
state = json.loads((folder / "state").read_text())
if sys.argv[1] == "stack" and "aws-broken" in sys.argv:
    sys.exit("error: no stack named 'aws-broken' found")
elif sys.argv[1] == "stack":
    print(json.dumps(state))
else:
    config = yaml.safe_load(Path(sys.argv[sys.argv.index("--config-file") + 1]).read_text())["config"]
    given = {{key.removeprefix("better-together:"): value for key, value in config.items()}}
    with (folder / "ups").open("a") as ups:
        print(json.dumps(given), file=ups)
    [revision] = [one["revision"] for one in state["releases"] if one["digest"] == given["artifact"]]
    for name in ("artifactDigest", "stableDigest"):
        state[name] = given["artifact"]
    state |= {{"revision": revision, "stableRevision": revision, "percent": 100, "rolloutBy": "", "rolloutUntil": ""}}
    (folder / "state").write_text(json.dumps(state))
"""

type Run = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command on a stack with these outputs; returns its exit code and its JSON."""
    (tmp_path / "pulumi").write_text(f"#!{sys.executable}\n{PULUMI.format(folder=str(tmp_path))}")
    (tmp_path / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def run(command: str, *arguments: str, **outputs: Any) -> tuple[int, dict[str, Any]]:
        if outputs:
            (tmp_path / "state").write_text(json.dumps(outputs))
        stacks = [] if "--" in arguments else ["aws"]
        code = main([command, "--json", "--home", str(tmp_path / "home"), *arguments, *stacks])
        return code, json.loads(capsys.readouterr().out)

    return run


def moving(by: str, seconds: float = 60) -> dict[str, Any]:
    """The outputs in the middle of a rollout."""
    return STABLE | ROLLOUT | {"rolloutBy": by, "rolloutUntil": holder.deadline(seconds) if by else ""}


def ups(folder: Path) -> list[dict[str, Any]]:
    """The keys of each `pulumi up`."""
    file = folder / "ups"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.mark.parametrize(
    ("by", "seconds", "state"),
    [
        ("", 0, "manual"),
        (ELSEWHERE, 60, "moving"),
        (ELSEWHERE, -1, "overdue"),
        (f"ann@{socket.gethostname()}:{2**22 + 1}", 60, "abandoned"),  # above the kernel's largest process id
    ],
)
def test_states(run: Run, by: str, seconds: float, state: str) -> None:
    code, result = run("status", **moving(by, seconds))
    [about] = result["stacks"]
    assert (about["state"], about["percent"], about["rolloutBy"]) == (state, 10, by)
    assert code == (state == "overdue")


def test_a_complete_stack(run: Run) -> None:
    code, result = run("status", **STABLE | ROLLOUT | DONE | {"revision": "1", "artifactDigest": DIGEST})
    assert code == 0
    about = {"stack": "aws", "state": "complete", "artifact": DIGEST, "revision": "1", "percent": 100}
    assert result == {"stacks": [about]}


def test_a_stack_that_never_came_up(run: Run, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("{}")
    assert run("status", "--mend") == (0, {"stacks": [{"stack": "aws", "state": "empty"}]})


def test_mend_gives_back_what_is_overdue(run: Run, tmp_path: Path) -> None:
    code, result = run("status", "--mend", **moving(ELSEWHERE, -1))
    assert code == 0
    assert [(one["state"], one["artifact"]) for one in result["stacks"]] == [("complete", DIGEST)]
    [given] = ups(tmp_path)
    assert (given["artifact"], given["rollout"], given["rolloutAfter"]) == (DIGEST, "100", ELSEWHERE)
    assert given["rolloutBy"] == holder.myself()


@pytest.mark.parametrize(("by", "seconds"), [("", 0), (ELSEWHERE, 60)])
def test_mend_leaves_the_others_alone(run: Run, tmp_path: Path, by: str, seconds: float) -> None:
    code, _ = run("status", "--mend", **moving(by, seconds))
    assert (code, ups(tmp_path)) == (0, [])


def test_a_rollback_wins_against_whoever_promotes(run: Run, tmp_path: Path) -> None:
    code, result = run("rollback", **moving(ELSEWHERE))
    assert (code, result["outcome"], result["artifact"]) == (0, "rolled back", DIGEST)
    assert [given["rolloutAfter"] for given in ups(tmp_path)] == [ELSEWHERE]


def test_a_rollback_goes_to_a_stable_release_that_the_releases_lack(run: Run, tmp_path: Path) -> None:
    missing = moving(ELSEWHERE) | {"releases": [{"digest": NEW, "revision": "2"}]}
    run("rollback", **missing)
    assert [given["artifact"] for given in ups(tmp_path)] == [DIGEST]


def test_a_rollback_after_a_rollout_goes_to_the_release_before(run: Run) -> None:
    complete = STABLE | ROLLOUT | DONE | {"stableDigest": NEW, "stableRevision": "2"}
    assert run("rollback", **complete)[1]["artifact"] == DIGEST
    code, result = run("rollback")
    assert code == 2
    assert result["error"].endswith(f" runs its oldest release: its releases are {NEW}, {DIGEST}")
    assert run("rollback", "--to", NEW)[1]["artifact"] == NEW
    assert run("rollback", "--to", NEW)[1]["outcome"] == "unchanged"


def test_an_artifact_that_never_ran(run: Run, tmp_path: Path) -> None:
    never = "sha256:" + "3" * 64
    code, result = run("rollback", "--to", never, **moving(""))
    assert (code, ups(tmp_path)) == (2, [])
    assert result["error"].startswith(f"{never} is not among the releases of stack aws")


def test_a_stack_that_cannot_be_read_does_not_keep_others_from_being_mended(run: Run, tmp_path: Path) -> None:
    code, result = run("status", "--mend", "--", "aws-broken", "aws", **moving(ELSEWHERE, -1))
    assert code == 2
    assert [one["state"] for one in result["stacks"]] == ["unknown", "complete"]
    assert "no stack named 'aws-broken' found" in result["stacks"][0]["error"]
    assert len(ups(tmp_path)) == 1


def test_mend_never_takes_back_what_was_finished_meanwhile(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It rolls back what it has seen, and `pulumi up` refuses that once the holder is another."""
    finished = STABLE | ROLLOUT | DONE | {"stableDigest": NEW, "stableRevision": "2"}
    states = [Stack("aws", moving(ELSEWHERE, -1))] + [Stack("aws", finished)] * 3
    (tmp_path / "state").write_text(json.dumps(finished))
    monkeypatch.setattr(Stack, "find", lambda *_: states.pop(0))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    run("status", "--mend")
    [given] = ups(tmp_path)
    assert (given["artifact"], given["rolloutAfter"]) == (DIGEST, ELSEWHERE)


def test_a_rollout_of_before_there_were_promotions(run: Run, tmp_path: Path) -> None:
    """Its outputs lack the percentage and the holder. It is rolled back to the stable revision, not to an older one."""
    older = {"digest": "sha256:" + "3" * 64, "revision": "0"}
    before = STABLE | {"artifactDigest": NEW, "revision": "2", "releases": [*RELEASES, older]}
    code, result = run("status", **before)
    assert (code, result["stacks"][0]["state"]) == (2, "unknown")
    code, result = run("rollback")
    assert (code, result["artifact"]) == (0, DIGEST)


def test_it_imports_nothing_that_calls_a_deployment_or_a_cloud() -> None:
    """It takes less than half the time without them."""
    code = "import ops.__main__, ops.status, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {"httpx", "botocore", "jsonschema"}.isdisjoint(done.stdout.split())
