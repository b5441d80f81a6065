"""Runs the steps of GitHub's workflows on this computer, with the laptop's clouds instead of accounts."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.expressions import Value, condition, interpolated
from tests.e2e.laptop import ROOT

WORKFLOWS = ROOT / ".github" / "workflows"
type Step = dict[str, Any]


def load() -> dict[str, dict[str, Any]]:
    """All workflows, by their files' names."""
    return {path.stem: yaml.safe_load(path.read_text()) for path in sorted(WORKFLOWS.glob("*.yml"))}


def steps(job: Mapping[str, Any]) -> Iterator[Step]:
    """The steps of a job, and instead of one that uses an action of the repository, that action's steps."""
    for step in job["steps"]:
        if step.get("uses", "").startswith("./"):
            yield from action(step["uses"])["runs"]["steps"]
        else:
            yield step


def action(path: str) -> dict[str, Any]:
    """An action of the repository."""
    return yaml.safe_load((ROOT / path / "action.yml").read_text())


class StepFailed(AssertionError):
    """The first step that failed the job; the message is its command and all that it said."""


@dataclass
class Runner:
    """A machine for one job after another, with a checkout. `contexts` are the values of names in expressions, such as
    `matrix.stack`; each job adds its `needs.JOB.result` and `needs.JOB.outputs.NAME`.

    Actions that log in, install the CLI or attest do nothing; artifacts are folders in `store`.
    """

    checkout: Path
    store: Path
    contexts: dict[str, Value]
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    def run(self, workflow: Mapping[str, Any], name: str) -> str:
        """Run the job's steps in order, and return its result: success or skipped. Raises StepFailed after the last."""
        job = workflow["jobs"][name]
        before = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
        incomplete = any(self.contexts[f"needs.{other}.result"] != "success" for other in before)
        if condition(job.get("if", "success()"), self.contexts, failed=incomplete):
            environment = _environment([workflow, job], self.contexts)
            execution = Execution(self, environment, dict(self.contexts))
            execution.run(job["steps"])
            self.contexts[f"needs.{name}.result"] = "failure" if execution.failures else "success"
            if execution.failures:
                raise StepFailed(execution.failures[0])
            found = {key: interpolated(value, execution.contexts) for key, value in job.get("outputs", {}).items()}
        else:
            self.contexts[f"needs.{name}.result"] = "skipped"
            found = dict.fromkeys(job.get("outputs", {}), "")
        self.contexts |= {f"needs.{name}.outputs.{key}": value for key, value in found.items()}
        return str(self.contexts[f"needs.{name}.result"])


@dataclass
class Execution:
    """Of one job's steps, or of an action's. `failures` are what failed the job."""

    runner: Runner
    environment: Mapping[str, str]
    contexts: dict[str, Value]
    failures: list[str] = field(default_factory=list[str])

    def run(self, steps: list[Step]) -> None:
        for step in steps:
            if condition(step.get("if", "success()"), self.contexts, failed=bool(self.failures)):
                failure = self._run(step)
                outcome = "failure" if failure else "success"
                if failure and not step.get("continue-on-error"):
                    self.failures.append(failure)
            else:
                outcome = "skipped"
            self.contexts[f"steps.{step.get('id')}.outcome"] = outcome

    def _run(self, step: Step) -> str:
        """Returns why it failed, or nothing."""
        name, _, _ = step.get("uses", "").partition("@")
        given = {key: interpolated(value, self.contexts) for key, value in step.get("with", {}).items()}
        checkout, store = self.runner.checkout, self.runner.store
        if name.startswith("./"):
            return self._act(action(name), given)
        if name == "actions/upload-artifact":
            _upload(checkout / given["path"], store / given["name"])
        elif name == "actions/download-artifact":
            if not (store / given["name"]).exists():
                return f"there is no artifact {given['name']}"
            shutil.copytree(store / given["name"], checkout / given["path"], dirs_exist_ok=True)
        elif "run" in step:
            return self._shell(step)
        return ""

    def _act(self, definition: Mapping[str, Any], given: Mapping[str, str]) -> str:
        """Run an action of the repository. Returns why it failed, or nothing."""
        inputs = {key: given.get(key, about.get("default")) for key, about in definition["inputs"].items()}
        others = {name: value for name, value in self.contexts.items() if not name.startswith(("inputs.", "steps."))}
        contexts = others | {f"inputs.{key}": value for key, value in inputs.items()}
        execution = Execution(self.runner, self.environment, contexts)
        execution.run(definition["runs"]["steps"])
        return "\n".join(execution.failures)

    def _shell(self, step: Step) -> str:
        runner, script = self.runner, interpolated(step["run"], self.contexts)
        given = {**runner.environment, **self.environment, **_environment([step], self.contexts)}
        output = runner.checkout / "github-output"
        output.write_text("")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=runner.checkout,
            env={**os.environ, **given, "GITHUB_OUTPUT": str(output)},
            capture_output=True,
            text=True,
            check=False,
        )
        lines = (line.partition("=") for line in output.read_text().splitlines())
        self.contexts |= {f"steps.{step.get('id')}.outputs.{key}": value for key, _, value in lines}
        return f"{script}\n{done.stdout}{done.stderr}" if done.returncode else ""


def _environment(levels: list[Mapping[str, Any]], contexts: Mapping[str, Value]) -> dict[str, str]:
    """The variables of workflow, job or step, of which the last one wins."""
    return {key: interpolated(value, contexts) for level in levels for key, value in level.get("env", {}).items()}


def _upload(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        target.mkdir(parents=True)
        shutil.copy(source, target)
