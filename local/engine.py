"""The real Pulumi engine on the laptop's clouds: unmodified stacks, real state, stand-in provider plugins."""

import importlib
import json
import runpy
import shutil
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from pulumi import automation as auto

from local import policy, providers
from local.home import ROOT, Daemon, Home, LocalError
from local.tools import pulumi

PROJECT = "better-together"
PASSPHRASE = "laptop"  # what it protects is the key of the laptop's own Momento
NO_KEY = "no-key-without-clouds"  # not a word that errors use: the engine writes [secret] wherever it stands
GCP_PROJECT = "better-together-laptop"
AUDIENCE = "better-together"  # of the tokens of the laptop's issuer
_importing = threading.Lock()  # the SDKs import their modules lazily, which is not safe from several threads


def stacks() -> list[str]:
    """The stacks that the checkout has a file for: Pulumi.<stack>.yaml."""
    return sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))


def warm_up() -> None:
    """Imports the stacks and their clouds' SDKs, which take seconds, while the caller waits for the engine."""

    def work() -> None:
        with _importing, suppress(Exception):  # the stack's own run tells what is wrong with it
            for module in ("stacks.aws", "stacks.gcp"):
                importlib.import_module(module)

    threading.Thread(target=work).start()


def stacks_with_state(home: Home) -> list[str]:
    return [stack.name for stack in _workspace(home).list_stacks()]


def open_stack(home: Home, name: str) -> auto.Stack:
    """The engine's stack, made if need be, with the settings of the checkout's stack file."""
    workspace = _workspace(home)
    _lay_out(home, name)
    return auto.Stack.create_or_select(name, workspace)


def configure(stack: auto.Stack, daemon: Daemon | None, settings: Mapping[str, str] = MappingProxyType({})) -> None:
    """Adds what a person with accounts would set by hand, and the project's own `settings` over the stack file's.

    Without a daemon it is good for previews alone.
    """
    key = daemon.momento_api_key if daemon else NO_KEY
    stack.set_all_config(
        {
            "momento:apiKey": auto.ConfigValue(key, secret=True),
            "momento:endpoint": auto.ConfigValue(daemon.momento if daemon else "http://127.0.0.1:0"),
            f"{PROJECT}:momentoApiKey": auto.ConfigValue(key, secret=True),
            **({"gcp:project": auto.ConfigValue(GCP_PROJECT)} if _is_on_gcp(stack.name) else {}),
            **{f"{PROJECT}:{key}": auto.ConfigValue(value) for key, value in settings.items()},
        }
    )


def was_cut_off(stack: auto.Stack) -> bool:
    """Whether an earlier run died while it changed the clouds, so that the state no longer tells the truth.

    The caller holds the home: a lock that is still there is a dead run's, and is taken away.
    """
    stack.cancel()
    return bool((stack.export_stack().deployment or {}).get("pending_operations"))


def is_protected(stack: auto.Stack) -> bool:
    """Whether the engine refuses to destroy the stack: something in it is protected."""
    resources = (stack.export_stack().deployment or {}).get("resources", [])
    return any(resource.get("protect") for resource in resources)


def outputs(home: Home) -> dict[str, dict[str, Any]]:
    """Every stack's outputs by stack name; secret ones read "[secret]"."""
    workspace = _workspace(home)
    environment = {**workspace.env_vars, "PULUMI_HOME": str(home.pulumi_home)}

    def ask(stack: str) -> dict[str, Any]:
        # workspace.stack_outputs() would decrypt them, which takes as long again.
        command = ["stack", "output", "--json", "--stack", stack]
        return json.loads(pulumi().run(command, str(home.workspace), environment).stdout)

    return {stack.name: ask(stack.name) for stack in workspace.list_stacks()}


def _workspace(home: Home) -> auto.LocalWorkspace:
    for folder in (home.workspace, home.pulumi_home, home.state):
        folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "Pulumi.yaml", home.workspace)
    return auto.LocalWorkspace(
        work_dir=str(home.workspace),
        pulumi_home=str(home.pulumi_home),
        pulumi_command=pulumi(),
        program=_program,
        env_vars={
            "BETTER_TOGETHER_HOME": str(home.path),
            # With metadata the engine writes each file's attributes in place: a program that reads its stack's outputs
            # meanwhile, as ours does, may find half of them (https://pkg.go.dev/gocloud.dev/blob/fileblob).
            "PULUMI_BACKEND_URL": f"{home.state.as_uri()}?metadata=skip",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        },
    )


def _program() -> None:
    with _importing:
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")


def _lay_out(home: Home, name: str) -> None:
    """Puts plugins and project files in place. The engine writes into stack files, so it works on copies."""
    providers.install(home.pulumi_home)
    policy.install(home.pulumi_home)
    plugin = home.workspace / "pulumi_momento"
    if not plugin.exists():
        plugin.symlink_to(ROOT / "pulumi_momento")
    copy = home.workspace / f"Pulumi.{name}.yaml"
    salt = {k: v for k, v in _settings(copy).items() if k == "encryptionsalt"}
    copy.write_text(yaml.safe_dump(_settings(ROOT / copy.name) | salt))


def _is_on_gcp(name: str) -> bool:
    return _settings(ROOT / f"Pulumi.{name}.yaml").get("config", {}).get(f"{PROJECT}:cloud") == "gcp"


def _settings(path: Path) -> dict[str, Any]:
    """Raises LocalError if the file is not YAML, also for a number of more digits than Python reads."""
    try:
        return yaml.safe_load(path.read_text()) or {} if path.exists() else {}
    except (yaml.YAMLError, ValueError) as error:
        raise LocalError(f"{path.name} cannot be read: {' '.join(str(error).split())}") from None
