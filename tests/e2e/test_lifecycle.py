"""The engine's life cycle on the laptop's clouds: up, up again and preview."""

import json
import re

import psutil
import pytest

from local.cli import clouds as laptops_clouds
from local.cli import engine
from local.cli.home import Home
from ops.stack import project_key
from tests.e2e.laptop import REAL_KEY, ROOT, Laptop


def test_both_stacks_have_the_same_outputs(clouds: Laptop) -> None:
    outputs = json.loads(clouds.must("outputs"))
    assert list(outputs) == ["aws", "gcp"]
    assert outputs == clouds.outputs()
    assert outputs["aws"].keys() == outputs["gcp"].keys()
    assert outputs["aws"]["artifactDigest"] == outputs["gcp"]["artifactDigest"]
    assert (outputs["aws"]["persistence"], outputs["gcp"]["persistence"]) == ("dynamodb", "firestore")


@pytest.mark.parametrize("stacks", [["gcp"], pytest.param(["aws", "gcp"], marks=pytest.mark.prove)], ids=" ".join)
def test_up_again_changes_nothing(clouds: Laptop, stacks: list[str]) -> None:
    before, files = clouds.outputs(), project_files()
    with clouds.start("up", *stacks) as up:  # no fork: its strings have other hashes, and its sets another order
        said = up.communicate()[1]
    assert up.returncode == 0, said
    assert re.fullmatch("artifact sha256:[0-9a-f]{64}\n", said)
    for name in stacks:
        log = (clouds.home / "logs" / f"engine-{name}.log").read_text()
        assert re.search(r"^ +\d+ unchanged$", log, re.MULTILINE), log
        assert "better-together@" in log, log  # the policy pack was asked
    assert clouds.outputs() == before
    assert project_files() == files


@pytest.mark.prove
def test_a_rollout_of_nothing_new_says_so(clouds: Laptop) -> None:
    url, nothing_new = clouds.must("up", "aws", "--rollout", "10").splitlines()
    assert url.startswith("aws  http://")
    assert nothing_new == "aws  ROLLOUT=10 has nothing to roll out: this version has all requests already"


def project_files() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in ROOT.glob("Pulumi*.yaml")}


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("aws", {"aws:lambda/function:Function", "aws:lambda/alias:Alias"}),
        pytest.param("gcp", {"gcp:cloudrunv2/service:Service"}, marks=pytest.mark.prove),
    ],
)
def test_the_preview_of_an_edit_shows_only_that_edit(clouds: Laptop, name: str, changed: set[str]) -> None:
    stack = engine.open_stack(Home(clouds.home), name)
    engine.configure(stack, laptops_clouds.running(Home(clouds.home)))
    stack.set_config(project_key("cacheTtlSeconds"), engine.auto.ConfigValue("60"))
    assert previewed(stack) == changed


def previewed(stack: engine.auto.Stack) -> set[str]:
    """The types of the resources that would change."""
    steps: set[str] = set()

    def note(event: engine.auto.EngineEvent) -> None:
        step = event.resource_pre_event
        if step and step.metadata.op != "same":
            steps.add(step.metadata.type)

    stack.preview(on_event=note)
    return steps - {"pulumi:pulumi:Stack"}


def test_keys_may_move_from_the_config_to_the_environment(clouds: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = engine.open_stack(Home(clouds.home), "aws")
    engine.configure(stack, laptops_clouds.running(Home(clouds.home)))
    for key, variable in (
        ("momento:apiKey", "MOMENTO_API_KEY"),
        (project_key("momentoApiKey"), "MOMENTO_APP_API_KEY"),
    ):
        stack.remove_config(key)
        monkeypatch.setenv(variable, clouds.daemon()["momentoApiKey"])
    assert previewed(stack) == {"pulumi:providers:momento"}


def test_a_developers_real_keys_do_not_reach_the_laptops_clouds(clouds: Laptop) -> None:
    files = [path for path in clouds.home.rglob("*") if path.is_file()]
    assert not [path for path in files if REAL_KEY.encode() in path.read_bytes()]
    processes = clouds.processes()
    environments = [one.info["environ"] for one in psutil.process_iter(["environ"]) if one.pid in processes]
    assert len(environments) > 2
    assert not [environment for environment in environments if REAL_KEY in environment.values()]


def test_no_secret_is_in_state_or_outputs_in_plain_text(clouds: Laptop) -> None:
    key = clouds.daemon()["momentoApiKey"]
    state = "".join(path.read_text() for path in (clouds.home / "state").rglob("*.json"))
    assert "ciphertext" in state
    assert f'"{key}"' not in state
    assert key not in json.dumps(clouds.outputs())


def test_the_state_has_no_files_that_are_written_in_place(clouds: Laptop) -> None:
    assert list((clouds.home / "state").rglob("*.json"))
    assert not list((clouds.home / "state").rglob("*.attrs"))


def test_previewing_a_stack_that_is_not_there(laptop: Laptop) -> None:
    result = laptop.run("preview", "Azure!")
    assert result.returncode == 1
    there = "aws, aws-prod, gcp, gcp-prod"
    assert result.stderr.startswith(f"there is no stack 'Azure!': there are {there}, and what is made from aws and gcp")
