"""pulumi_momento.Cache through the life of a stack."""

import re
from pathlib import Path

import pulumi
import pytest

import pulumi_momento
from tests.engine import deployment, outputs
from tests.momento.conftest import Engine, Momento, limited


def test_a_cache_without_a_name_is_named_once_and_comes_back_after_it_was_deleted(
    engine: Engine, momento: Momento
) -> None:
    def program() -> None:
        cache = pulumi_momento.Cache("users")
        pulumi.export("name", cache.name)
        pulumi.export("id", cache.id)

    engine.up(program)
    name = outputs(engine.state)["name"]
    assert re.fullmatch(r"users-[0-9a-f]{7}", name)
    assert outputs(engine.state)["id"] == name
    assert name in momento.caches()
    assert engine.preview(program) == {"same": 2}

    momento.delete(name)
    assert engine.refresh()["delete"] == 1
    engine.up(program)
    again = outputs(engine.state)["name"]
    assert again in momento.caches()

    momento.delete(again)
    engine.destroy()
    assert "resources" not in deployment(engine.state)


@pytest.mark.prove
def test_a_new_name_replaces_the_cache(engine: Engine, momento: Momento) -> None:
    def program(name: str) -> None:
        pulumi.export("name", pulumi_momento.Cache("users", name=name).name)

    engine.up(lambda: program("before"))
    assert engine.up(lambda: program("after")) == {"replace": 1, "same": 1}
    assert outputs(engine.state)["name"] == "after"
    assert {"before", "after"} & set(momento.caches()) == {"after"}
    assert engine.refresh() == {"same": 2}

    engine.destroy()
    assert "after" not in momento.caches()


@pytest.mark.prove
def test_a_cache_is_imported(engine: Engine, momento: Momento) -> None:
    def program(import_: str | None = None) -> None:
        pulumi_momento.Cache("users", name="imported", opts=pulumi.ResourceOptions(import_=import_))

    momento.create("imported")
    assert engine.up(lambda: program("imported")) == {"create": 1, "import": 1}
    assert engine.preview(program) == {"same": 2}


@pytest.mark.prove
def test_a_cache_of_others_is_read_and_left_alone_with_the_settings_of_the_environment(
    tmp_path: Path, momento: Momento
) -> None:
    momento.create("theirs")
    engine = Engine.made(tmp_path, {})
    settings = {"MOMENTO_API_KEY": momento.key, "MOMENTO_ENDPOINT": momento.endpoint}
    engine.stack.workspace.env_vars = {**engine.stack.workspace.env_vars, **settings}
    engine.up(lambda: pulumi.export("name", pulumi_momento.Cache.get("users", "theirs").name))
    assert outputs(engine.state)["name"] == "theirs"
    engine.destroy()
    assert "theirs" in momento.caches()


def test_a_name_that_only_another_resource_knows_is_previewed(engine: Engine) -> None:
    def program() -> None:
        first = pulumi_momento.Cache("first")
        pulumi_momento.Cache("second", name=first.id.apply(lambda id: f"{id}-second"))

    assert engine.preview(program) == {"create": 3}


def test_calls_over_the_control_planes_limit_are_made_again(tmp_path: Path) -> None:
    def program() -> None:
        pulumi_momento.Cache("users", name="users")

    with limited("every-other") as momento:
        engine = Engine.made(tmp_path, momento.settings)
        assert engine.up(program) == {"create": 2}
        assert engine.refresh() == {"same": 2}
        engine.destroy()
    assert "resources" not in deployment(engine.state)
