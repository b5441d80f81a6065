"""URLs can be built, but no code for it is compiled at the start."""

import pytest
import werkzeug.routing

from app.bootstrap import assemble
from app.cache.none import NoCache
from app.data.memory import MemoryDataClient
from app.lifecycle import App
from app.metrics import Metrics
from app.settings import Settings


def create(metrics: Metrics) -> App:
    return assemble(Settings(), metrics, MemoryDataClient(), NoCache())


def test_a_url_is_built(metrics: Metrics) -> None:
    adapter = create(metrics).url_map.bind("example.com")
    for rule in adapter.map.iter_rules():
        user = {"user_id": "a b"} if "<user_id>" in rule.rule else {}
        assert adapter.build(rule.endpoint, user | {"rule": "1"}) == rule.rule.replace("<user_id>", "a%20b") + "?rule=1"


def test_the_start_compiles_no_function_that_builds_urls(metrics: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object, append_unknown: bool = True) -> None:
        raise AssertionError(f"compiled for append_unknown={append_unknown}")

    monkeypatch.setattr(werkzeug.routing.Rule, "_compile_builder", refuse)
    assert create(metrics).test_client().get("/users/1").status_code == 404
