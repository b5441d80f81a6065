"""The target of a check: a URL, or a stack."""

import re
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


def must_keep_secret(token: str, url: str) -> None:
    """Raises UsageError if the token cannot be a header's value, or would be sent to the URL in plain text."""
    if not re.fullmatch(r"[!-~]+", token):
        raise UsageError("TOKEN must be printable ASCII without blanks")
    parts = httpx.URL(url)
    if parts.scheme != "https" and parts.host not in LOOPBACK:
        raise UsageError(f"TOKEN is only sent to https URLs, and this is {url}")
