"""The target of a check: a URL, or a stack."""

from dataclasses import dataclass
from typing import Self

import httpx

from ops.stack import Stack, UsageError

LOOPBACK = ("127.0.0.1", "::1", "localhost")


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
    def of_stack(cls, stack: Stack) -> Self:
        """Raises UsageError."""
        digests = dict.fromkeys(stack.output(name) for name in ("artifactDigest", "stableDigest"))
        return cls(stack.title, stack.output("url").rstrip("/"), tuple(digests))

    @property
    def is_encrypted_or_local(self) -> bool:
        parts = httpx.URL(self.url)
        return parts.scheme == "https" or parts.host in LOOPBACK
