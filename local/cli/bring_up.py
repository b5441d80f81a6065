"""Brings stacks up: `make up`, and a step of a promotion."""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from pulumi import automation as auto

from local.cli import clouds, engine, stack_files, state
from local.cli.clouds import Daemon
from local.cli.engine_output import shown
from local.cli.engine_runs import side_by_side
from local.cli.home import ROOT, Home, LocalError
from ops.names import expiry
from ops.stack import Laptop, Stack, UsageError
from ops.terminal import say_aside
from stacks.artifact import build
from stacks.config_keys import ARTIFACT

UP_BY_DEFAULT = ("aws", "gcp")


def up(
    home: Home,
    names: Sequence[str] = UP_BY_DEFAULT,
    *,
    auth: str | None = None,
    refresh: bool = False,
    rollout: str | None = None,
    artifact: str | None = None,
    hours: str | None = None,
    verbose: bool = False,
) -> None:
    """Brings the stacks up, starts the clouds if necessary, and prints the stacks' URLs.

    With `auth`, the app requires tokens from the laptop's issuer. With `refresh`, the engine reads the clouds' state
    first, and repairs drift. `rollout` and `artifact` override the stacks' keys; `hours` is the time until the stacks
    expire. `verbose` prints the engine's full output. If the outputs have changed, this also deletes old versions of
    Lambda functions, as `make prune` does.
    """
    names = stack_files.check(names)
    given = given_settings(rollout=rollout, artifact=artifact, hours=hours)
    with home.exclusive():
        build_for(names, given)
        engine.warm_up(names)  # after the build, which would share Python's lock with it, and the engine waits for
        running = _usable_clouds(home)
        with nullcontext() if running else clouds.starting(home):  # new clouds start while the engine opens the stacks
            stacks = [engine.open_stack(home, name) for name in names]
            daemon = running or clouds.wait_until_started(home)
            settings = given | (_auth_settings(daemon) if auth else {})
            for stack in stacks:
                engine.configure(stack, daemon, settings)

        before = state.outputs(home)

        def bring_up(stack: auto.Stack) -> dict[str, Any]:
            values = _bring_up(home, stack, refresh=refresh, verbose=verbose)
            if before.get(stack.name, values) != values:
                _prune(home, stack.name, values, daemon)
            return values

        outputs = side_by_side(home, stacks, "up", bring_up)
    for name, values in zip(names, outputs, strict=True):
        _print_result(name, values, rollout)


def apply(home: Home, name: str, settings: Mapping[str, str], plan: Path | None = None) -> None:
    """Brings a stack to the config of its file and `settings`, which are keys of the project.

    Changes nothing if that differs from the engine's `plan`, a file. Waits for another command that is at work. The
    clouds must run. AUTH and HOURS of the stack's last `make up` stay.
    """
    name = stack_files.one(name)
    engine.warm_up([name])
    with home.exclusive(wait=True):
        daemon = clouds.required(home)
        refuse_if_cut_off(home)
        stack = engine.open_stack(home, name)
        engine.configure(stack, daemon, kept_settings(home, name, daemon) | dict(settings))
        side_by_side(home, [stack], "up", partial(_bring_up, home, plan=plan))


def _bring_up(
    home: Home, stack: auto.Stack, *, refresh: bool = False, verbose: bool = False, plan: Path | None = None
) -> dict[str, Any]:
    """Returns the stack's outputs."""
    with engine.changing(home, stack), shown(home, stack, verbose=verbose) as arguments:
        result = stack.up(refresh=refresh, plan=plan and str(plan), policy_packs=[engine.POLICY_PACK], **arguments)
    return {key: output.value for key, output in result.outputs.items()}


def _usable_clouds(home: Home) -> Daemon | None:
    """The running clouds, if any. Stops those that do not work or may not match the state of their stacks.

    The clouds exist only in memory, so the state is worthless without them, and `clouds.starting` removes it.
    """
    daemon = clouds.usable(home)
    if daemon and engine.has_lost_track(home):
        say_aside(f"{engine.CUT_OFF}: starting the clouds afresh")
        clouds.stop(home)
        return None
    return daemon


def _auth_settings(daemon: Daemon) -> dict[str, str]:
    return {"auth": daemon.issuer, "authAudience": engine.AUDIENCE}


def kept_settings(home: Home, name: str, daemon: Daemon) -> dict[str, str]:
    """AUTH and HOURS of the stack's last `make up`."""
    auth = _auth_settings(daemon) if json.dumps(daemon.issuer) in json.dumps(state.resources(home, name)) else {}
    expires = state.outputs(home).get(name, {}).get("expires")
    return auth | ({"expires": expires} if expires else {})


def _prune(home: Home, name: str, outputs: Mapping[str, Any], daemon: Daemon) -> None:
    if outputs["cloud"] == "aws":
        from ops.prune import prune  # late, because importing botocore takes 0.2 s

        try:
            for line in prune(Stack(name, outputs, Laptop(home.path, daemon.aws, daemon.google))):
                say_aside(f"{name} | {line}")
        except UsageError as error:
            say_aside(f"{name} | old versions are left: {error}")


def _print_result(name: str, outputs: Mapping[str, Any], rollout: str | None) -> None:
    print("  ".join([name, *(outputs[key] for key in ("url", "persistence", "artifactDigest"))]))
    if outputs["percent"] != 100:
        print(f"{name}  {100 - outputs['percent']} % of the requests still go to {outputs['stableDigest']}")
    elif rollout not in (None, "100"):
        print(f"{name}  ROLLOUT={rollout} has nothing to roll out: this version has all requests already")


def given_settings(*, artifact: str | None, rollout: str | None = None, hours: str | None = None) -> dict[str, str]:
    """The keys that are given. Raises LocalError if one is wrong."""
    if rollout is not None and not re.fullmatch("[1-9]?[0-9]|100", rollout):
        raise LocalError(f"ROLLOUT is {rollout!r}: it takes 0 to 100, in percent")
    if artifact is not None and not re.fullmatch(ARTIFACT, artifact):
        allowed = "build, promoted, or one of the releases in `make outputs`, sha256:..."
        raise LocalError(f"ARTIFACT is {artifact!r}: it takes {allowed}")
    try:
        expires = hours and expiry(hours)
    except UsageError as error:
        raise LocalError(str(error)) from None
    given = {"artifact": artifact, "rollout": rollout, "expires": expires}
    return {key: value for key, value in given.items() if value is not None}


def build_for(names: Sequence[str], given: Mapping[str, str]) -> None:
    """Builds the artifact if one of the stacks runs what the checkout builds."""
    if any(given.get("artifact", stack_files.artifact(name)) == "build" for name in names):
        say_aside(f"artifact {build(ROOT).digest}")


def refuse_if_cut_off(home: Home) -> None:
    if engine.has_lost_track(home):
        raise LocalError(f"{engine.CUT_OFF}: `make up` starts the clouds afresh")
