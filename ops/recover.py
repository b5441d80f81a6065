"""Brings a stack back into use after its update was killed: removes the lock, and settles what was under way."""

import json
import re
import socket
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ops import engine
from ops.holder import has_ended
from ops.report import say
from ops.stack import UsageError, cli, pulumi

# How a backend in a bucket names the holder of a lock.
HOLDER = re.compile(r"created by (?P<user>\S*)@(?P<host>\S+) \(pid (?P<pid>\d+)\) at (?P<time>\S+)")
AT_WORK_FOR = timedelta(hours=1)
"""Another computer's process may be at work for so long, of which a certificate takes most."""

# The types that have a name of the stack's, which a second creation would find taken, and their ids.
IDS = {
    "aws:cloudwatch/logGroup:LogGroup": "{name}",
    "aws:dynamodb/table:Table": "{name}",
    "aws:iam/role:Role": "{name}",
    "aws:lambda/alias:Alias": "{functionName}/{name}",
    "aws:lambda/function:Function": "{name}",
    "aws:ssm/parameter:Parameter": "{name}",
    "gcp:cloudrunv2/service:Service": "{location}/{name}",
    "gcp:firestore/database:Database": "{name}",
    "gcp:logging/metric:Metric": "{name}",
    "gcp:secretmanager/secret:Secret": "{secretId}",
    "momento:index:Cache": "{name}",
}


def recover(name: str, *, force: bool) -> dict[str, Any]:
    """Settle the stack. Returns `unlocked`, the holders whose locks it removed; `settled` and `unknown`, the resources
    whose changes were under way, of which only the providers know what became of the latter; and `next`, what is left.

    Raises UsageError if the holder of a lock may be at work, unless `force`, and engine.UpFailed if a provider fails.
    """
    unlocked: list[str] = []
    while True:
        deployment = json.loads(pulumi("stack", "export", "--stack", name))
        pending: list[dict[str, Any]] = deployment["deployment"].get("pending_operations") or []
        try:
            unknown = _settle(name, deployment, pending)
        except engine.UpFailed as error:
            if not engine.LOCKED.search(str(error)):
                raise
            unlocked += _unlock(name, error.output, force=force)
        else:
            settled = [_title(one["resource"]) for one in pending if _title(one["resource"]) not in unknown]
            return {"unlocked": unlocked, "settled": settled, "unknown": unknown, "next": _next(name, unknown)}


def _unlock(name: str, output: str, *, force: bool) -> list[str]:
    """Remove the stack's locks. Returns their holders."""
    holders = [f"{one['user']}@{one['host']}, process {one['pid']}, since {one['time']}" for one in _holders(output)]
    title = " and ".join(holders) or "an update that Pulumi Cloud does not name"
    if not force and not (holders and all(_is_over(one) for one in _holders(output))):
        raise UsageError(
            f"stack {name} is locked by {title}, which may be at work: wait for it, or use FORCE=1 if it has ended"
        )
    pulumi("cancel", "--yes", "--stack", name)
    say(f"removed the lock of {title}")
    return holders or [title]


def _holders(output: str) -> list[re.Match[str]]:
    return list(HOLDER.finditer(output))


def _is_over(holder: re.Match[str]) -> bool:
    """Whether the holder is a process of this computer that has ended, or has been at work elsewhere for too long."""
    if holder["host"] == socket.gethostname():
        return has_ended(f"{holder['user']}@{holder['host']}:{holder['pid']}")
    return datetime.now(UTC) - datetime.fromisoformat(holder["time"]) > AT_WORK_FOR


def _settle(name: str, deployment: dict[str, Any], pending: list[dict[str, Any]]) -> list[str]:
    """Read from the cloud what the pending operations have done. Returns the resources that it cannot look for.

    `pulumi refresh --import-pending-creates` of 3.274 forgets the resources that it should import, so those whose ids
    follow from their names are put into the state, from which the refresh removes them again if they are not there.
    """
    state = deployment["deployment"]
    resources: list[dict[str, Any]] = state.get("resources") or []
    creates = [one["resource"] for one in pending if one["type"] == "creating"]
    there = {resource["urn"] for resource in resources}  # also what a new resource was to replace
    known = [one | {"id": id} for one in creates if (id := _id(one)) and one["urn"] not in there]
    if known:
        state["resources"] = resources + known
        with tempfile.TemporaryDirectory() as folder:
            (file := Path(folder, "state.json")).write_text(json.dumps(deployment))
            _run("stack", "import", "--stack", name, "--file", str(file))
    # Also without pending operations, which an import drops: it may be that the refresh after one has failed.
    _run("refresh", "--yes", "--skip-preview", "--clear-pending-creates", "--stack", name)
    found = {resource["urn"] for resource in known}
    return [_title(resource) for resource in creates if resource["urn"] not in found]


def _run(*arguments: str) -> None:
    engine.run([cli(), *arguments, "--non-interactive"], PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER="true")


def _id(resource: Mapping[str, Any]) -> str:
    """The id by which the provider reads the resource; empty if it does not follow from its name."""
    try:
        return IDS.get(resource["type"], "").format(**resource.get("inputs", {}))
    except KeyError:
        return ""


def _title(resource: Mapping[str, Any]) -> str:
    return f"{resource['type']} {resource['urn'].rpartition('::')[2]}"


def _next(name: str, unknown: list[str]) -> str:
    up = f"`pulumi up --policy-pack policy -s {name}`"
    if not unknown:
        return f"left to do: {up}"
    return f"left to do: look in the cloud for {', '.join(unknown)}, which the stack does not know, then {up}"
