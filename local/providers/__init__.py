"""Fake providers for aws and gcp, which speak the engine's protocol and use the laptop's clouds."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
