"""Reads a stack's keys one by one, and notes what is wrong with them instead of stopping at the first."""

import difflib
import re

import pulumi
from pulumi.runtime import config as runtime_config


class ConfigReader:
    """`errors` has a line for every wrong key: the stack file, the key, its value and what is allowed.

    Keys are `name` for the project's own and `provider:name` for a provider's.
    """

    def __init__(self, project: str, stack: str) -> None:
        self._project = project
        self._stack = stack
        self._known: set[str] = set()
        self.errors: list[str] = []

    def text(self, key: str, pattern: str, allowed: str) -> str:
        value = self._get(key)
        if value is None:
            self.wrong(key, f"is missing: set {allowed} with `pulumi config set {key} ... -s {self._stack}`")
        elif not re.fullmatch(pattern, value):
            self.wrong(key, f"is {value!r}: it takes {allowed}")
        return value or ""

    def choice(self, key: str, allowed: tuple[str, ...], where: str = "") -> str:
        value = self.text(key, ".*", " or ".join(allowed))
        if value and value not in allowed:
            self.wrong(key, f"is {value!r}: it takes {' or '.join(allowed)}{where}")
            return ""
        return value

    def flag(self, key: str) -> bool:
        return self.choice(key, ("true", "false")) == "true"

    def integer(self, key: str, low: int, high: int, where: str = "") -> int:
        allowed = f"a whole number from {low} to {high}{where}"
        value = self.text(key, r"\d+", allowed)
        if not re.fullmatch(r"\d+", value):
            return 0
        if not low <= int(value) <= high:
            self.wrong(key, f"is {value}: it takes {allowed}")
        return int(value)

    def secret(self, key: str) -> pulumi.Output[str]:
        bag, name = self._split(key)
        value = pulumi.Config(bag).get_secret(name)
        if value is None or not pulumi.runtime.is_config_secret(self._note(key)):
            problem = "is missing" if value is None else "is in plain text"
            self.wrong(key, f"{problem}: set it with `pulumi config set --secret {key} -s {self._stack}`")
        return value or pulumi.Output.secret("")

    def refuse_unknown(self, *bags: str) -> None:
        """Notes the keys of the project and of these providers that nobody has asked for."""
        given = {*runtime_config.CONFIG.get(), *runtime_config.get_config_env()}
        for key in sorted(given - self._known):
            bag, name = key.split(":", 1)
            if bag in (self._project, *bags):
                names = [known.partition(":")[2] for known in self._known if known.startswith(f"{bag}:")]
                close = difflib.get_close_matches(name, names, 1)
                fix = f"did you mean {bag}:{close[0]}?" if close else f"`pulumi config rm {key} -s {self._stack}`"
                self.wrong(key, f"is not known: {fix}")

    def _get(self, key: str) -> str | None:
        self._note(key)
        bag, name = self._split(key)
        return pulumi.Config(bag).get(name)

    def _note(self, key: str) -> str:
        bag, name = self._split(key)
        full = f"{bag or self._project}:{name}"
        self._known.add(full)
        return full

    def wrong(self, key: str, problem: str) -> None:
        """Notes what is wrong with a key."""
        bag, name = self._split(key)
        self.errors.append(f"Pulumi.{self._stack}.yaml: {bag or self._project}:{name} {problem}")

    @staticmethod
    def _split(key: str) -> tuple[str | None, str]:
        bag, _, name = key.rpartition(":")
        return bag or None, name
