"""What the Makefile's targets do on the laptop's clouds. Each works in one home."""

import json
import signal
import sys
import urllib.request
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypedDict

from pulumi import automation as auto

from local import engine, policy
from local.home import ROOT, Daemon, Home, LocalError
from local.tools import say
from stacks import artifact

UP_BY_DEFAULT = ["aws", "gcp"]


def up(home: Home, auth: bool = False) -> None:
    """Brings both stacks up, starting the clouds if need be, and prints their URLs.

    With `auth` the app asks for tokens of the laptop's issuer.
    """
    with home.exclusive():
        say(f"artifact {artifact.build(ROOT).digest}")
        daemon = _running_clouds(home)
        stacks = _open(home)
        for stack in stacks:
            engine.configure(stack, daemon, daemon.issuer if auth else "")
        _side_by_side(stacks, "up", lambda stack: stack.up(policy_packs=[policy.PACK], **_shown(stack)))
        for name, outputs in engine.outputs(home).items():
            print(f"{name}  {outputs['url']}  {outputs['persistence']}  {outputs['artifactDigest']}")


def _running_clouds(home: Home) -> Daemon:
    """The daemon, with a state that belongs to it: clouds live in memory, so they end together."""
    daemon = home.daemon()
    if daemon and any(engine.was_cut_off(stack) for stack in _open(home)):
        say("an earlier run was cut off in the middle of a change: starting the clouds afresh")
        home.stop_daemon(daemon)
        daemon = None
    if not daemon:
        home.forget()
        daemon = home.start_daemon()
        say(f"clouds started: process {daemon.pid}, Firestore {daemon.firestore_kind}")
    return daemon


def preview(home: Home, name: str) -> None:
    """Shows what an `up` of the stack would change. Needs no running clouds."""
    if name not in engine.stacks():
        raise LocalError(f"there is no stack {name!r}: no Pulumi.{name}.yaml; there are {', '.join(engine.stacks())}")
    with home.exclusive():
        daemon = home.daemon()
        if not daemon:
            home.forget()
        artifact.build(ROOT)
        stack = engine.open_stack(home, name)
        engine.configure(stack, daemon)
        _side_by_side([stack], "preview", _preview)


def _preview(stack: auto.Stack) -> None:
    stack.preview(policy_packs=[policy.PACK], diff=True, color="never", on_output=print, on_error=say)


def down(home: Home) -> None:
    """Destroys every stack with the engine, then ends the clouds."""
    with home.exclusive():
        daemon = home.daemon()
        if daemon:
            stacks = [engine.open_stack(home, name) for name in engine.stacks_with_state(home)]
            _side_by_side(stacks, "destroy", lambda stack: stack.destroy(**_shown(stack)))
            home.stop_daemon(daemon)
        home.forget()
        say("the laptop's clouds are gone" if daemon else "the laptop's clouds were not running")


def outputs(home: Home) -> None:
    """Prints the outputs of all stacks as one JSON object keyed by stack name."""
    if not home.daemon():
        raise LocalError("the laptop's clouds are not running: `make up` starts them")
    print(json.dumps(engine.outputs(home), indent=2))


def token(home: Home, user: str, admin: bool) -> None:
    """Prints a token of the laptop's issuer for the user."""
    daemon = home.daemon()
    if not daemon:
        raise LocalError("the laptop's clouds are not running: `make up AUTH=laptop` starts them")
    wanted = {"sub": user, "scope": "users:admin" if admin else ""}
    with urllib.request.urlopen(daemon.issuer + "/tokens", json.dumps(wanted).encode(), timeout=5) as answer:
        print(json.load(answer)["token"])


def _open(home: Home) -> list[auto.Stack]:
    return [engine.open_stack(home, name) for name in UP_BY_DEFAULT]


def _side_by_side(stacks: list[auto.Stack], what: str, work: Callable[[auto.Stack], object]) -> None:
    """Does the same to all stacks at once. Raises LocalError naming those that failed."""
    with _interrupts_go_to_the_engine() as interrupted, ThreadPoolExecutor(max(1, len(stacks))) as pool:
        failed: list[str] = []
        for stack, future in [(stack, pool.submit(work, stack)) for stack in stacks]:
            try:
                future.result()
            except auto.errors.CommandError:
                failed.append(stack.name)
    if interrupted():
        raise LocalError(f"{what} was interrupted: `make up` goes on from here, `make down` takes all away")
    if failed:
        raise LocalError(f"{what} of stack {' and '.join(failed)} failed: the error is above")


@contextmanager
def _interrupts_go_to_the_engine() -> Generator[Callable[[], bool]]:
    """Ctrl-C reaches the engine too, which ends what it has begun and writes it down: wait for that."""
    seen: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: seen.append(number))
    try:
        yield lambda: bool(seen)
    finally:
        signal.signal(signal.SIGINT, before)


class _Shown(TypedDict):
    color: str
    on_output: Callable[[str], None]
    on_error: Callable[[str], None]


def _shown(stack: auto.Stack) -> _Shown:
    """All that the engine says, on stderr, each line behind the stack's name."""

    def write(line: str) -> None:
        if line.strip():
            sys.stderr.write(f"{stack.name} | {line.rstrip()}\n")  # one write, since the stacks speak at once

    return {"color": "never", "on_output": write, "on_error": write}
