"""`openapi.json`, the checked-in contract: of an app with the demo and with an issuer. `make openapi` writes it."""

import io
from pathlib import Path

import msgspec
from flask import Flask

from app.bootstrap import assemble
from app.cache.none import NoCache
from app.data.memory import MemoryDataClient
from app.metrics import Metrics
from app.settings import AuthSettings, Settings

PATH = Path(__file__).parents[2] / "openapi.json"
WHOLE = Settings(demo=True, auth=AuthSettings("https://issuer.example.com", "better-together"))


def quiet_app(settings: Settings) -> Flask:
    """An app with nothing in it, which logs nowhere."""
    return assemble(settings, Metrics(stream=io.StringIO()), MemoryDataClient(), NoCache())


def content() -> str:
    answer = quiet_app(WHOLE).test_client().get("/openapi.json")
    return msgspec.json.format(answer.text, indent=2) + "\n"


if __name__ == "__main__":
    PATH.write_text(content())
