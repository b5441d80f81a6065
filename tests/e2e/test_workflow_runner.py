"""The runner of workflows skips, goes on and fails as GitHub's does."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.workflows import Runner, StepFailed

WORKFLOW: dict[str, Any] = yaml.safe_load("""
jobs:
  good:
    outputs:
      digest: ${{ steps.made.outputs.digest }}
    steps:
      - id: made
        run: echo digest=1 >> "$GITHUB_OUTPUT"
      - id: lost
        continue-on-error: true
        uses: actions/download-artifact@v8
        with: {name: nothing, path: .}
      - if: steps.made.outcome == 'success' && steps.lost.outcome == 'failure'
        run: echo forgiven >> log
      - if: steps.lost.outcome == 'success'
        run: echo never >> log
  bad:
    steps:
      - run: echo broken; exit 3
      - run: echo never >> log
      - id: last
        if: ${{ !cancelled() }}
        run: echo anyway >> log
      - if: failure() && steps.last.outcome == 'success'
        run: echo after a failure >> log
  after-good:
    needs: good
    env:
      DIGEST: sha256:${{ needs.good.outputs.digest }}
    steps:
      - run: echo "$DIGEST" >> log
  after-bad:
    needs: [good, bad]
    outputs:
      digest: ${{ steps.none.outputs.digest }}
    steps:
      - run: echo never >> log
  in-any-case:
    needs: after-bad
    if: ${{ !cancelled() && needs.after-bad.result == 'skipped' }}
    steps:
      - run: echo "in any case${{ needs.after-bad.outputs.digest }}" >> log
  mistaken:
    steps:
      - run: echo never >> log
        env:
          DIGEST: ${{ steps.made.outputs.digest }}
""")


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path, tmp_path / "artifacts", {})


def logged(runner: Runner) -> list[str]:
    return (runner.checkout / "log").read_text().splitlines()


def test_a_step_that_may_fail_fails_no_job(runner: Runner) -> None:
    assert runner.run(WORKFLOW, "good") == "success"
    assert logged(runner) == ["forgiven"]


def test_after_a_step_that_failed_only_those_run_that_say_so(runner: Runner) -> None:
    with pytest.raises(StepFailed, match=r"^echo broken; exit 3\nbroken\n$"):
        runner.run(WORKFLOW, "bad")
    assert logged(runner) == ["anyway", "after a failure"]
    assert runner.contexts["needs.bad.result"] == "failure"


def test_a_job_gets_the_outputs_of_those_that_it_needs(runner: Runner) -> None:
    assert [runner.run(WORKFLOW, name) for name in ("good", "after-good")] == ["success", "success"]
    assert logged(runner)[-1] == "sha256:1"


def test_a_job_is_skipped_after_one_that_failed_unless_it_says_otherwise(runner: Runner) -> None:
    runner.contexts |= {"needs.good.result": "success", "needs.bad.result": "failure"}
    assert [runner.run(WORKFLOW, name) for name in ("after-bad", "in-any-case")] == ["skipped", "success"]
    assert logged(runner) == ["in any case"]


def test_what_no_step_has_set_is_a_mistake(runner: Runner) -> None:
    with pytest.raises(ValueError, match=r"steps\.made\.outputs\.digest is unknown$"):
        runner.run(WORKFLOW, "mistaken")
