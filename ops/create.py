"""Makes stacks with a time to live, from the file of their cloud's development stack."""

from typing import Any

import yaml

from ops.names import expiry, stacks_of, template, with_file
from ops.stack import ROOT, Stack, UsageError, is_in_backend, project_key, pulumi


def create(name: str, hours: str) -> list[dict[str, str]]:
    """Write the files of the stacks that the name means, and make those that the backend lacks. Deploys nothing.

    For a stack that has a time to live already, it sets the time anew. Returns the name, expiry and file of each stack.
    Raises UsageError.
    """
    expires, files = expiry(hours), with_file()
    return [(_renewed if stack in files else _new)(stack, expires) for stack in stacks_of(name, files)]


def _renewed(name: str, expires: str) -> dict[str, str]:
    content, key = Stack(name, {}).file(), project_key("expires")
    if content["config"].get(key, "none") == "none":
        raise UsageError(f"Pulumi.{name}.yaml has no {key}, so the stack is permanent: take another name")
    is_there = is_in_backend(name)
    written = _write(name, content, expires)
    if not is_there:
        _init(name, content)
    return written


def _new(name: str, expires: str) -> dict[str, str]:
    """Copies secrets with the CLI, since each stack has its own key; a provider of keys can be that of both."""
    origin = name.partition("-")[0]
    content = Stack(origin, {}).file()
    config = template(content["config"])
    secrets = [key for key, value in config.items() if isinstance(value, dict) and "secure" in value]
    plain = {key: value for key, value in config.items() if key not in secrets}
    shared = {key: content[key] for key in ("secretsprovider",) if key in content}
    is_there = is_in_backend(name)
    written = _write(name, shared | {"config": plain}, expires)
    try:
        if not is_there:
            _init(name, shared)
        for key in secrets:
            pulumi("config", "cp", key, "--stack", origin, "--dest", name)
    except BaseException:  # also Ctrl-C: the next time, a file that is there counts as complete
        (ROOT / written["file"]).unlink()
        raise
    return written


def _write(name: str, content: dict[str, Any], expires: str) -> dict[str, str]:
    config = content["config"] | {project_key("expires"): expires}
    path = ROOT / f"Pulumi.{name}.yaml"
    unfinished = path.with_name(f".{path.name}")
    try:
        unfinished.write_text(yaml.safe_dump(content | {"config": config}))
        unfinished.replace(path)  # at once, since the file has the only copy of the stack's salt and secrets
    except OSError as error:
        raise UsageError(f"{path.name} cannot be written: {error.strerror}") from None
    return {"stack": name, "expires": expires, "file": path.name}


def _init(name: str, content: dict[str, Any]) -> None:
    provider = ["--secrets-provider", content["secretsprovider"]] if "secretsprovider" in content else []
    pulumi("stack", "init", name, "--no-select", *provider)
