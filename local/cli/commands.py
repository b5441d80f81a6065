"""The commands that bring stacks up and read them; destruction.py has the others. Each works in one home."""

import json
import re
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from pulumi import automation as auto

from local.cli import clouds, engine, stack_files
from local.cli.clouds import Daemon
from local.cli.drift import find_drift
from local.cli.engine_output import shown
from local.cli.engine_runs import at_once, side_by_side, unless_interrupted
from local.cli.home import ROOT, Home, LocalError
from local.cli.tools import say
from ops.stack import Stack, UsageError
from stacks import artifact

UP_BY_DEFAULT = ("aws", "gcp")


def up(
    home: Home,
    names: Sequence[str] = UP_BY_DEFAULT,
    *,
    auth: str | None = None,
    refresh: bool = False,
    rollout: str = "100",
    pinned: str = "build",
    verbose: bool = False,
) -> None:
    """Brings the stacks up, starts the clouds if necessary, and prints the stacks' URLs.

    With `auth`, the app requires tokens from the laptop's issuer. With `refresh`, the engine reads the clouds' state
    first, and repairs drift. `rollout` and `pinned` are the stacks' keys `rollout` and `artifact`. `verbose` prints the
    engine's full output. Deletes old versions of Lambda functions, as `make prune` does.
    """
    names = stack_files.check(names)
    if not re.fullmatch("[1-9][0-9]?|100", rollout):
        raise LocalError(f"ROLLOUT is {rollout!r}: it takes 1 to 100, in percent")
    if not re.fullmatch("build|sha256:[0-9a-f]{64}", pinned):
        raise LocalError(f"ARTIFACT is {pinned!r}: it takes one of the releases in `make outputs`, sha256:...")
    engine.warm_up()
    with home.exclusive():
        say(f"artifact {artifact.build(ROOT).digest if pinned == 'build' else pinned}")
        running = _usable_clouds(home)
        with nullcontext() if running else clouds.starting(home):  # new clouds start while the engine opens the stacks
            stacks = [engine.open_stack(home, name) for name in names]
            daemon = running or clouds.wait_until_started(home)
            settings = {"rollout": rollout, "artifact": pinned} | (_auth_settings(daemon) if auth else {})
            at_once(stacks, lambda stack: engine.configure(stack, daemon, settings))

        def bring_up(stack: auto.Stack) -> auto.UpResult:
            with engine.changing(home, stack), shown(home, stack, verbose=verbose) as arguments:
                return stack.up(refresh=refresh, policy_packs=[engine.POLICY_PACK], **arguments)

        results = side_by_side(home, stacks, "up", bring_up)
        outputs = [{key: output.value for key, output in result.outputs.items()} for result in results]
        for name, values in zip(names, outputs, strict=True):
            _prune(name, values, daemon)
    for name, values in zip(names, outputs, strict=True):
        _print_result(name, values, rollout)


def _usable_clouds(home: Home) -> Daemon | None:
    """The running clouds, if any. Stops those that do not work or may not match the state of their stacks.

    The clouds exist only in memory, so the state is worthless without them, and `clouds.starting` removes it.
    """
    daemon = clouds.usable(home)
    if daemon and engine.has_lost_track(home):
        say(f"{engine.CUT_OFF}: starting the clouds afresh")
        clouds.stop(home)
        return None
    return daemon


def _auth_settings(daemon: Daemon) -> dict[str, str]:
    return {"auth": daemon.issuer, "authAudience": engine.AUDIENCE}


def _prune(name: str, outputs: Mapping[str, Any], daemon: Daemon) -> None:
    if outputs["cloud"] == "aws":
        from ops.prune import prune  # late, because importing botocore takes 0.2 s

        try:
            for line in prune(Stack(f"stack {name}", outputs, daemon.aws)):
                say(f"{name} | {line}")
        except UsageError as error:
            raise LocalError(str(error)) from None


def _print_result(name: str, outputs: Mapping[str, Any], rollout: str) -> None:
    print("  ".join([name, *(outputs[key] for key in ("url", "persistence", "artifactDigest"))]))
    if outputs["stableRevision"] != outputs["revision"]:
        print(f"{name}  {100 - int(rollout)} % of the requests still go to {outputs['stableDigest']}")
    elif rollout != "100":
        print(f"{name}  ROLLOUT={rollout} has nothing to roll out: this version has all requests already")


def preview(home: Home, name: str) -> None:
    """Shows what `up` would change in the stack. Needs no running clouds."""
    stack_files.check([name])
    with home.exclusive():
        daemon = clouds.running(home)
        if not daemon:
            home.forget()
        else:
            _refuse_if_cut_off(home)
        engine.warm_up()
        artifact.build(ROOT)
        stack = engine.open_stack(home, name)
        engine.configure(stack, daemon)
        side_by_side(home, [stack], "preview", _preview)


def _refuse_if_cut_off(home: Home) -> None:
    if engine.has_lost_track(home):
        raise LocalError(f"{engine.CUT_OFF}: `make up` starts the clouds afresh")


def _preview(stack: auto.Stack) -> None:
    out, err = unless_interrupted(print), unless_interrupted(say)
    stack.preview(policy_packs=[engine.POLICY_PACK], diff=True, color="never", on_output=out, on_error=err)


def drift(home: Home, name: str) -> None:
    """Prints a line for each difference between the clouds and the stack's last `up`.

    Changes neither the state nor the clouds. Raises LocalError if anything has drifted.
    """
    stack_files.known([name])
    with home.exclusive():
        clouds.required(home)
        _refuse_if_cut_off(home)
        stack = engine.one_that_is_up(home, name)
        if name in home.unfinished():
            raise LocalError(
                f"the last change of stack {name} failed or was cut off: `make up STACK={name}` completes it"
            )
        [drifted] = side_by_side(home, [stack], "drift", find_drift)
        print(*drifted or [f"stack {name} has not drifted"], sep="\n")
        if drifted:
            raise LocalError(f"stack {name} has drifted: `make up STACK={name} REFRESH=1` repairs it")


def outputs(home: Home) -> None:
    """Prints the outputs of all stacks as one JSON object, keyed by stack name."""
    clouds.required(home)
    print(json.dumps(engine.outputs(home), indent=2))


def token(home: Home, user: str, *, admin: bool = False) -> None:
    """Prints a token from the laptop's issuer for the user."""
    daemon = clouds.required(home)
    claims = {"sub": user, "scope": "users:admin" if admin else ""}
    with urllib.request.urlopen(daemon.issuer + "/tokens", json.dumps(claims).encode(), timeout=5) as answer:
        print(json.load(answer)["token"])
