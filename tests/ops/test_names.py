"""What a stack's name means, also of a stack without a file, and what a typo gets said."""

import pytest

from ops.names import all_named, expiry, one_stack, stacks_of, template
from ops.stack import UsageError, project_key

FILES = ["aws", "aws-prod", "aws-pr-12", "aws-feature-12", "gcp", "gcp-prod"]


@pytest.mark.parametrize(
    ("name", "stacks"),
    [
        ("aws", ["aws"]),
        ("aws-prod", ["aws-prod"]),
        ("prod", ["aws-prod", "gcp-prod"]),
        ("aws-ann", ["aws-ann"]),
        ("gcp-0123456789", ["gcp-0123456789"]),
        ("ann", ["aws-ann", "gcp-ann"]),
        ("pr-123", ["aws-pr-123", "gcp-pr-123"]),
        ("aws-pr-13", ["aws-pr-13"]),  # like aws-pr-12, which has a file
        ("aws-pr-1", ["aws-pr-1"]),
        ("aws-pr-21", ["aws-pr-21"]),
        ("feature-12", ["aws-feature-12", "gcp-feature-12"]),
        ("pr-12", ["aws-pr-12", "gcp-pr-12"]),
    ],
)
def test_a_name_means_one_stack_or_one_on_each_cloud(name: str, stacks: list[str]) -> None:
    assert stacks_of(name, FILES) == stacks


@pytest.mark.parametrize(
    ("name", "meant"),
    [("awss", "aws"), ("gpc", "gcp"), ("awss-prod", "aws-prod"), ("gcp-prd", "gcp-prod"), ("aws-porr-12", "aws-pr-12")],
)
def test_a_typo_is_asked_about(name: str, meant: str) -> None:
    with pytest.raises(UsageError, match=f"^there is no stack '{name}': did you mean {meant}[?]$"):
        stacks_of(name, FILES)


@pytest.mark.parametrize("name", ["", "Ann", "-ann", "ann-", "a--b", "ann.b", "feature/login", "12345678901", "ä"])
def test_a_name_that_no_stack_can_have(name: str) -> None:
    """With the project's name it is Google's id of a service account, of up to 30 characters."""
    with pytest.raises(
        UsageError, match=r"^there is no stack .*: there are aws, aws-feature-12, aws-pr-12, aws-prod, gcp, [^\n]*10 "
    ) as error:
        stacks_of(name, FILES)
    assert repr(name) in str(error.value)


def test_a_command_for_one_stack() -> None:
    assert one_stack("aws-ann", FILES) == "aws-ann"
    with pytest.raises(UsageError, match=r"^ann is the stacks aws-ann and gcp-ann: name one of them$"):
        one_stack("ann", FILES)


def test_a_stack_that_is_named_twice_is_one() -> None:
    names = ["pr-12", "aws-pr-12", "acme/better-together/aws", "acme/better-together/aws"]
    assert all_named(names) == ["aws-pr-12", "gcp-pr-12", "acme/better-together/aws"]


def test_a_domain_is_not_shared() -> None:
    config = {project_key("domain"): "a.example.com", project_key("domainZone"): "Z1", "aws:region": "us-east-1"}
    assert template(config) == {"aws:region": "us-east-1"}


@pytest.mark.parametrize("hours", ["0", "-1", "1.5", "10000", "soon", ""])
def test_a_time_to_live_that_is_none(hours: str) -> None:
    with pytest.raises(UsageError, match=f"^HOURS is '{hours}': it takes 1 to 9999$"):
        expiry(hours)
