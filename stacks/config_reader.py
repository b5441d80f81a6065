"""Reads a stack's keys one by one, and collects all errors instead of stopping at the first."""

import difflib
import os
import re
from collections.abc import Callable

import pulumi
from pulumi.runtime import config as runtime_config

SHOWN_LENGTH = 60  # characters of an invalid value, to keep an error short


class ConfigReader:
    """`errors` has one line per invalid key: the stack file, the key, its value and the allowed values.

    Keys are `name` for the project's own and `provider:name` for a provider's. An invalid key reads as "", 0 or False.
    """

    def __init__(self, project: str, stack: str) -> None:
        self._project = project
        self._stack = stack
        self._known: set[str] = set()
        self._errors: dict[str, str] = {}

    @property
    def errors(self) -> list[str]:
        return list(self._errors.values())

    def text(self, key: str, pattern: str, allowed: str) -> str:
        return self._read(key, lambda value: re.fullmatch(pattern, value) is not None, allowed)

    def choice(self, key: str, allowed: tuple[str, ...], where: str = "") -> str:
        return self._read(key, lambda value: value in allowed, " or ".join(allowed) + where)

    def flag(self, key: str) -> bool:
        return self.choice(key, ("true", "false")) == "true"

    def integer(self, key: str, low: int, high: int) -> int:
        def is_allowed(value: str) -> bool:
            return re.fullmatch(r"\d{1,9}", value) is not None and low <= int(value) <= high

        return int(self._read(key, is_allowed, f"a whole number from {low} to {high}") or 0)

    def secret(self, key: str, variable: str) -> pulumi.Output[str]:
        """The key, or the environment variable if the key is not set, which for the project's own is `none`."""
        value, fix = self._get(key), f"with `pulumi config set --secret {key} -s {self._stack}`"
        encrypted = pulumi.runtime.is_config_secret(self._full(key))
        if value is None or (value == "none" and ":" not in key):
            value, fix, encrypted = os.environ.get(variable, ""), f"in {variable} or {fix}", True
        if problem := _problem_of_secret(value, encrypted):
            self.wrong(key, f"{problem}: set it {fix}")
        return pulumi.Output.secret(value)

    def unused(self, key: str, default: str | None, cloud: str) -> None:
        """Record an error if the key, which has no effect on this cloud, is not at its default."""
        value = self._get(key)
        if value != default:
            fix = f"`pulumi config rm {key} -s {self._stack}`"
            self.wrong(key, f"is {_shown(value or '')}, which has no effect on {cloud}: {fix}")

    def refuse_unknown(self, *bags: str) -> None:
        """Record an error for each key of the project and of these providers that was never read."""
        given = {*runtime_config.CONFIG.get(), *runtime_config.get_config_env()}
        for key in sorted(given - self._known):
            bag, name = key.split(":", 1)
            if bag in (self._project, *bags):
                names = [known.partition(":")[2] for known in self._known if known.startswith(f"{bag}:")]
                close = difflib.get_close_matches(name, names, 1)
                fix = f"did you mean {bag}:{close[0]}?" if close else f"`pulumi config rm {key} -s {self._stack}`"
                self.wrong(key, f"is not known: {fix}")

    def wrong(self, key: str, problem: str) -> None:
        """Record an error of a key, unless it already has one."""
        self._errors.setdefault(self._full(key), f"Pulumi.{self._stack}.yaml: {self._full(key)} {problem}")

    def wrong_name(self, problem: str) -> None:
        """Record an error of the stack's name."""
        self._errors["stack"] = f"the stack's name {self._stack!r} {problem}"

    def _read(self, key: str, is_allowed: Callable[[str], bool], allowed: str) -> str:
        value = self._get(key)
        if value is None:
            self.wrong(key, f"is missing: set {allowed} with `pulumi config set {key} ... -s {self._stack}`")
        elif _is_printable(value) and is_allowed(value):
            return value
        else:
            self.wrong(key, f"is {_shown(value)}: it takes {allowed}")
        return ""

    def _get(self, key: str) -> str | None:
        full = self._full(key)
        self._known.add(full)
        bag, name = full.split(":", 1)
        return pulumi.Config(bag).get(name)

    def _full(self, key: str) -> str:
        return key if ":" in key else f"{self._project}:{key}"


def _problem_of_secret(value: str, encrypted: bool) -> str:
    if not encrypted:
        return "is in plain text"
    if not value.strip():
        return "is missing"
    return "" if _is_printable(value) else "has characters that no key contains"


def _is_printable(value: str) -> bool:
    """Whether all characters are printable ASCII."""
    return value.isascii() and value.isprintable()


def _shown(value: str) -> str:
    return repr(value) if len(value) <= SHOWN_LENGTH else f"{value[:SHOWN_LENGTH]!r}... ({len(value)} characters)"
