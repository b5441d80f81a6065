"""The names of stacks. A stack without a file is made from the file of its cloud's development stack."""

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ops.holder import deadline
from ops.stack import ROOT, UsageError, project_key

CLOUDS = ("aws", "gcp")
# With the project's name these are the 30 characters of a Google service account's id.
NAME = rf"(?:{'|'.join(CLOUDS)})-(?=.{{1,10}}$)[a-z0-9]+(?:-[a-z0-9]+)*"
LIKE = 0.8
"""How alike two names are, from 0 to 1, of which one is a typo of the other (difflib's ratio)."""


def with_file() -> list[str]:
    """The stacks that have a file Pulumi.STACK.yaml."""
    return sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in ROOT.glob("Pulumi.*.yaml"))


def stacks_of(name: str, files: Collection[str]) -> list[str]:
    """The stacks that a person means: `aws-ann` and `aws`, whose file exists, are one; `pr-12` is one on each cloud.

    Raises UsageError if there can be no such stack, or if the name is a typo of one that has a file.
    """
    if name in files:
        return [name]
    found = [name] if cloud_of(name) else [f"{cloud}-{name}" for cloud in CLOUDS]
    if not any(stack in files for stack in found) and (meant := _typo_of(name, files)):
        raise UsageError(f"there is no stack {name!r}: did you mean {meant}?")
    if not all(stack in files or re.fullmatch(NAME, stack) for stack in found):
        raise UsageError(
            f"there is no stack {name!r}: there are {', '.join(sorted(files))}, and what is made from aws and gcp, "
            "such as aws-ann, or pr-12 for both: up to 10 lowercase letters, digits and single hyphens"
        )
    return found


def cloud_of(name: str) -> str | None:
    """The cloud that a stack's name begins with, if any."""
    return next((cloud for cloud in CLOUDS if name.startswith(f"{cloud}-")), None)


def named(name: str) -> str:
    """The stack of this checkout that a person means. Takes a name with slashes, organization/project/stack, as it is.

    Raises UsageError.
    """
    return name if "/" in name else one_stack(name, with_file())


def all_named(names: Sequence[str]) -> list[str]:
    """Like `named`, but a name may also mean a stack on each cloud. Returns each stack once."""
    files = with_file()
    return list(dict.fromkeys(stack for name in names for stack in ([name] if "/" in name else stacks_of(name, files))))


def one_stack(name: str, files: Collection[str]) -> str:
    """The stack that a person means. Raises UsageError also if it is one on each cloud."""
    found = stacks_of(name, files)
    if len(found) > 1:
        raise UsageError(f"{name} is the stacks {' and '.join(found)}: name one of them")
    return found[0]


def template(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config of a stack that is made from another one's, without what only one stack can have."""
    unshared = {project_key(key) for key in ("domain", "domainZone")}
    return {key: value for key, value in config.items() if key not in unshared}


def expiry(hours: str) -> str:
    """The UTC time in that many hours, as the key `expires` takes it. Raises UsageError."""
    if not re.fullmatch(r"[1-9]\d{0,3}", hours):
        raise UsageError(f"HOURS is {hours!r}: it takes 1 to 9999")
    return deadline(int(hours) * 60 * 60)


def _typo_of(name: str, files: Collection[str]) -> str | None:
    """The name with a file that this one hardly differs from. Names of other digits are other pull requests'."""
    others = [known for known in files if _without_digits(known) != _without_digits(name)]
    swapped = (known for known in others if sorted(known) == sorted(name))
    return next(iter(difflib.get_close_matches(name, others, 1, LIKE)), None) or next(swapped, None)


def _without_digits(name: str) -> str:
    return re.sub(r"\d", "", name)
