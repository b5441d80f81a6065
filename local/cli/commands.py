"""The commands that read stacks; bring_up.py and destruction.py have the others. Each works in one home."""

import json
from contextlib import closing
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

from pulumi import automation as auto
from pulumi.automation.events import PolicyEvent

from local.cli import clouds, engine, stack_files, state
from local.cli.bring_up import build_for, given_settings, kept_settings, refuse_if_cut_off
from local.cli.drift import find_drift
from local.cli.engine_runs import side_by_side, unless_interrupted
from local.cli.home import Home, LocalError
from ops.terminal import say, say_aside


def preview(
    home: Home, name: str, *, artifact: str | None = None, plan: Path | None = None, policy_log: Path | None = None
) -> None:
    """Shows what `up` would change in the stack, or in those that the name means. Needs no running clouds.

    Writes the engine's plan to the file `plan`, which `apply` takes, and the policy's findings to `policy_log`, one
    JSON object a line. Either takes one stack.
    """
    names = [stack_files.one(name)] if plan or policy_log else stack_files.check([name])
    given = given_settings(artifact=artifact)
    with home.exclusive():
        daemon = clouds.running(home)
        if not daemon:
            home.forget()
        else:
            refuse_if_cut_off(home)
        engine.warm_up(names)
        build_for(names, given)
        for one in names:
            stack = engine.open_stack(home, one)
            kept = kept_settings(home, one, daemon) if plan and daemon else {}
            engine.configure(stack, daemon, kept | given)
            side_by_side(home, [stack], "preview", partial(_preview, plan=plan, policy_log=policy_log))


def _preview(stack: auto.Stack, *, plan: Path | None, policy_log: Path | None) -> None:
    found: list[PolicyEvent] = []
    try:
        stack.preview(
            policy_packs=[engine.POLICY_PACK],
            plan=plan and str(plan),
            diff=True,
            color="never",
            on_output=unless_interrupted(say),
            on_error=unless_interrupted(say_aside),
            on_event=lambda event: found.append(event.policy_event) if event.policy_event else None,
        )
    finally:
        if policy_log:
            lines = [json.dumps({"policyEvent": _as_the_engine_logs(event)}) for event in found]
            policy_log.write_text("".join(f"{line}\n" for line in lines))


def _as_the_engine_logs(found: PolicyEvent) -> dict[str, str | None]:
    """https://pkg.go.dev/github.com/pulumi/pulumi/sdk/v3/go/common/apitype#PolicyEvent"""
    return {
        "resourceUrn": found.resource_urn,
        "message": found.message,
        "policyName": found.policy_name,
        "enforcementLevel": found.enforcement_level,
    }


def drift(home: Home, name: str) -> None:
    """Prints a line for each difference between the clouds and the last `up` of the stack, or of those that it means.

    Changes neither the state nor the clouds. Raises LocalError if anything has drifted.
    """
    names = stack_files.known([name])
    with home.exclusive():
        clouds.required(home)
        refuse_if_cut_off(home)
        stacks = [engine.one_that_is_up(home, one) for one in names]
        if any(one in home.unfinished() for one in names):
            raise LocalError(
                f"the last change of stack {name} failed or was cut off: `make up STACK={name}` completes it"
            )
        drifted = side_by_side(home, stacks, "drift", find_drift)
        for one, lines in zip(names, drifted, strict=True):
            print(*lines or [f"stack {one} has not drifted"], sep="\n")
        if any(drifted):
            raise LocalError(f"stack {name} has drifted: `make up STACK={name} REFRESH=1` repairs it")


def outputs(home: Home) -> None:
    """Prints the outputs of all stacks as one JSON object, keyed by stack name."""
    clouds.required(home)
    print(json.dumps(state.outputs(home), indent=2))


def token(home: Home, user: str, *, admin: bool = False) -> None:
    """Prints a token from the laptop's issuer for the user."""
    daemon = clouds.required(home)
    claims = {"sub": user, "scope": "users:admin" if admin else ""}
    with closing(HTTPConnection(daemon.issuer.removeprefix("http://"), timeout=5)) as issuer:
        issuer.request("POST", "/tokens", json.dumps(claims))
        print(json.load(issuer.getresponse())["token"])
