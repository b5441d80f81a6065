"""Properties of the GCP stack that matter to security, data and first deployments. Its snapshot has all others."""

from typing import Any

from local.providers.values import Asset
from stacks.artifact import Artifact
from tests.stacks.deployment import Deployment

SERVICE = "cloudrunv2/service:Service"


def container(stack: Deployment) -> dict[str, Any]:
    [found] = stack.inputs(SERVICE)["template"]["containers"]
    return found


def test_the_apis_are_turned_on_and_stay_on(gcp: Deployment) -> None:
    apis = [r for r in gcp.resources if r.type == "gcp:projects/service:Service"]
    assert {api.inputs["service"].removesuffix(".googleapis.com") for api in apis} == {
        *("cloudresourcemanager", "firestore", "iam", "logging", "monitoring", "run", "secretmanager", "storage")
    }
    assert [api for api in apis if api.inputs["disableOnDestroy"] is not False] == []
    needed = {f"{api.type}::{api.name}" for api in apis}
    rest = [r for r in gcp.resources if r.type.startswith("gcp:") and r not in apis]
    assert [r for r in rest if not needed <= r.needs] == []


def test_the_service_account_may_use_one_database_and_read_one_secret(gcp: Deployment) -> None:
    member = "serviceAccount:api@test"
    assert gcp.inputs("IAMMember") == {
        "project": "a-project",
        "role": "roles/datastore.user",
        "member": member,
        "condition": {
            "title": "better-together-gcp",
            "expression": f'resource.name == "projects/a-project/databases/{gcp.inputs("Database")["name"]}"',
        },
    }
    assert gcp.inputs("SecretIamMember") == {
        "secretId": "momento-api-key-id",
        "role": "roles/secretmanager.secretAccessor",
        "member": member,
    }
    assert gcp.inputs(SERVICE)["template"]["serviceAccount"] == "api@test"
    assert len([r for r in gcp.resources if "member" in r.inputs]) == 2


def test_only_the_service_is_public(gcp: Deployment) -> None:
    assert gcp.inputs(SERVICE)["invokerIamDisabled"] is True
    assert not [r for r in gcp.resources if r.inputs.get("member") in ("allUsers", "allAuthenticatedUsers")]
    bucket = gcp.inputs("Bucket")
    assert bucket["publicAccessPrevention"] == "enforced"
    assert bucket["uniformBucketLevelAccess"] is True


def test_the_service_is_made_after_its_rights_which_wait_for_no_database(gcp: Deployment) -> None:
    database = "gcp:firestore/database:Database::users"
    grants = [r for r in gcp.resources if r.type.lower().endswith("iammember")]
    assert [r for r in grants if database in r.needs] == []
    assert {
        database,
        "gcp:projects/iAMMember:IAMMember::store",
        "gcp:secretmanager/secretIamMember:SecretIamMember::momento-api-key",
        "gcp:secretmanager/secretVersion:SecretVersion::momento-api-key",
    } <= gcp.one(SERVICE).needs


def test_the_service_runs_the_artifact_without_a_build(gcp: Deployment, artifact: Artifact) -> None:
    digest = artifact.digest.removeprefix("sha256:")
    uploaded = gcp.inputs("BucketObject")
    assert uploaded["name"] == f"{digest}.tar.gz"
    assert isinstance(uploaded["source"], Asset)
    assert (uploaded["source"].archive, uploaded["source"].path) == (False, str(artifact.tar))
    assert "buildConfig" not in gcp.inputs(SERVICE)
    found = container(gcp)
    assert found["image"] == "scratch"
    assert found["baseImageUri"].endswith("us-central1-docker.pkg.dev/serverless-runtimes/google-22/runtimes/python313")
    assert found["sourceCode"] == {
        "cloudStorageSource": {
            "bucket": "a-project-better-together-gcp",
            "object": f"{digest}.tar.gz",
            "generation": "42",
        }
    }


def test_archives_stay_in_every_generation_that_a_revision_may_name(gcp: Deployment) -> None:
    bucket = gcp.inputs("Bucket")
    assert bucket["versioning"] == {"enabled": True}
    assert "lifecycleRules" not in bucket
    assert gcp.one("BucketObject").retained


def test_the_key_is_a_reference_to_one_version_of_the_secret(gcp: Deployment) -> None:
    assert gcp.inputs("SecretVersion")["secretData"] == "the app's key"
    assert gcp.inputs("SecretVersion")["deletionPolicy"] == "ABANDON", "older revisions start with older versions"
    [key] = [env for env in container(gcp)["envs"] if env["name"] == "MOMENTO_API_KEY"]
    reference = {"secret": gcp.inputs("secret:Secret")["secretId"], "version": "7"}
    assert key == {"name": "MOMENTO_API_KEY", "valueSource": {"secretKeyRef": reference}}


def test_the_service_costs_nothing_when_idle(gcp: Deployment) -> None:
    assert container(gcp)["resources"]["cpuIdle"] is True
    assert gcp.inputs(SERVICE)["scaling"]["minInstanceCount"] == 0


def test_one_revision_may_be_all_of_the_service_and_keeps_no_instance_by_itself(gcp: Deployment) -> None:
    service = gcp.inputs(SERVICE)
    assert service["template"]["scaling"] == {"maxInstanceCount": service["scaling"]["maxInstanceCount"]}


def test_probes_ask_a_path_that_reaches_the_app_and_are_as_google_allows(gcp: Deployment) -> None:
    for name in ("startupProbe", "livenessProbe"):
        probe = container(gcp)[name]
        assert probe["httpGet"] == {"path": "/health/live"}
        assert probe["timeoutSeconds"] < probe["periodSeconds"]


def test_the_newest_revision_serves(gcp: Deployment) -> None:
    assert gcp.inputs(SERVICE)["traffics"] == [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}]
    assert (gcp.outputs["revision"], gcp.outputs["url"]) == ("api-00001-abc", "https://api.run.test")


def test_a_revision_is_annotated_with_the_deployment_that_made_it(gcp: Deployment) -> None:
    annotations = gcp.inputs("cloudrunv2/service:Service")["template"]["annotations"]
    assert annotations == {"deployment": gcp.outputs["deployment"]}
