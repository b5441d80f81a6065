"""What the Makefile's targets do on the laptop's clouds. Each works in one home."""

import json
import re
import urllib.request
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

from pulumi import automation as auto

from local.cli import clouds, engine, stack_files
from local.cli.clouds import Daemon
from local.cli.drift import find_drift
from local.cli.engine_output import shown
from local.cli.engine_runs import at_once, side_by_side, unless_interrupted
from local.cli.home import ROOT, Home, LocalError
from local.cli.tools import say
from stacks import artifact

UP_BY_DEFAULT = ("aws", "gcp")
CUT_OFF = "an earlier run was killed in the middle of a change, or its state is gone"


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
    """Brings the stacks up, starting the clouds if need be, and prints their URLs.

    With `auth` the app asks for tokens of the laptop's issuer. With `refresh` the engine asks the clouds first, and
    mends what has drifted. `rollout` and `pinned` are the stacks' keys `rollout` and `artifact`. With `verbose` the
    engine says all that it does.
    """
    names = stack_files.check(names)
    if not re.fullmatch("[1-9][0-9]?|100", rollout):
        raise LocalError(f"ROLLOUT is {rollout!r}: it takes 1 to 100, in percent")
    if not re.fullmatch("build|sha256:[0-9a-f]{64}", pinned):
        raise LocalError(f"ARTIFACT is {pinned!r}: it takes sha256:... of what `make outputs` has among the releases")
    engine.warm_up()
    with home.exclusive():
        say(f"artifact {artifact.build(ROOT).digest if pinned == 'build' else pinned}")
        with _clouds(home) as wait_for_daemon:
            stacks = [engine.open_stack(home, name) for name in names]
            daemon = wait_for_daemon()
            settings = {"rollout": rollout, "artifact": pinned} | (_asking(daemon) if auth else {})
            at_once(stacks, lambda stack: engine.configure(stack, daemon, settings))

        def bring_up(stack: auto.Stack) -> auto.UpResult:
            with engine.changing(home, stack), shown(home, stack, verbose=verbose) as arguments:
                return stack.up(refresh=refresh, policy_packs=[engine.POLICY_PACK], **arguments)

        results = side_by_side(home, stacks, "up", bring_up)
    for name, result in zip(names, results, strict=True):
        told = {key: output.value for key, output in result.outputs.items()}
        print("  ".join([name, *(told[key] for key in ("url", "persistence", "artifactDigest"))]))
        if told["stableRevision"] != told["revision"]:
            print(f"{name}  {100 - int(rollout)} % of the requests still go to {told['stableDigest']}")
        elif rollout != "100":
            print(f"{name}  ROLLOUT={rollout} has nothing to roll out: this version has all requests already")


def _asking(daemon: Daemon) -> dict[str, str]:
    return {"auth": daemon.issuer, "authAudience": engine.AUDIENCE}


@contextmanager
def _clouds(home: Home) -> Generator[Callable[[], Daemon]]:
    """A wait for the daemon: clouds live in memory, so the state of their stacks ends with them.

    It is started if need be, and started afresh if it is of no use or if the state does not tell the truth about it.
    """
    daemon = clouds.usable(home)
    if daemon and engine.has_lost_track(home):
        say(f"{CUT_OFF}: starting the clouds afresh")
        clouds.stop(home)
        daemon = None
    if daemon:
        yield lambda: daemon
    else:
        with clouds.starting(home) as wait_for_daemon:
            yield wait_for_daemon


def preview(home: Home, name: str) -> None:
    """Shows what an `up` of the stack would change. Needs no running clouds."""
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
        raise LocalError(f"{CUT_OFF}: `make up` starts the clouds afresh")


def _preview(stack: auto.Stack) -> None:
    out, err = unless_interrupted(print), unless_interrupted(say)
    stack.preview(policy_packs=[engine.POLICY_PACK], diff=True, color="never", on_output=out, on_error=err)


def down(home: Home, *, verbose: bool = False) -> None:
    """Destroys every stack with the engine, then ends the clouds."""
    with home.exclusive():
        daemon = clouds.usable(home)
        if daemon and not engine.has_lost_track(home):
            _destroy(home, engine.stacks_up(home), verbose)
        _end(home)
        say("the laptop's clouds are gone" if daemon else "the laptop's clouds were not running")


def _end(home: Home) -> None:
    clouds.stop(home)
    home.forget()


def destroy(home: Home, names: Sequence[str], *, verbose: bool = False) -> None:
    """Destroys the stacks with the engine; the clouds and the other stacks stay up.

    After an engine or a plugin was killed nobody knows what the clouds hold, so all of them go.
    """
    names = stack_files.known(names)
    with home.exclusive():
        clouds.required(home)
        if engine.has_lost_track(home):
            _end(home)
            say(f"{CUT_OFF}: the laptop's clouds are gone, with all stacks")
        else:
            _destroy(home, [engine.one_that_is_up(home, name) for name in names], verbose)


def _destroy(home: Home, stacks: list[auto.Stack], verbose: bool) -> None:
    """Raises LocalError before anything is deleted if one of the stacks is protected: by its state, not its file."""
    answers = zip(stacks, at_once(stacks, engine.is_protected), strict=True)
    if protected := [stack.name for stack, is_protected in answers if is_protected]:
        files = ", ".join(f"Pulumi.{name}.yaml" for name in protected)
        way = f"set better-together:environment to development in {files}, `make up STACK='{' '.join(protected)}'`"
        raise LocalError(f"nothing was deleted, {', '.join(protected)} protected: {way}, then try again")

    def take_down(stack: auto.Stack) -> None:
        with engine.changing(home, stack), shown(home, stack, verbose=verbose) as arguments:
            stack.destroy(remove=True, **arguments)

    side_by_side(home, stacks, "destroy", take_down)


def drift(home: Home, name: str) -> None:
    """Asks the clouds, and prints a line for everything that is not as the stack's last `up` left it.

    Neither the state nor the clouds are changed. Raises LocalError if something moved.
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
        moved: list[str] = []
        side_by_side(home, [stack], "drift", lambda stack: moved.extend(find_drift(stack)))
        print(*moved or [f"stack {name} is as its last up left it"], sep="\n")
        if moved:
            raise LocalError(f"stack {name} has drifted: `make up STACK={name} REFRESH=1` mends it")


def outputs(home: Home) -> None:
    """Prints the outputs of all stacks as one JSON object keyed by stack name."""
    clouds.required(home)
    print(json.dumps(engine.outputs(home), indent=2))


def token(home: Home, user: str, *, admin: bool = False) -> None:
    """Prints a token of the laptop's issuer for the user."""
    daemon = clouds.required(home)
    wanted = {"sub": user, "scope": "users:admin" if admin else ""}
    with urllib.request.urlopen(daemon.issuer + "/tokens", json.dumps(wanted).encode(), timeout=5) as answer:
        print(json.load(answer)["token"])
