"""Runs the steps of GitHub's workflows on this computer, with the laptop's clouds instead of accounts."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.laptop import ROOT

WORKFLOWS = ROOT / ".github" / "workflows"
EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")
type Step = dict[str, Any]


def load() -> dict[str, dict[str, Any]]:
    """All workflows, by their files' names."""
    return {path.stem: yaml.safe_load(path.read_text()) for path in sorted(WORKFLOWS.glob("*.yml"))}


def steps(job: Mapping[str, Any]) -> Iterator[Step]:
    """The steps of a job, and instead of one that uses an action of the repository, that action's steps."""
    for step in job["steps"]:
        if step.get("uses", "").startswith("./"):
            action = yaml.safe_load((ROOT / step["uses"] / "action.yml").read_text())
            yield from action["runs"]["steps"]
        else:
            yield step


@dataclass
class Runner:
    """A machine for one job, with a checkout. `contexts` are the values of expressions, such as `matrix.stack`.

    Actions that log in, install the CLI or attest do nothing; artifacts are folders in `store`.
    """

    checkout: Path
    store: Path
    contexts: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    def run(self, workflow: Mapping[str, Any], name: str) -> dict[str, str]:
        """Run the job's steps in order. Returns the outputs of its steps, as `step.output`. Fails with the step."""
        job = workflow["jobs"][name]
        outputs: dict[str, str] = {}
        for step in steps(job):
            action, _, _ = step.get("uses", "").partition("@")
            given = {key: self._evaluated(value) for key, value in step.get("with", {}).items()}
            if action == "actions/upload-artifact":
                self._upload(given)
            elif action == "actions/download-artifact":
                shutil.copytree(self.store / given["name"], self.checkout / given["path"], dirs_exist_ok=True)
            elif "run" in step:
                outputs |= self._shell(step, [workflow, job, step])
        return outputs

    def _upload(self, given: Mapping[str, str]) -> None:
        source, target = self.checkout / given["path"], self.store / given["name"]
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            target.mkdir(parents=True)
            shutil.copy(source, target)

    def _shell(self, step: Step, levels: list[Mapping[str, Any]]) -> dict[str, str]:
        given = {key: self._evaluated(value) for level in levels for key, value in level.get("env", {}).items()}
        output = self.checkout / "github-output"
        output.write_text("")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.checkout,
            env={**os.environ, **self.environment, **given, "GITHUB_OUTPUT": str(output)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{step['run']}\n{done.stdout}{done.stderr}"
        lines = (line.partition("=") for line in output.read_text().splitlines())
        return {f"{step.get('id')}.{key}": value for key, _, value in lines}

    def _evaluated(self, value: object) -> str:
        """Expressions are names of contexts here, or whole expressions; what is not given is empty."""
        return EXPRESSION.sub(lambda found: self.contexts.get(found[1].strip(), ""), str(value))
