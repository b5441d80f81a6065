"""Replacement rules are read from the sources of Google's Terraform provider, under Pulumi's names."""

import pytest

from local.providers.gcp.terraform_schemas import pulumi_path, rules
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
