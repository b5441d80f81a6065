"""The command line, `python -m rehearsal`, which `make rehearse` calls."""

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from rehearsal import builds, plot
from rehearsal.plan import Plan
from rehearsal.scene import Scene
from rehearsal.stage import CLOUDS, Stage
from rehearsal.traffic import RehearsalError

PLANS = {"errors": Plan(step_seconds=20), "slow": Plan(step_seconds=20)}
"""5 % of the requests are seen once there are enough of them."""
PICTURED = {"good": "A good build", "late": "One that fails once it gets half of the requests"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m rehearsal", description="Rehearse promotions on the local clouds.")
    parser.add_argument("--cloud", nargs="+", choices=CLOUDS, default=list(CLOUDS))
    parser.add_argument("--builds", nargs="+", choices=builds.BUILDS, default=builds.BUILDS)
    given = parser.parse_args()
    try:
        scenes = rehearse(given.cloud, given.builds)
    except RehearsalError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    drawn = {
        f"{PICTURED[one.build]}, on {CLOUDS[one.cloud]}": one
        for one in scenes
        if one.cloud == given.cloud[0] and one.build in PICTURED
    }
    if len(drawn) == len(PICTURED):
        plot.store(drawn)
        print(f"wrote {plot.DATA.name}: `make docs` draws it")
    return int(any(list(scene.wrong()) for scene in scenes))


def rehearse(clouds: list[str], names: list[str]) -> list[Scene]:
    """One scene for each build on each cloud, one after the other."""
    scenes: list[Scene] = []
    for cloud in clouds:
        with tempfile.TemporaryDirectory(prefix="better-together-") as folder, Stage(Path(folder)) as stage:
            for name in names:
                scene = stage.play(cloud, name, PLANS.get(name, Plan()))
                print(scene, *(f"WRONG: {wrong}" for wrong in scene.wrong()), sep="\n  ", flush=True)
                scenes.append(scene)
    return scenes


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
