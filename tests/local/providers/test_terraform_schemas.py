"""Replacement rules are read from the sources of Google's Terraform provider, under Pulumi's names."""

import json
import subprocess
from pathlib import Path

import pytest

from local.providers.gcp import terraform_schemas
from local.providers.gcp.terraform_schemas import pulumi_path, rules, update
from local.providers.sdk import args_type

SERVICE = "gcp:cloudrunv2/service:Service"


def test_rules_are_read_from_schemas() -> None:
    """Among Go code's raw strings, in which anything may stand, and from schemas that are declared elsewhere."""
    base = """
var BaseSchema = map[string]*schema.Schema{
	"role": {
		Type:     schema.TypeString,
		Required: true,
		ForceNew: true,
	},
}

func NotTheBase() map[string]*schema.Schema {
	return map[string]*schema.Schema{
		"never": {
			ForceNew: true,
		},
	}
}
"""
    own = """
func ResourceThing() *schema.Resource {
	r := &schema.Resource{
		Schema: map[string]*schema.Schema{
			"plain": {
				Optional: true,
				Description: `A sentence with a
			"bracket": {
`,
			},
			"policies": {
				Optional: true,
				ForceNew: true,
				Elem: &schema.Resource{
					Schema: map[string]*schema.Schema{
						"fixed": {
							Required: true,
							ForceNew: true,
						},
						"free": {
							Optional: true,
						},
						"computed": {
							Computed: true,
						},
					},
				},
			},
			"target": {
				Optional: true,
				Elem:     targetSchema(),
			},
			"keys": keySchema("a"),
		},
	}
	r.Schema["project"] = &schema.Schema{
		Optional: true,
		ForceNew: true,
	}
	return r
}

func targetSchema() *schema.Resource {
	return &schema.Resource{
		Schema: map[string]*schema.Schema{
			"zone": {
				Required: true,
				ForceNew: true,
			},
		},
	}
}

func keySchema(kind string) *schema.Schema {
	return &schema.Schema{
		Optional: true,
		ForceNew: true,
	}
}
"""
    assert rules([(base, "BaseSchema"), (own, "ResourceThing")]) == (
        {("role",), ("policies",), ("target", "zone"), ("keys",), ("project",)},
        {("policies", "free")},
    )


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (["traffic", "revision"], "traffics.revision"),
        (["template", "containers", "env", "value_source"], "template.containers.envs.valueSource"),
        (["location"], "location"),
    ],
)
def test_an_input_has_pulumis_name(path: list[str], found: str) -> None:
    assert pulumi_path(args_type(SERVICE), path) == found


def test_an_input_that_the_sdk_lacks_is_an_error() -> None:
    with pytest.raises(LookupError, match="ServiceArgs has no nonsense"):
        pulumi_path(args_type(SERVICE), ["nonsense"])


BUCKET = """
func Bucket() *schema.Resource {
	return &schema.Resource{
		Schema: map[string]*schema.Schema{
			"location": {
				Required: true,
				ForceNew: true,
			},
		},
	}
}
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one schema, and a terraform.json beside it that names it."""
    schemas = ["services/storage/bucket.go#Bucket"]
    file = tmp_path / "terraform.json"
    file.write_text(json.dumps({"types": {"gcp:storage/bucket:Bucket": {"schemas": schemas, "replaces": ["name"]}}}))
    monkeypatch.setattr(terraform_schemas, "FILE", file)
    source = tmp_path / "google-beta" / "services" / "storage" / "bucket.go"
    source.parent.mkdir(parents=True)
    source.write_text(BUCKET)
    git = ["git", "-C", tmp_path, "-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "a"], check=True)
    return tmp_path


def test_the_file_gets_the_rules_and_their_commit(checkout: Path) -> None:
    update(checkout)
    written = json.loads((checkout / "terraform.json").read_text())
    [found] = written["types"].values()
    assert found == {"schemas": ["services/storage/bucket.go#Bucket"], "replaces": ["location"]}
    head = subprocess.check_output(["git", "-C", checkout, "rev-parse", "HEAD"], text=True)
    assert written["commit"] == head.strip()


def test_a_schema_that_is_gone_is_named_and_the_file_stays(checkout: Path) -> None:
    (checkout / "google-beta" / "services" / "storage" / "bucket.go").write_text("package storage\n")
    before = (checkout / "terraform.json").read_text()
    with pytest.raises(LookupError, match="no schema Bucket"):
        update(checkout)
    assert (checkout / "terraform.json").read_text() == before
