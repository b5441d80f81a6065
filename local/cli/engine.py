"""Runs the real Pulumi engine on the laptop's clouds: unmodified stacks, real state, fake providers."""

import importlib
import runpy
import threading
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from types import MappingProxyType
from typing import Any

from pulumi import automation as auto

from local.cli import stack_files, state, vault
from local.cli.clouds import Daemon
from local.cli.home import ROOT, Home, LocalError
from local.cli.workspace import LaptopStack, LaptopWorkspace
from local.providers.sdk import importing
from ops.stack import project, project_key

NO_KEY = "no-key-without-clouds"  # not a common word, since the engine replaces it with [secret] in all output
GCP_PROJECT = "better-together-laptop"
PLUGIN_DIED = "exited prematurely"  # in the engine's error
CUT_OFF = "an earlier run was killed in the middle of a change, or its state is gone"
AUDIENCE = "better-together"  # of the laptop's issuer's tokens
# An engine built from its Go module has no language host for Python, but can run executables.
POLICY_PACK = str(ROOT / "policy" / "start")


def warm_up(names: Iterable[str]) -> None:
    """Imports what the stacks' programs need, which takes a second or two for each cloud, in the background."""
    clouds = {_cloud(name) for name in names}

    def work() -> None:
        with importing, suppress(Exception):  # the stack's run reports the error
            for cloud in clouds:
                importlib.import_module(f"stacks.{cloud}")

    threading.Thread(target=work).start()


def open_stack(home: Home, name: str) -> auto.Stack:
    """The engine's stack, created if necessary, with the plain config of the stack file. Raises LocalError."""
    return _stack(home, name, stack_files.plain_config(name))


def stacks_up(home: Home) -> list[auto.Stack]:
    """The stacks that are up. Their stack files are not read, and may be broken."""
    return [_stack(home, name, {}) for name, known in state.deployments(home).items() if known.get("resources")]


def one_that_is_up(home: Home, name: str) -> auto.Stack:
    """The stack. Raises LocalError if it is not up, or was only previewed."""
    if not state.resources(home, name):
        raise LocalError(f"stack {name} is not up: `make up STACK={name}`")
    return _stack(home, name, {})


def _stack(home: Home, name: str, config: Mapping[str, Any]) -> auto.Stack:
    """Gives the engine a copy of the stack file, since it writes to it."""
    workspace = LaptopWorkspace(home, _program)
    workspace.write(name, config)
    if not state.exists(home, name):
        state.create(home.state, project(), name)
    return LaptopStack.select(name, workspace)


def configure(stack: auto.Stack, daemon: Daemon | None, settings: Mapping[str, str] = MappingProxyType({})) -> None:
    """Sets what a person with accounts would set by hand, and `settings`, which override the stack file's keys.

    Without a daemon, only previews work.
    """
    workspace = stack.workspace
    assert isinstance(workspace, LaptopWorkspace)
    key = {"secure": vault.encrypted(daemon.momento_api_key if daemon else NO_KEY)}
    given = {
        "momento:apiKey": key,
        "momento:endpoint": daemon.momento if daemon else "http://127.0.0.1:0",
        project_key("momentoApiKey"): key,
        **({"gcp:project": GCP_PROJECT} if _cloud(stack.name) == "gcp" else {}),
        **{project_key(key): value for key, value in settings.items()},
    }
    workspace.write(stack.name, workspace.config(stack.name) | given)


def _cloud(name: str) -> str | None:
    return stack_files.plain_config(name).get(project_key("cloud"))


@contextmanager
def changing(home: Home, stack: auto.Stack) -> Generator[None]:
    """Marks the stack as unfinished while the engine changes it. The mark keeps its text if a provider dies."""
    with home.changing(stack.name) as mark:
        mark.write_text("the command was killed, and its providers with it, or a plugin died")
        try:
            yield
        except BaseException as error:
            if PLUGIN_DIED not in str(error):
                mark.write_text("")
            raise


def has_lost_track(home: Home) -> bool:
    """Whether the state may not match the running clouds, because a command, an engine or a plugin was killed while it
    changed them, or because the state was removed or broken.
    """
    if not home.state.exists() or any(home.unfinished().values()):
        return True
    try:
        return any(known.get("pending_operations") for known in state.deployments(home).values())
    except LocalError:
        return True


def is_protected(home: Home, name: str) -> bool:
    """Whether the engine refuses to destroy the stack, because one of its resources is protected."""
    return any(resource.get("protect") for resource in state.resources(home, name))


def _program() -> None:
    with importing:
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")
