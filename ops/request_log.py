"""Placeholder, replaced by part R."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """`milliseconds` is how long it took; `cold` is whether it also started the app."""

    failed: bool
    milliseconds: float
    cold: bool
