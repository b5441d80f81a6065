"""What is to be checked: a URL, or a stack on the laptop's clouds or on real ones."""

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
    """A mistake of the person at the keyboard; the message is one line."""


@dataclass(frozen=True)
class Target:
    """`digests` are those of the artifacts that may answer: two while a rollout is on, none of a URL alone."""

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
            shown = "URL" if "@" in url else f"URL={url}"  # without a password
            raise UsageError(f"{shown} must be https://host or http://host:port, with nothing behind it")
        return cls("a URL alone", url.rstrip("/"))

    @classmethod
    def of_stack(cls, stack: str, home: Path) -> Self:
        """The laptop's stack if its clouds run and have it, else what `pulumi stack output` says: a name with slashes,
        such as organization/project/stack, is never the laptop's. Raises UsageError.
        """
        on_laptop = None if "/" in stack else _laptops_outputs(home).get(stack)
        outputs = _pulumis_outputs(stack) if on_laptop is None else on_laptop
        where = "`pulumi stack output`" if on_laptop is None else "the laptop's clouds"
        try:
            digests = dict.fromkeys([outputs["artifactDigest"], outputs["stableDigest"]])
            return cls(f"stack {stack} of {where}", outputs["url"].rstrip("/"), tuple(digests))
        except KeyError as missing:
            raise UsageError(f"stack {stack} of {where} has no output {missing} yet: bring it up first") from None

    @property
    def is_encrypted_or_local(self) -> bool:
        parts = httpx.URL(self.url)
        return parts.scheme == "https" or parts.host in LOOPBACK


def _laptops_outputs(home: Path) -> Mapping[str, Mapping[str, Any]]:
    from local.cli import clouds, engine  # Pulumi's SDK, which a URL alone does not need
    from local.cli.home import Home, LocalError

    laptop = Home(home.resolve())
    try:
        return engine.outputs(laptop) if clouds.running(laptop) else {}
    except LocalError as error:
        raise UsageError(str(error)) from None


def _pulumis_outputs(stack: str) -> Mapping[str, Any]:
    """Raises UsageError."""
    pulumi = shutil.which("pulumi")
    if not pulumi:
        raise UsageError(
            f"stack {stack} is not on the laptop's clouds, and there is no `pulumi` on PATH to ask: use URL="
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
        reason = (answer.stderr.strip().splitlines() or ["it says nothing"])[-1].removeprefix("error: ")
        raise UsageError(f"stack {stack} is not on the laptop's clouds, and pulumi says: {reason}")
    return json.loads(answer.stdout)
