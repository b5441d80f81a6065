"""Brings a stack back into use after its update was killed: removes the lock, and settles what was under way."""

import json
import re
import socket
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ops import engine
from ops.holder import has_ended
from ops.stack import Stack, UsageError, cli, pulumi
from ops.terminal import say

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
    pending = _pending(Stack(name, {}).state())
    unlocked = _refresh(name, force=force)
    unknown = _settle(name)
    settled = [title for resource in pending if (title := _title(resource)) not in unknown]
    return {"unlocked": unlocked, "settled": settled, "unknown": unknown, "next": _next(name, unknown)}


def _pending(state: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The resources whose operations are pending."""
    return [operation["resource"] for operation in state.get("pending_operations") or ()]


def _refresh(name: str, *, force: bool) -> list[str]:
    """Read all resources from the cloud, which settles every pending operation but creations.

    Returns the holders whose locks it had to remove.
    """
    unlocked: list[str] = []
    while True:
        try:
            _run("refresh", "--yes", "--skip-preview", "--skip-pending-creates", "--stack", name)
        except engine.UpFailed as error:
            if not engine.LOCKED.search(str(error)):
                raise
            unlocked += _unlock(name, error.output, force=force)
        else:
            return unlocked


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


def _settle(name: str) -> list[str]:
    """Take over what was being created, as far as it is there. Returns the resources that it cannot look for.

    `pulumi refresh --import-pending-creates` of 3.274 forgets the resources that it should import, so those whose ids
    follow from their names are put into the state, from which a refresh removes them again if they are not there.

    Nothing locks the stack from the export to the import. An update that ends in between, and so loses its state, would
    have held the lock during the refresh that comes before.
    """
    content = json.loads(pulumi("stack", "export", "--stack", name))
    state = content["deployment"]
    resources: list[dict[str, Any]] = state.get("resources") or []
    creates = _pending(state)  # a refresh settles all else
    there = {resource["urn"] for resource in resources}  # also what a new resource was to replace
    known = [one | {"id": id} for one in creates if (id := _id(one)) and one["urn"] not in there]
    found = {resource["urn"] for resource in known}
    unknown = [_title(resource) for resource in creates if resource["urn"] not in found]
    if unknown:
        say(_search(unknown))
    if creates:
        state["resources"] = resources + known
        with engine.temporary() as folder:
            (file := folder / "state.json").write_text(json.dumps(content))
            _run("stack", "import", "--stack", name, "--file", str(file))  # drops the pending operations
    if known:
        _run("refresh", "--yes", "--skip-preview", "--stack", name)
    return unknown


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
    return f"left to do: {_search(unknown)}, then {up}" if unknown else f"left to do: {up}"


def _search(unknown: list[str]) -> str:
    return f"look in the cloud for {', '.join(unknown)}, which the stack does not know"
