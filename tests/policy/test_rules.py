"""Each rule lets what is right pass, and stops what is wrong in a line that names it, its value and the fix."""

import json
import subprocess
from pathlib import Path

import pytest

from local.cli.home import ROOT
from local.providers import sdk
from local.providers.values import UNKNOWN, seal
from tests.policy.cases import CASES, FUNCTION, ROLE_POLICY, TAGS, Case, Props, env, variables
from tests.policy.conftest import Pack, Resource, running

STACK_RULES = {"production-data-is-protected", "one-service-is-open-to-everybody"}
TABLE = "aws:dynamodb/table:Table"
DATABASE = "gcp:firestore/database:Database"
PROTECTED_TABLE = {"pointInTimeRecovery": {"enabled": True}, "deletionProtectionEnabled": True}
PROTECTED_DATABASE = {
    "pointInTimeRecoveryEnablement": "POINT_IN_TIME_RECOVERY_ENABLED",
    "deleteProtectionState": "DELETE_PROTECTION_ENABLED",
}
PRODUCTION = Resource("gcp:storage/bucket:Bucket", {"labels": TAGS | {"environment": "production"}})
DEVELOPMENT = Resource("gcp:storage/bucket:Bucket", {"labels": TAGS})


@pytest.mark.parametrize("case", CASES, ids=[f"{case.rule}-{number}" for number, case in enumerate(CASES)])
def test_what_is_right_passes(pack: Pack, case: Case) -> None:
    resource = Resource(case.type, case.right)
    assert case.rule not in pack.faults(resource) | pack.open(resource)


@pytest.mark.parametrize(
    ("case", "message", "changes"),
    [
        pytest.param(case, message, changes, id=f"{case.rule}-{message.partition(':')[0]}")
        for case in CASES
        for message, changes in case.wrong.items()
    ],
)
def test_what_is_wrong_is_stopped_or_warned_of(pack: Pack, case: Case, message: str, changes: Props) -> None:
    resource = Resource(case.type, case.right | changes)
    stopped, warned = pack.faults(resource), pack.open(resource)
    said = [f"{case.type.rpartition(':')[2]} x: {message}"]
    assert (stopped.get(case.rule), warned.get(case.rule)) == ((None, said) if case.advisory else (said, None))


def test_every_rule_has_a_case_that_breaks_it(pack: Pack) -> None:
    assert {case.rule for case in CASES if case.wrong} | STACK_RULES == pack.rules()


def test_the_pack_starts_from_any_folder(pack: Pack, tmp_path: Path) -> None:
    """As Python's language host starts it: in the program's folder, with the pack's."""
    python = ROOT / "policy" / ".venv" / "bin" / "python"
    with running([python, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(ROOT / "policy")], tmp_path) as other:
        assert other.rules() == pack.rules()


@pytest.mark.parametrize(
    ("kind", "protected", "changes", "fault"),
    [
        (TABLE, PROTECTED_TABLE, {"deletionProtectionEnabled": False}, "deletionProtectionEnabled is False: {} True"),
        (TABLE, PROTECTED_TABLE, {"pointInTimeRecovery": None}, "pointInTimeRecovery.enabled is None: {} True"),
        (
            DATABASE,
            PROTECTED_DATABASE,
            {"pointInTimeRecoveryEnablement": None},
            "pointInTimeRecoveryEnablement is None: {} POINT_IN_TIME_RECOVERY_ENABLED",
        ),
        (
            DATABASE,
            PROTECTED_DATABASE,
            {"deleteProtectionState": "DELETE_PROTECTION_DISABLED"},
            "deleteProtectionState is DELETE_PROTECTION_DISABLED: {} DELETE_PROTECTION_ENABLED",
        ),
    ],
)
def test_data_of_production_is_protected(pack: Pack, kind: str, protected: Props, changes: Props, fault: str) -> None:
    careless = Resource(kind, protected | changes, "users")
    assert pack.stack_faults(PRODUCTION, Resource(kind, protected)) == {}
    assert pack.stack_faults(DEVELOPMENT, careless) == {}
    line = f"{kind.rpartition(':')[2]} users: {fault.format('production needs')}"
    assert pack.stack_faults(PRODUCTION, careless) == {"production-data-is-protected": [line]}


def test_a_stack_has_one_front_door(pack: Pack) -> None:
    v2, v1 = "gcp:cloudrunv2/service:Service", "gcp:cloudrun/service:Service"
    annotation = {"run.googleapis.com/invoker-iam-disabled": "true"}
    api, admin = Resource(v2, {"invokerIamDisabled": True}, "api"), Resource(v2, {"invokerIamDisabled": True}, "admin")
    old = Resource(v1, {"metadata": {"annotations": annotation}}, "old")
    private = Resource(v2, {"invokerIamDisabled": False}, "jobs"), Resource(v1, {"metadata": {}}, "more")
    assert pack.stack_faults(api, *private) == {}
    for other in (admin, old):
        line = f"Service {other.name}: it is open to everybody, and so is api: "
        fix = "unset invokerIamDisabled, and name who may invoke it"
        assert pack.stack_faults(api, other) == {"one-service-is-open-to-everybody": [line + fix]}


def test_what_is_not_known_yet_is_left_to_the_update(pack: Pack) -> None:
    unknown = Resource(ROLE_POLICY, {"policy": UNKNOWN})
    rules = {"policies-name-their-principals", "policies-name-their-actions", "policies-name-their-resources"}
    assert pack.faults(unknown) == {}
    assert pack.open(unknown).keys() == rules


@pytest.mark.parametrize(
    "wrong", [variables(A_KEY="hunter2"), variables(A=seal("hunter2")), env("A_KEY", value="hunter2")]
)
def test_no_message_tells_the_secret(pack: Pack, wrong: Props) -> None:
    faults = pack.faults(Resource(FUNCTION, wrong)) | pack.faults(Resource("gcp:cloudrunv2/service:Service", wrong))
    assert "no-secrets-in-plain-variables" in faults
    assert "hunter2" not in str(faults)


def test_what_needs_no_tags_takes_none() -> None:
    code = "import json; from rules.tags import UNTAGGABLE; print(json.dumps(UNTAGGABLE, default=list))"
    python = ROOT / "policy" / ".venv" / "bin" / "python"
    result = subprocess.run([python, "-c", code], cwd=ROOT / "policy", check=True, stdout=subprocess.PIPE)
    for service, names in json.loads(result.stdout).items():
        labels = {"tags"} if service.startswith("aws:") else {"labels", "userLabels"}
        for name in names:
            args = sdk.args_type(f"{service}/{name[0].lower()}{name[1:]}:{name}")
            assert not labels & sdk.properties(args).keys(), args
