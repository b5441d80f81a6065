"""The target of a check: a URL, or a stack on the local clouds or on real ones."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

ROOT = Path(__file__).resolve().parents[1]
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class UsageError(Exception):
    """A mistake in the command; the message is one line."""


@dataclass(frozen=True)
class Target:
    """`digests` are the artifacts that may answer: two during a rollout, none if only a URL is known."""

    name: str
    url: str
    digests: tuple[str, ...] = ()

    @classmethod
    def of_url(cls, url: str) -> Self:
        """Raises UsageError."""
        try:
            parts = httpx.URL(url)
            parts.host.encode("idna")
        except (httpx.InvalidURL, UnicodeError):
            parts = httpx.URL()
        alone = parts.raw_path in (b"/", b"//") and not parts.userinfo and not {"?", "#"} & set(url)
        if parts.scheme not in ("http", "https") or not parts.host or not alone:
            shown = "URL" if "@" in url else f"URL={url}"  # do not print a password
            raise UsageError(f"{shown} must be https://host or http://host:port, without a path or query")
        return cls("a URL alone", url.rstrip("/"))

    @classmethod
    def of_stack(cls, stack: str, home: Path) -> Self:
        """The stack on the local clouds if they run and have it, else the stack of `pulumi stack output`.

        A name with slashes, such as organization/project/stack, is never on the local clouds. Raises UsageError.
        """
        local = None if "/" in stack else _local_outputs(home).get(stack)
        outputs = _pulumi_outputs(stack) if local is None else local
        where = "`pulumi stack output`" if local is None else "the local clouds"
        try:
            digests = dict.fromkeys([outputs["artifactDigest"], outputs["stableDigest"]])
            return cls(f"stack {stack} of {where}", outputs["url"].rstrip("/"), tuple(digests))
        except KeyError as missing:
            raise UsageError(f"stack {stack} of {where} has no output {missing} yet: bring it up first") from None

    @property
    def is_encrypted_or_local(self) -> bool:
        parts = httpx.URL(self.url)
        return parts.scheme == "https" or parts.host in LOOPBACK


def _local_outputs(home: Path) -> Mapping[str, Mapping[str, Any]]:
    from local.cli import clouds, engine  # late, because a URL needs no Pulumi SDK
    from local.cli.home import Home, LocalError

    laptop = Home(home.resolve())
    try:
        return engine.outputs(laptop) if clouds.running(laptop) else {}
    except LocalError as error:
        raise UsageError(str(error)) from None


def _pulumi_outputs(stack: str) -> Mapping[str, Any]:
    """Raises UsageError."""
    pulumi = shutil.which("pulumi")
    if not pulumi:
        raise UsageError(
            f"stack {stack} is not on the local clouds, and `pulumi` is not on PATH: install it, or use URL="
        )
    answer = subprocess.run(
        [pulumi, "stack", "output", "--json", "--non-interactive", "--stack", stack],
        cwd=ROOT,
        env=os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        reason = (answer.stderr.strip().splitlines() or ["no output"])[-1].removeprefix("error: ")
        raise UsageError(f"stack {stack} is not on the local clouds, and pulumi says: {reason}")
    return json.loads(answer.stdout)
