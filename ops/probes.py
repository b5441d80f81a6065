"""Requests of ours for revisions that get too few. In the logs they have the user agent `better-together-probe`."""

import math
import secrets
import time

import httpx

from ops.check import newest
from ops.stack import Stack
from ops.version_transport import VersionTransport

HEADERS = {"user-agent": "better-together-probe"}
TIMEOUT = 30  # seconds
CHANCE = 1e-6  # that a revision without a URL of its own gets too few
WITHIN = 120  # seconds for each revision, so that one that hangs gets its judgement, and before its deadline


def send_probes(stack: Stack, count: int) -> None:
    """Send `count` reads to the newest revision, and as many or more to the stable one, or what they answer in time.
    What they answer is in the logs.

    Raises UsageError if the newest revision cannot be asked alone.
    """
    nobody = f"/users/probe-{secrets.token_hex(4)}"
    paths = ["/health/ready", "/users?limit=10", nobody, nobody.replace("users", "cached-users")]
    for url, transport, share in _places(stack):
        with httpx.Client(base_url=url, transport=transport, headers=HEADERS, timeout=TIMEOUT) as client:
            end = time.monotonic() + WITHIN
            for number in range(needed(count, share)):
                if time.monotonic() > end:
                    break
                try:
                    client.get(paths[number % len(paths)])
                except httpx.RequestError:
                    continue


def needed(count: int, share: float) -> int:
    """How many requests to send so that a revision that gets this share of them gets `count`, with a chance of CHANCE
    that it does not.

    https://en.wikipedia.org/wiki/Negative_binomial_distribution
    """
    sent, log_chance = count, count * math.log(share)
    missing = 1 - math.exp(log_chance)
    while missing > CHANCE:
        log_chance += math.log((1 - share) * sent / (sent - count + 1))
        missing -= math.exp(log_chance)
        sent += 1
    return sent


def _places(stack: Stack) -> list[tuple[str, httpx.BaseTransport | None, float]]:
    """A URL, a transport and the share of its requests that reach the revision, for either revision."""
    url, transport = newest(stack)
    stable = None
    share = 1 - stack.output("percent") / 100
    if stack.output("cloud") == "aws":
        stable, share = VersionTransport(stack, stack.output("stableRevision")), 1
    return [(url, transport, 1), (stack.output("url"), stable, share)]
