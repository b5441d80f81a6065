"""The fake gcp provider under the real engine: create, no change, update, drift, replace, destroy."""

from pathlib import Path

import httpx
import pulumi
import pytest
from pulumi_gcp import projects, secretmanager, serviceaccount, storage

from tests.local.providers.conftest import Engine, Program, ask

ACCOUNT = "gcp:serviceaccount/account:Account"
ACCOUNT_ID = "projects/laptop/serviceAccounts/api@laptop.iam.gserviceaccount.com"
VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
BUCKET = "gcp:storage/bucket:Bucket"


def project(source: Path, *, label: str = "a", key: str = "hunter2") -> Program:
    def program() -> None:
        account = serviceaccount.Account("api", account_id="api", display_name=label)
        projects.IAMMember("api", project="laptop", role="roles/datastore.user", member=account.member)
        secret = secretmanager.Secret("key", secret_id="key", replication={"auto": {}}, labels={"label": label})
        version = secretmanager.SecretVersion(
            "key", secret=secret.id, secret_data=pulumi.Output.secret(key), deletion_policy="ABANDON"
        )
        bucket = storage.Bucket("Source", location="us", labels={"label": label})
        file = storage.BucketObject("app", bucket=bucket.name, name="app", source=pulumi.FileAsset(str(source)))
        pulumi.export("member", account.member)
        pulumi.export("secret", secret.id)
        pulumi.export("version", version.version)
        pulumi.export("version_id", version.id)
        pulumi.export("bucket", bucket.name)
        pulumi.export("size", file.md5hexhash)

    return program


@pytest.mark.prove
def test_a_life(engine: Engine, clouds: Path, tmp_path: Path) -> None:
    source = tmp_path / "app"
    source.write_text("1")
    assert engine.up(project(source)) == {"create": 7}
    assert engine.output("member") == "serviceAccount:api@laptop.iam.gserviceaccount.com"
    assert engine.output("secret") == "projects/laptop/secrets/key"
    assert engine.output("version") == "1"
    assert engine.output("bucket").startswith("source-")
    assert not engine.tells("hunter2")
    assert engine.refresh() == {}
    assert engine.preview(project(source, label="b")) == {"update": 3}
    assert engine.up(project(source, label="b")) == {"update": 3}

    bucket_in_the_cloud = "gcp", "resources", BUCKET, engine.output("bucket")
    assert ask(clouds, "GET", *bucket_in_the_cloud)["inputs"]["labels"] == {"label": "b"}

    bucket, digest = engine.output("bucket"), engine.output("size")
    first_version = "gcp", "resources", VERSION, engine.output("version_id")
    source.write_text("2")
    assert engine.up(project(source, label="b", key="hunter3")) == {"replace": 2}
    assert engine.output("bucket") == bucket
    assert engine.output("size") != digest
    assert engine.output("version") == "2"
    assert ask(clouds, "GET", *first_version), "it was abandoned"
    assert not engine.tells("hunter3")

    ask(clouds, "DELETE", "recorded", ACCOUNT, ACCOUNT_ID)
    assert engine.refresh() == {"delete": 1}
    assert engine.up(project(source, label="b", key="hunter3")) == {"create": 1}
    assert engine.destroy() == {"delete": 7}
    for gone in (bucket_in_the_cloud, first_version):
        with pytest.raises(httpx.HTTPStatusError, match="404"):
            ask(clouds, "GET", *gone)
