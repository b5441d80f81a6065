"""The commands that read stacks; bring_up.py and destruction.py have the others. Each works in one home."""

import json
import urllib.request

from pulumi import automation as auto

from local.cli import clouds, engine, stack_files, state
from local.cli.bring_up import build_for, given_settings, refuse_if_cut_off
from local.cli.drift import find_drift
from local.cli.engine_runs import side_by_side, unless_interrupted
from local.cli.home import Home, LocalError
from local.cli.tools import say


def preview(home: Home, name: str, *, artifact: str | None = None) -> None:
    """Shows what `up` would change in the stack. Needs no running clouds."""
    stack_files.check([name])
    given = given_settings(artifact=artifact)
    with home.exclusive():
        daemon = clouds.running(home)
        if not daemon:
            home.forget()
        else:
            refuse_if_cut_off(home)
        engine.warm_up([name])
        build_for([name], given)
        stack = engine.open_stack(home, name)
        engine.configure(stack, daemon, given)
        side_by_side(home, [stack], "preview", _preview)


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
        refuse_if_cut_off(home)
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
    print(json.dumps(state.outputs(home), indent=2))


def token(home: Home, user: str, *, admin: bool = False) -> None:
    """Prints a token from the laptop's issuer for the user."""
    daemon = clouds.required(home)
    claims = {"sub": user, "scope": "users:admin" if admin else ""}
    with urllib.request.urlopen(daemon.issuer + "/tokens", json.dumps(claims).encode(), timeout=5) as answer:
        print(json.load(answer)["token"])
