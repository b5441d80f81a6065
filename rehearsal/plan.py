"""How a build is promoted in a scene."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Plan:
    """The stack's keys for a promotion, and the traffic meanwhile: `rate` requests a second, at most `most` of them
    unanswered, and `around` requests before and after.
    """

    steps: str = "10,50"
    step_seconds: int = 10
    min_requests: int = 50
    max_slowdown: int = 2
    rate: float = 50
    most: int = 8
    around: int = 250
    seed: int = 0

    @property
    def keys(self) -> Mapping[str, object]:
        return {
            "artifact": "promoted",
            "rolloutSteps": self.steps,
            "rolloutStepSeconds": self.step_seconds,
            "rolloutMinRequests": self.min_requests,
            "rolloutMaxSlowdown": self.max_slowdown,
        }


def configure(file: Path, keys: Mapping[str, object], target: Path) -> None:
    """Write the stack file `target`: `file` with these keys of the project."""
    content = yaml.safe_load(file.read_text())
    content["config"] |= {f"better-together:{key}": value for key, value in keys.items()}
    target.write_text(yaml.safe_dump(content))
