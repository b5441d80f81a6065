"""What the Makefile's targets do on the laptop's clouds. Each works in one home."""

import json
import urllib.request
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

from pulumi import automation as auto

from local import engine, policy
from local.drift import find_drift
from local.engine_runs import at_once, shown, side_by_side
from local.home import ROOT, Daemon, Home, LocalError
from local.tools import say
from stacks import artifact

UP_BY_DEFAULT = ["aws", "gcp"]
NOT_RUNNING = "the laptop's clouds are not running: `make up` starts them"


def up(home: Home, names: Sequence[str], *, auth: bool, refresh: bool, rollout: int, pinned: str) -> None:
    """Brings the stacks up, starting the clouds if need be, and prints their URLs.

    With `auth` the app asks for tokens of the laptop's issuer. With `refresh` the engine asks the clouds first, and
    mends what has drifted. `rollout` and `pinned` are the stacks' keys `rollout` and `artifact`.
    """
    names = _known(names or UP_BY_DEFAULT)
    engine.warm_up()
    with home.exclusive():
        say(f"artifact {artifact.build(ROOT).digest if pinned == 'build' else pinned}")
        with _clouds(home) as (wait_for_daemon, opened):
            stacks = [opened.get(name) or engine.open_stack(home, name) for name in names]
            daemon = wait_for_daemon()
            settings = {"rollout": str(rollout), "artifact": pinned} | (_asking(daemon) if auth else {})
            at_once(stacks, lambda stack: engine.configure(stack, daemon, settings))
        with home.changing():
            results = side_by_side(
                stacks, "up", lambda stack: stack.up(refresh=refresh, policy_packs=[policy.PACK], **shown(stack))
            )
    for name, result in zip(names, results, strict=True):
        told = {key: output.value for key, output in result.outputs.items()}
        print("  ".join([name, *(told[key] for key in ("url", "persistence", "artifactDigest"))]))
        if told["stableRevision"] != told["revision"]:
            print(f"{name}  {100 - rollout} % of the requests still go to {told['stableDigest']}")


def _asking(daemon: Daemon) -> dict[str, str]:
    return {"auth": daemon.issuer, "authAudience": engine.AUDIENCE}


@contextmanager
def _clouds(home: Home) -> Generator[tuple[Callable[[], Daemon], dict[str, auto.Stack]]]:
    """A wait for the daemon, and the stacks that it has: clouds live in memory, so their stacks' states end with them.

    It is started if need be, and started afresh if the state does not tell the truth about it.
    """
    if daemon := home.daemon():
        opened = _up(home) if home.change_is_unfinished else []
        if not any(at_once(opened, engine.was_cut_off)):
            yield lambda: daemon, {stack.name: stack for stack in opened}
            return
        say("an earlier run was cut off in the middle of a change: starting the clouds afresh")
        home.stop_daemon(daemon)
    home.forget()
    with home.starting_daemon() as wait_for_daemon:
        yield wait_for_daemon, {}


def preview(home: Home, name: str) -> None:
    """Shows what an `up` of the stack would change. Needs no running clouds."""
    _known([name])
    with home.exclusive():
        daemon = home.daemon()
        if not daemon:
            home.forget()
        engine.warm_up()
        artifact.build(ROOT)
        stack = engine.open_stack(home, name)
        engine.configure(stack, daemon)
        side_by_side([stack], "preview", _preview)


def _preview(stack: auto.Stack) -> None:
    stack.preview(policy_packs=[policy.PACK], diff=True, color="never", on_output=print, on_error=say)


def down(home: Home) -> None:
    """Destroys every stack with the engine, then ends the clouds."""
    with home.exclusive():
        daemon = home.daemon()
        if daemon:
            _destroy(home, _up(home))
            home.stop_daemon(daemon)
        home.forget()
        say("the laptop's clouds are gone" if daemon else "the laptop's clouds were not running")


def destroy(home: Home, names: Sequence[str]) -> None:
    """Destroys the stacks with the engine; the clouds and the other stacks stay up."""
    with home.exclusive():
        if not home.daemon():
            raise LocalError(NOT_RUNNING)
        _destroy(home, [_one_that_is_up(home, name) for name in _known(names)])


def _destroy(home: Home, stacks: list[auto.Stack]) -> None:
    """Raises LocalError before anything is deleted if one of the stacks is protected: by its state, not its file."""
    answers = zip(stacks, at_once(stacks, engine.is_protected), strict=True)
    if protected := [stack.name for stack, is_protected in answers if is_protected]:
        files = ", ".join(f"Pulumi.{name}.yaml" for name in protected)
        way = f"set better-together:environment to development in {files}, `make up STACK='{' '.join(protected)}'`"
        raise LocalError(f"nothing was deleted, {', '.join(protected)} protected: {way}, then try again")
    with home.changing():
        side_by_side(stacks, "destroy", lambda stack: stack.destroy(remove=True, **shown(stack)))


def drift(home: Home, name: str) -> None:
    """Asks the clouds, and prints a line for everything that is not as the stack's last `up` left it.

    Neither the state nor the clouds are changed. Raises LocalError if something moved.
    """
    _known([name])
    with home.exclusive():
        if not home.daemon():
            raise LocalError(NOT_RUNNING)
        stack = _one_that_is_up(home, name)
        moved: list[str] = []
        side_by_side([stack], "drift", lambda stack: moved.extend(find_drift(stack)))
        print(*moved or [f"stack {name} is as its last up left it"], sep="\n")
        if moved:
            raise LocalError(f"stack {name} has drifted: `make up STACK={name} REFRESH=1` mends it")


def outputs(home: Home) -> None:
    """Prints the outputs of all stacks as one JSON object keyed by stack name."""
    if not home.daemon():
        raise LocalError(NOT_RUNNING)
    print(json.dumps(engine.outputs(home), indent=2))


def token(home: Home, user: str, admin: bool) -> None:
    """Prints a token of the laptop's issuer for the user."""
    daemon = home.daemon()
    if not daemon:
        raise LocalError("the laptop's clouds are not running: `make up AUTH=laptop` starts them")
    wanted = {"sub": user, "scope": "users:admin" if admin else ""}
    with urllib.request.urlopen(daemon.issuer + "/tokens", json.dumps(wanted).encode(), timeout=5) as answer:
        print(json.load(answer)["token"])


def _known(names: Sequence[str]) -> Sequence[str]:
    """Raises LocalError if the checkout lacks one of the stacks."""
    for name in names:
        if name not in engine.stacks():
            there = ", ".join(engine.stacks())
            raise LocalError(f"there is no stack {name!r}: no Pulumi.{name}.yaml; there are {there}")
    return names


def _up(home: Home) -> list[auto.Stack]:
    return [engine.open_stack(home, name) for name in engine.stacks_with_state(home)]


def _one_that_is_up(home: Home, name: str) -> auto.Stack:
    """Raises LocalError if the stack is not up."""
    if name not in engine.stacks_with_state(home):
        raise LocalError(f"stack {name} is not up: `make up STACK={name}`")
    return engine.open_stack(home, name)
