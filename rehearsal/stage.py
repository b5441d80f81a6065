"""The stacks of a rehearsal: builds come up in one, and are promoted to another, in a home of the laptop's clouds."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from local.cli import state
from local.cli.home import Home
from rehearsal import builds
from rehearsal.plan import Plan, configure
from rehearsal.scene import Scene
from rehearsal.traffic import RehearsalError, Traffic

CLOUDS = {"aws": "AWS", "gcp": "Google Cloud"}
PROGRESS = re.compile(r"\d+ %")
MOVE = re.compile(r"(\d+) % to (sha256:\w+)")
PATIENT = {"timeoutSeconds": 29}  # a start on a busy computer may take longer than the default, 10 s
PROMOTION_ENDED = {0, 1, 3}  # exit codes


class Stage:
    """Stacks `aws` and `gcp` run what is to be promoted, `aws-live` and `gcp-live` get it. `prepare` brings those of a
    cloud up, and the end of a `with` block destroys them. All files are in `folder`.
    """

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self._folder = folder
        self._prepared = set[str]()
        self._checkouts: dict[str, Path] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        """Raises RehearsalError unless there is an error already."""
        try:
            self.local("down")
        except RehearsalError:
            if not error:
                raise

    def prepare(self, cloud: str) -> None:
        """Bring the cloud's stacks up with the first build, unless they are."""
        if cloud in self._prepared:
            return
        self.local("up", cloud)
        result, _ = self._promote(cloud, Plan())
        if result["outcome"] != "promoted":
            raise RehearsalError(f"the first promotion of {cloud}: {result['outcome']}, {result['reason']}")
        self._prepared.add(cloud)

    def play(self, cloud: str, build: str, plan: Plan) -> Scene:
        """Bring the build up, and promote it under traffic."""
        self.prepare(cloud)
        self.local("up", cloud, build=build)
        with Traffic(self.url(cloud), plan.rate, plan.seed, plan.most) as traffic:
            traffic.wait(plan.around)
            result, moves = self._promote(cloud, plan)
            traffic.wait(plan.around)
        return Scene(cloud, build, result, moves, traffic.requests)

    def url(self, cloud: str) -> str:
        """Of the stack that is promoted to."""
        return state.outputs(Home(self.home))[live(cloud)]["url"]

    def _promote(self, cloud: str, plan: Plan) -> tuple[dict[str, Any], list[tuple[float, int]]]:
        """The result, and the time and the percentage of each move."""
        self.configure(cloud, plan)
        lines: list[tuple[float, str]] = []
        with self.ops("promote", cloud, live(cloud), "--json") as promotion:
            for line in _lines(promotion):
                lines.append((time.time(), line))
                if PROGRESS.match(line):
                    print(line, file=sys.stderr)
            printed = promotion.communicate()[0]
        if promotion.returncode not in PROMOTION_ENDED:
            raise RehearsalError(lines[-1][1] if lines else "`ops promote` said nothing")
        result = json.loads(printed)
        moves = [(at, move) for at, line in lines if (move := MOVE.match(line))]
        return result, [(at, int(move[1]) if move[2] == result["artifact"] else 0) for at, move in moves]

    def configure(self, cloud: str, plan: Plan) -> None:
        """Write the file of the cloud's second stack: as the first one's, with the plan."""
        checkout = self._checkout(builds.FIRST)
        configure(checkout / f"Pulumi.{cloud}.yaml", plan.keys, checkout / f"Pulumi.{live(cloud)}.yaml")

    def local(self, *arguments: str, build: str = builds.FIRST) -> str:
        """What `python -m local` prints, from the checkout of that build. Raises RehearsalError."""
        with self._start("local", "--home", str(self.home), *arguments, checkout=self._checkout(build)) as command:
            said = list(_lines(command))
            printed = command.communicate()[0]
        if command.returncode:
            why = said[-1] if said else f"exit code {command.returncode}"
            raise RehearsalError(f"`local {' '.join(arguments)}`: {why}")
        return printed

    def ops(self, *arguments: str) -> subprocess.Popen[str]:
        """`python -m ops` has started, from a checkout that is not the promoted build's."""
        return self._start("ops", *arguments, "--home", str(self.home), checkout=self._checkout(builds.FIRST))

    def _start(self, *arguments: str, checkout: Path) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        return subprocess.Popen([sys.executable, "-m", *arguments], cwd=checkout, stdout=pipe, stderr=pipe, text=True)

    def _checkout(self, build: str) -> Path:
        if build not in self._checkouts:
            checkout = self._checkouts[build] = builds.checkout(self._folder, build)
            for path in (checkout / f"Pulumi.{cloud}.yaml" for cloud in CLOUDS):
                configure(path, PATIENT, path)
        return self._checkouts[build]


def live(cloud: str) -> str:
    """The stack that gets what the cloud's first stack runs."""
    return f"{cloud}-live"


def _lines(command: subprocess.Popen[str]) -> Iterator[str]:
    """Its lines on stderr, until it ends. It also gets a terminal's Ctrl-C, after which this waits for it."""
    assert command.stderr
    try:
        for line in command.stderr:
            yield line.strip()
    except KeyboardInterrupt:
        command.communicate()
        raise
