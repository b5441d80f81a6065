"""Runs the real Pulumi engine on the laptop's clouds: unmodified stacks, real state, fake provider plugins."""

import copy
import importlib
import json
import runpy
import threading
from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from pulumi import automation as auto

from local import providers
from local.cli import stack_files
from local.cli.clouds import Daemon
from local.cli.home import ROOT, Home, LocalError
from local.cli.tools import pulumi

PROJECT = "better-together"
PASSPHRASE = "laptop"  # protects only the key of the laptop's Momento
NO_KEY = "no-key-without-clouds"  # not a common word, since the engine replaces it with [secret] in all output
GCP_PROJECT = "better-together-laptop"
PLUGIN_DIED = "exited prematurely"  # in the engine's error
CUT_OFF = "an earlier run was killed in the middle of a change, or its state is gone"
AUDIENCE = "better-together"  # of the laptop's issuer's tokens
# An engine built from its Go module has no language host for Python, but can run executables.
POLICY_PACK = str(ROOT / "policy" / "start")
_importing = threading.Lock()  # the SDKs import their modules lazily, which is not safe from several threads


def warm_up() -> None:
    """Imports the stacks and the SDKs, which takes seconds, in the background."""

    def work() -> None:
        with _importing, suppress(Exception):  # the stack's run reports the error
            for module in ("stacks.aws", "stacks.gcp"):
                importlib.import_module(module)

    threading.Thread(target=work).start()


def open_stack(home: Home, name: str) -> auto.Stack:
    """The engine's stack, created if necessary, with the plain config of the stack file. Raises LocalError."""
    return _stack(home, name, stack_files.plain_config(name))


def stacks_up(home: Home, names: Collection[str] | None = None) -> list[auto.Stack]:
    """The stacks that are up, or those of `names` that are. Their stack files are not read, and may be broken."""
    existing = [stack.name for stack in _workspace(home).list_stacks()]
    return [_stack(home, name, {}) for name in existing if names is None or name in names]


def one_that_is_up(home: Home, name: str) -> auto.Stack:
    """The stack. Raises LocalError if it is not up."""
    if not (found := stacks_up(home, [name])):
        raise LocalError(f"stack {name} is not up: `make up STACK={name}`")
    return found[0]


def _stack(home: Home, name: str, config: Mapping[str, Any]) -> auto.Stack:
    """Gives the engine a copy of the stack file, since it writes to it."""
    workspace = _workspace(home)
    providers.install(home.pulumi_home)
    settings = {"config": dict(config), "encryptionsalt": stack_files.SALT}
    (home.workspace / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump(settings))
    return auto.Stack.create_or_select(name, workspace)


def configure(stack: auto.Stack, daemon: Daemon | None, settings: Mapping[str, str] = MappingProxyType({})) -> None:
    """Sets what a person with accounts would set by hand, and `settings`, which override the stack file's keys.

    Without a daemon, only previews work.
    """
    key = daemon.momento_api_key if daemon else NO_KEY
    is_on_gcp = stack_files.plain_config(stack.name).get(f"{PROJECT}:cloud") == "gcp"
    stack.set_all_config(
        {
            "momento:apiKey": auto.ConfigValue(key, secret=True),
            "momento:endpoint": auto.ConfigValue(daemon.momento if daemon else "http://127.0.0.1:0"),
            f"{PROJECT}:momentoApiKey": auto.ConfigValue(key, secret=True),
            **({"gcp:project": auto.ConfigValue(GCP_PROJECT)} if is_on_gcp else {}),
            **{f"{PROJECT}:{key}": auto.ConfigValue(value) for key, value in settings.items()},
        }
    )


@contextmanager
def changing(home: Home, stack: auto.Stack) -> Generator[None]:
    """Marks the stack as unfinished while the engine changes it, and records if a plugin dies."""
    with home.changing(stack.name) as mark:
        try:
            yield
        except auto.errors.CommandError as error:
            if PLUGIN_DIED in str(error):
                mark.write_text(PLUGIN_DIED)
            raise


def has_lost_track(home: Home) -> bool:
    """Whether the state may not match the running clouds, because an engine or a plugin was killed while it changed
    them, or because the state was removed or broken.

    A stack's state is a JSON file (https://www.pulumi.com/docs/iac/concepts/state-and-backends/#local-filesystem).
    """
    if not home.state.exists() or any(home.unfinished().values()):
        return True
    for path in home.state.glob(".pulumi/stacks/*/*.json"):
        try:
            latest = json.loads(path.read_text())["checkpoint"]["latest"]
        except (ValueError, KeyError, TypeError):
            return True
        if latest and latest.get("pending_operations"):
            return True
    return False


def is_protected(stack: auto.Stack) -> bool:
    """Whether the engine refuses to destroy the stack, because one of its resources is protected."""
    resources = (stack.export_stack().deployment or {}).get("resources", [])
    return any(resource.get("protect") for resource in resources)


def outputs(home: Home) -> dict[str, dict[str, Any]]:
    """All stacks' outputs, by stack name; secret ones are "[secret]"."""
    workspace = _workspace(home)
    environment = {**workspace.env_vars, "PULUMI_HOME": str(home.pulumi_home)}

    def ask(stack: str) -> dict[str, Any]:
        # workspace.stack_outputs() would also decrypt them, which takes twice as long.
        command = ["stack", "output", "--json", "--stack", stack]
        return json.loads(_command().run(command, str(home.workspace), environment).stdout)

    return {stack.name: ask(stack.name) for stack in workspace.list_stacks()}


def _workspace(home: Home) -> auto.LocalWorkspace:
    for folder in (home.workspace, home.pulumi_home, home.state):
        folder.mkdir(parents=True, exist_ok=True)
    for name in ("Pulumi.yaml", "pulumi_momento"):
        link = home.workspace / name
        if not link.is_symlink() or link.readlink() != ROOT / name:  # another checkout may have worked in this home
            link.unlink(missing_ok=True)
            link.symlink_to(ROOT / name)
    return auto.LocalWorkspace(
        work_dir=str(home.workspace),
        pulumi_home=str(home.pulumi_home),
        pulumi_command=_command(),
        program=_program,
        env_vars={
            "BETTER_TOGETHER_HOME": str(home.path),
            "PULUMI_COMMAND": pulumi().command,
            # Without this, the engine writes files of metadata non-atomically, and a program that reads its stack's
            # outputs meanwhile, as ours does, may see half a file (https://pkg.go.dev/gocloud.dev/blob/fileblob).
            "PULUMI_BACKEND_URL": f"{home.state.as_uri()}?metadata=skip",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        },
    )


@cache
def _command() -> auto.PulumiCommand:
    command = copy.copy(pulumi())
    command.command = str(Path(__file__).with_name("engine.sh"))
    return command


def _program() -> None:
    with _importing:
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")
