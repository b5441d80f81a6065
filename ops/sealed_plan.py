"""A plan of `pulumi up` with all that it depends on, so that what is deployed is what was approved.

The engine compares the program with its plan, but neither the state that the plan starts from nor, before it changes
something, the outputs (https://github.com/pulumi/pulumi/issues/16670).
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self, cast

from ops import engine
from ops.stack import ROOT, Stack, UsageError, one_line
from ops.urn import resource

FORMAT = 1
ENCRYPTED = ("ciphertext", "secure")  # in the engine's state, and in its config
DEPENDENCIES = ("dependencies", "propertyDependencies")
UNKNOWN = re.compile("04da6b54-80e4-46f7-96ec-b56ff0331ba9")  # sdk/go/common/resource/plugin/rpc.go
SHOWN = 300
"""At most so many characters of a value."""


@dataclass(frozen=True)
class SealedPlan:
    """`checkpoint` is the SHA-256 of the stack's state, and `policy` that of the policy pack."""

    stack: str
    checkpoint: str
    policy: str
    plan: engine.Plan

    @classmethod
    def make(cls, stack: Stack) -> Self:
        """Raises engine.UpFailed and UsageError."""
        return cls(stack.name, _hash(_lasting(stack.state())), policy_digest(), engine.preview(stack))

    def moved_to(self, now: Self) -> list[str]:
        """What `now`, another plan of the stack, differs in: a line for each. A change of what a plan depends on hides
        the changes in the plan that follow from it.
        """
        return [*_causes(self, now)] or [*_steps(self.plan.steps, now.plan.steps)]


def write(file: Path, plans: Sequence[SealedPlan]) -> str:
    """Write the file and return its SHA-256. Raises UsageError."""
    content = json.dumps({"format": FORMAT, "plans": [asdict(plan) for plan in plans]}, indent=1, sort_keys=True)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from None
    return f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"


def read(file: Path) -> tuple[list[SealedPlan], str]:
    """The plans, and the SHA-256 of the file. Raises UsageError."""
    try:
        content = file.read_bytes()
        data = json.loads(content)
        if data["format"] != FORMAT:
            raise UsageError(f"{file} has format {data['format']!r}, not {FORMAT}: plan again")
        plans = [SealedPlan(**plan | {"plan": engine.Plan(**plan["plan"])}) for plan in data["plans"]]
        for plan in plans:
            plan.moved_to(plan)  # reads all that a plan must have
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"{file} is no plan of `python -m ops preview`: {one_line(error)}") from None
    return plans, f"sha256:{hashlib.sha256(content).hexdigest()}"


def _causes(then: SealedPlan, now: SealedPlan) -> Iterator[str]:
    if (then.checkpoint, then.plan.state) != (now.checkpoint, now.plan.state):
        yield "the state has changed, by another deployment or by hand"
    if then.plan.artifact != now.plan.artifact:
        yield f"the artifact is {now.plan.artifact}, not {then.plan.artifact}"
    yield from _changed("config", masked(then.plan.steps["config"]), masked(now.plan.steps["config"]))
    if then.policy != now.policy or then.plan.findings != now.plan.findings:
        yield "the policy has changed"
    versions = (plan.plan.steps["manifest"]["version"] for plan in (then, now))
    yield from _changed("pulumi", *({"version": version} for version in versions))


def _steps(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """A line for each resource with other steps, inputs, options or outputs."""
    old, new = ({urn: _bound(of) for urn, of in plan["resourcePlans"].items()} for plan in (then, now))
    for urn in sorted(old | new):
        yield from _changed(resource(urn), old.get(urn, {}), new.get(urn, {}))


def _bound(planned: Mapping[str, Any]) -> dict[str, Any]:
    """What a resource's plan is bound to. The engine compares dependencies itself."""
    return {"steps": planned.get("steps"), **_without(DEPENDENCIES, masked(planned.get("goal") or {}))}


def _changed(what: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted({*old, *new}):
        if old.get(key) != new.get(key):
            yield f"{what}: {key} is {shown(new.get(key))}, not {shown(old.get(key))}"


def shown(value: Any) -> str:
    """The value as JSON, cut, without ciphertexts."""
    if value is None:
        return "missing"
    text = UNKNOWN.sub("(known afterwards)", json.dumps(masked(value), sort_keys=True))
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def masked(value: Any) -> Any:
    """The value without ciphertexts, since the same secret is encrypted to another one each time."""
    if isinstance(value, dict):
        items = cast(dict[str, Any], value).items()
        return {key: "[secret]" if key in ENCRYPTED else masked(item) for key, item in items}
    return [masked(item) for item in cast(list[Any], value)] if isinstance(value, list) else value


def _lasting(state: Mapping[str, Any]) -> dict[str, Any]:
    """The state without what an update that changes nothing changes: its time, its ciphertexts, and the order of what
    has none. The program's fingerprint has the secrets.
    """
    resources = (_without(DEPENDENCIES, masked(resource)) for resource in state.get("resources", ()))
    in_order = sorted(resources, key=lambda resource: json.dumps(resource, sort_keys=True))
    return _without(("manifest",), state) | {"resources": in_order}


def _without(names: Sequence[str], item: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key not in names}


def _hash(value: Any) -> str:
    return f"sha256:{hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()}"


def policy_digest() -> str:
    """The SHA-256 of the policy pack's files, without what was installed for it."""
    folder = ROOT / "policy"
    installed = {".venv", "__pycache__"}
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not installed.intersection(path.parts))
    return _hash([(str(path.relative_to(folder)), hashlib.sha256(path.read_bytes()).hexdigest()) for path in files])
