"""What is deployed is what was planned: whatever has moved since is named, and nothing changes."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ops import engine, sealed_plan
from ops.stack import Stack
from tests.e2e.conftest import copy_with_artifact
from tests.e2e.laptop import Laptop, Outputs
from tests.tiers import cases


@dataclass
class Planned:
    """A copy of the checkout that gives a stack more memory, and the plan of that. The stack runs without it."""

    checkout: Path
    clouds: Laptop
    stack: str
    file: Path

    def ops(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ops", *arguments, "--home", str(self.clouds.home)]
        return subprocess.run(command, cwd=self.checkout, capture_output=True, text=True, check=False)

    def deploy(self) -> subprocess.CompletedProcess[str]:
        return self.ops("deploy", "--plan", str(self.file))

    def edit(self, name: str, old: str, new: str) -> Callable[[], int]:
        """Replace text of a file of the checkout; returns what undoes it."""
        path = self.checkout / name
        before = path.read_text()
        assert old in before
        path.write_text(before.replace(old, new, 1))
        return lambda: path.write_text(before)


@pytest.fixture(scope="module", params=["aws", pytest.param("gcp", marks=pytest.mark.prove)])
def planned(
    request: pytest.FixtureRequest, clouds: Laptop, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Planned]:
    stack = request.param
    checkout = tmp_path_factory.mktemp("checkout")
    copy_with_artifact(checkout)
    planned = Planned(checkout, clouds, stack, checkout / "build" / "plan.json")
    old, new = {"aws": ("maxInstances: 0", "memoryMb: 2048"), "gcp": ("memoryMb: 512", "memoryMb: 1024")}[stack]
    planned.edit(f"Pulumi.{stack}.yaml", old, new)
    clouds.must("up", stack)  # another test may have left something to change
    before = Stack.to_plan(stack, clouds.home).state()["resources"]
    made = planned.ops("preview", stack, "--out", str(planned.file))
    assert made.returncode == 0, made.stderr
    yield planned
    if Stack.to_plan(stack, clouds.home).state()["resources"] != before:
        clouds.must("up", stack)


def state(clouds: Laptop, stack: str) -> str:
    return json.dumps(Stack.to_plan(stack, clouds.home).state(), sort_keys=True)


def test_keys_are_encrypted_in_the_plan(planned: Planned, outputs: Outputs) -> None:
    keys = [value for name, value in planned.clouds.daemon().items() if name.endswith("Key")]
    assert keys
    content = planned.file.read_text()
    assert outputs[planned.stack]["artifactDigest"] in content
    assert not any(key in content for key in keys)


def test_the_state_is_compared_again_under_the_lock(planned: Planned) -> None:
    """As if another deployment came between the comparison and the update."""
    [plan], _ = sealed_plan.read(planned.file)
    target = Stack.to_plan(planned.stack, planned.clouds.home)
    before = target.state()
    with pytest.raises(
        engine.UpFailed, match=f"the state of stack {planned.stack} has changed since the plan was made"
    ):
        engine.up(target, {}, replace(plan.plan, state="sha256:another"))
    assert target.state()["resources"] == before["resources"]


MOVES = {
    "outputDiff": ("__main__.py", "for name, value in", 'pulumi.export("more", 1)\nfor name, value in'),
    "config": ("Pulumi.{stack}.yaml", "config:\n", "config:\n  better-together:cacheTtlSeconds: 7\n"),
    "inputDiff": ("stacks/config.py", '"project": pulumi.get_project()', '"project": "another"'),
    "the artifact": ("app/demo.py", '"""', '"""More. '),
    "the policy": ("policy/PulumiPolicy.yaml", "What no", "Whatever no"),
}


@cases("named", [(name,) for name in MOVES], test=1)
def test_what_moved_is_named_and_nothing_is_deployed(planned: Planned, named: str) -> None:
    path, old, new = MOVES[named]
    before = state(planned.clouds, planned.stack)
    undo = planned.edit(path.format(stack=planned.stack), old, new)
    refused = planned.deploy()
    undo()
    assert refused.returncode == 2, refused.stdout + refused.stderr
    lines = [line for line in refused.stderr.splitlines() if line.startswith(f"{planned.stack}: ")]
    assert any(f"{named} " in line or f"{named}: " in line for line in lines), refused.stderr
    assert "nothing was deployed" in refused.stderr
    assert state(planned.clouds, planned.stack) == before


@pytest.mark.prove
def test_a_plan_is_deployed_once(planned: Planned) -> None:
    """In the first tier, test_workflows.py deploys a plan, and tests/ops/test_sealed_plan.py refuses another state."""
    planned.clouds.must("up", planned.stack)  # which changes nothing
    before = state(planned.clouds, planned.stack)
    done = planned.deploy()
    assert done.returncode == 0, done.stdout + done.stderr
    assert state(planned.clouds, planned.stack) != before
    again = planned.deploy()
    assert again.returncode == 2
    assert f"{planned.stack}: the state has changed" in again.stderr
