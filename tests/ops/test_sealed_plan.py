"""The file of plans, what it is compared by, and the comment on it."""

import copy
import json
import stat
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from ops import engine, plan_comment, sealed_plan
from ops.__main__ import main
from ops.deploy import deploy
from ops.sealed_plan import SealedPlan
from ops.stack import Stack, UsageError

URN = "urn:pulumi:aws::better-together::better-together:stacks:AwsStack$aws:lambda/function:Function::api"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}
STEPS: dict[str, Any] = {
    "manifest": {"time": "2026-11-26T23:46:34Z", "version": "v3.274.1"},
    "config": {"better-together:memoryMb": "1024", "momento:apiKey": {"secure": "v1:one"}},
    "resourcePlans": {
        URN: {
            "steps": ["update"],
            "seed": "c2VlZA==",
            "goal": {
                "dependencies": ["urn:a", "urn:b"],
                "inputDiff": {
                    "updates": {"memorySize": 2048, "environment": SECRET},
                    "adds": {},
                    "deletes": ["layers"],
                },
                "outputDiff": {},
            },
        }
    },
}
PLAN = SealedPlan("aws", "sha256:1", "sha256:2", engine.Plan(STEPS, "sha256:3", "sha256:4", []))


def sealed(**plan: Any) -> bytes:
    """A file of PLAN with other values of the engine's plan."""
    content = asdict(PLAN)
    return json.dumps({"format": 1, "plans": [content | {"plan": content["plan"] | plan}]}).encode()


def planned(change: Callable[[dict[str, Any]], object], **others: Any) -> SealedPlan:
    steps = copy.deepcopy(STEPS)
    change(steps)
    return replace(PLAN, plan=replace(PLAN.plan, steps=steps, **others))


def test_what_always_differs_has_not_moved() -> None:
    def plan_again(steps: dict[str, Any]) -> None:
        steps["manifest"]["time"] = "2026-11-27T00:00:00Z"
        steps["config"]["momento:apiKey"]["secure"] = "v1:two"
        resource = steps["resourcePlans"][URN]
        resource["seed"] = "YW5vdGhlcg=="
        resource["goal"]["dependencies"].reverse()
        resource["goal"]["inputDiff"]["updates"]["environment"]["ciphertext"] = "v1:def"

    assert PLAN.moved_to(planned(plan_again)) == []


@pytest.mark.parametrize(
    ("now", "named"),
    [
        (replace(PLAN, checkpoint="sha256:x"), "the state has changed, by another deployment or by hand"),
        (replace(PLAN, policy="sha256:x"), "the policy has changed"),
        (planned(bool, state="sha256:x"), "the state has changed, by another deployment or by hand"),
        (planned(bool, artifact="sha256:x"), "the artifact is sha256:x, not sha256:4"),
        (planned(bool, findings=["warning no-x: y"]), "the policy has changed"),
        (
            planned(lambda steps: steps["config"].update({"better-together:memoryMb": "512"})),
            'config: better-together:memoryMb is "512", not "1024"',
        ),
        (
            planned(lambda steps: steps["config"].pop("momento:apiKey")),
            'config: momento:apiKey is missing, not {"secure": "[secret]"}',
        ),
        (
            planned(lambda steps: steps["manifest"].update(version="v3.275.0")),
            'pulumi: version is "v3.275.0", not "v3.274.1"',
        ),
        (
            planned(lambda steps: steps["resourcePlans"][URN].update(steps=["create-replacement", "replace"])),
            'aws:lambda:Function api: steps is ["create-replacement", "replace"], not ["update"]',
        ),
        (
            planned(lambda steps: steps["resourcePlans"][URN]["goal"].update(outputDiff={"adds": {"url": "x"}})),
            'aws:lambda:Function api: outputDiff is {"adds": {"url": "x"}}, not {}',
        ),
    ],
)
def test_what_has_moved_is_named(now: SealedPlan, named: str) -> None:
    assert PLAN.moved_to(now) == [named]


def test_a_resource_that_is_gone_from_the_program_has_moved() -> None:
    moved = PLAN.moved_to(planned(lambda steps: steps["resourcePlans"].clear()))
    assert 'aws:lambda:Function api: steps is missing, not ["update"]' in moved


def test_a_cause_hides_what_follows_from_it() -> None:
    now = planned(lambda steps: steps["resourcePlans"].clear(), artifact="sha256:x")
    assert PLAN.moved_to(now) == ["the artifact is sha256:x, not sha256:4"]


def test_a_file_of_plans_is_what_it_was(tmp_path: Path) -> None:
    digest = sealed_plan.write(tmp_path / "new" / "plan.json", [PLAN])
    assert sealed_plan.read(tmp_path / "new" / "plan.json") == ([PLAN], digest)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is no plan of `python -m ops preview`"),
        (b"\xff\xfe", "is no plan"),
        (b"[]", "is no plan"),
        (b'{"plans": []}', "is no plan"),
        (b'{"format": 1, "plans": [{}]}', "is no plan"),
        (b'{"format": 1, "plans": ["aws"]}', "is no plan"),
        (b'{"format": 1, "plans": 5}', "is no plan"),
        (b"[" * 100_000, "is no plan"),
        (sealed(steps=[]), "is no plan"),
        (sealed(steps={"config": {}, "manifest": {}, "resourcePlans": {}}), "is no plan"),
        (sealed(steps={"config": [], "manifest": {"version": "v3"}, "resourcePlans": [1]}), "is no plan"),
        (b'{"format": 2, "plans": []}', "has format 2, not 1: plan again"),
    ],
)
def test_another_file_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, why: str
) -> None:
    file = tmp_path / "plan.json"
    file.write_bytes(content)
    assert main(["deploy", "--plan", str(file)]) == 2
    out, err = capsys.readouterr()
    assert f"{file} {why}" in err
    assert (out, err.count("\n")) == ("", 1)


def test_a_file_that_was_not_approved_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    digest = sealed_plan.write(tmp_path / "plan.json", [PLAN])
    assert main(["deploy", "--plan", str(tmp_path / "plan.json"), "--digest", "sha256:other"]) == 2
    assert f"is not the plan that was approved: it has {digest}, not sha256:other" in capsys.readouterr().err


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `pulumi` that previews STEPS, and writes its arguments, its plan and its environment into the folder."""
    violation = {
        "resourceUrn": URN,
        "message": "too\nbig",
        "policyName": "small",
        "enforcementLevel": "advisory",
    }
    (tmp_path / "steps.json").write_text(json.dumps(STEPS))
    (tmp_path / "facts.json").write_text(json.dumps({"state": "sha256:3", "artifact": "sha256:4"}))
    (tmp_path / "events").write_text(f'{{"sequence": 1}}\n{json.dumps({"policyEvent": violation})}\n')
    resource = {"type": "a:b:C", "inputs": {"key": {"ciphertext": "NOW"}}}
    state = {"manifest": {"time": "NOW"}, "resources": [resource]}
    (tmp_path / "state.json").write_text(json.dumps({"deployment": state}, indent=1))
    program = tmp_path / "pulumi"
    program.write_text(
        f"""#!/bin/sh
echo "$@" >> {tmp_path}/arguments
env > {tmp_path}/environment
case "$1 $2" in
  "stack output") echo '{{}}' ;;
  "stack export") sed "s/NOW/$(date +%N)/" {tmp_path}/state.json ;;
esac
while [ $# -gt 0 ]; do
  case $1 in
    --save-plan) cp {tmp_path}/steps.json "$2"; cp {tmp_path}/facts.json "$PLAN_FACTS_FILE" ;;
    --event-log) cp {tmp_path}/events "$2" ;;
    --plan) cp "$2" {tmp_path}/applied.json ;;
  esac
  shift
done
"""
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def test_the_cli_makes_and_applies_a_plan(pulumi: Path, tmp_path: Path) -> None:
    plan = SealedPlan.make(Stack("acme/better-together/aws", {}))
    assert plan.plan == engine.Plan(STEPS, "sha256:3", "sha256:4", ["advisory small: aws:lambda:Function api: too big"])
    assert deploy([replace(plan, stack="acme/better-together/aws")], tmp_path / "home")["deployed"]
    up = (pulumi / "arguments").read_text().splitlines()[-1]
    assert up.startswith("up --yes --non-interactive --suppress-progress --stack acme/better-together/aws ")
    assert "--skip-preview" not in up
    assert "--policy-pack policy" in up
    assert json.loads((pulumi / "applied.json").read_text()) == STEPS
    assert "PLAN_STATE=sha256:3" in (pulumi / "environment").read_text().splitlines()


def test_a_plan_of_another_artifact_is_refused(pulumi: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def preview(artifact: str) -> int:
        home, file = str(pulumi / "home"), str(pulumi / "plan.json")
        return main(["preview", "--home", home, "--out", file, "--artifact", artifact, "acme/better-together/aws"])

    assert preview("sha256:5") == 2
    refusal = (
        "the plan is of sha256:4, not of sha256:5: plan in the checkout that it was built from, "
        "and without the key artifact in the stack's file"
    )
    assert capsys.readouterr().err.splitlines()[-1] == f"acme/better-together/aws: {refusal}"
    assert not (pulumi / "plan.json").exists()
    assert preview("sha256:4") == 0


def test_no_stack_is_deployed_if_one_has_moved(pulumi: Path, tmp_path: Path) -> None:
    plan = SealedPlan.make(Stack("acme/better-together/aws", {}))
    moved = replace(plan, checkpoint="sha256:x")
    with pytest.raises(UsageError, match="the state has changed"):
        deploy([plan, moved], tmp_path / "home")
    assert not (pulumi / "applied.json").exists()


def test_the_policy_may_have_any_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as an editor's swap file."""
    monkeypatch.setattr(sealed_plan, "ROOT", tmp_path)
    file = tmp_path / "policy" / ".DS_Store"
    file.parent.mkdir()
    digests: set[str] = set()
    for content in (b"\xff", b"\xfe"):
        file.write_bytes(content)
        digests.add(sealed_plan.policy_digest())
    assert len(digests) == 2


def comment(*plans: SealedPlan) -> str:
    return plan_comment.comment(plans, "sha256:5")


def resources(**steps: list[str]) -> Callable[[dict[str, Any]], object]:
    def change(plan: dict[str, Any]) -> None:
        plan["resourcePlans"] = {URN[: -len("api")] + name: {"steps": of} for name, of in steps.items()}

    return change


def test_the_comment_begins_with_what_is_replaced_and_deleted_on_any_stack() -> None:
    first = planned(resources(a=["update"], b=["create"], c=["delete"], e=["same"]))
    second = planned(resources(d=["create-replacement", "replace", "delete-replaced"], f=["delete"]))
    idle = planned(resources(g=["same"]))
    text = comment(first, replace(second, stack="gcp"), replace(idle, stack="idle"))
    assert "| `aws` | 0 | **1** | **1** | **1** |" in text
    assert "| `gcp` | **1** | **1** | 0 | 0 |" in text
    assert [line for line in text.splitlines() if line.startswith(("#", "- ", "No "))] == [
        "### Replaced or deleted",
        "- 🗑️ delete **`aws: aws:lambda:Function c`**",
        "- ♻️ replace **`gcp: aws:lambda:Function d`**",
        "- 🗑️ delete **`gcp: aws:lambda:Function f`**",
        "### `aws`",
        "- 🟢 create **`aws:lambda:Function b`**",
        "- 🟡 update **`aws:lambda:Function a`**",
        "### `gcp`",
        "No other changes.",
        "### `idle`",
        "No changes.",
    ]


def test_the_comment_shows_values_but_no_secrets() -> None:
    text = comment(planned(lambda steps: steps["resourcePlans"][URN]["goal"]["inputDiff"]["updates"].update(x=UNKNOWN)))
    assert "`~ memorySize: 2048`" in text
    assert "`- layers`" in text
    assert '`~ x: "(known afterwards)"`' in text
    assert "v1:abc" not in text
    assert "[secret]" in text


def test_nothing_in_a_plan_ends_its_code_span() -> None:
    def attack(steps: dict[str, Any]) -> None:
        steps["resourcePlans"][URN]["goal"]["inputDiff"]["updates"] = {"a`\n\n@everyone": "`\n# Approved"}

    text = comment(replace(planned(attack, artifact="`\n# Approved"), stack="`|\n@everyone"))
    lines = text.splitlines()
    assert not [line for line in lines if line.startswith(("@", "# "))]
    assert all(line.count("`") % 2 == 0 for line in lines)


def test_what_is_said_of_an_unreadable_plan_fits_into_a_comment() -> None:
    text = plan_comment.no_plan("c0ffee", "`\n@everyone \ud800" + "A" * 100_000)
    assert text.startswith(f"{plan_comment.MARK}\nThere is no plan of commit `c0ffee`: `' @everyone ?AAA")
    assert len(text.encode()) < 1_000


def test_a_plan_that_the_engine_has_not_made_gets_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = planned(lambda steps: steps["resourcePlans"][URN]["goal"].update(inputDiff={"updates": 5}))
    sealed_plan.write(tmp_path / "plan.json", [plan])
    assert main(["comment", "--plan", str(tmp_path / "plan.json")]) == 2
    assert capsys.readouterr().err.startswith("a plan cannot be read: ")


def test_a_long_comment_is_cut_for_github() -> None:
    text = comment(planned(resources(**{f"r{number}": ["delete"] for number in range(3000)})), planned(bool))
    assert 60_000 < len(text) <= 65_000
    assert text.splitlines()[-1] == "… cut: the plan file has the rest."
    assert text.count("| `aws` |") == 2
