"""The values of expressions in workflows.

https://docs.github.com/en/actions/reference/workflows-and-actions/expressions
"""

import pytest

from tests.e2e.expressions import Value, condition, interpolated

CONTEXTS: dict[str, Value] = {
    "inputs.first": False,
    "inputs.stack": "aws-prod",
    "vars.URL": "s3://bucket",
    "needs.plan.result": "skipped",
    "github.ref_name": "v1",
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${{ inputs.stack }}-2", "aws-prod-2"),
        ("${{ inputs.first }} ${{github.ref_name}}", "false v1"),
        ("${{ startsWith(inputs.stack, 'AWS') && vars.URL || vars.OTHER }}", "s3://bucket"),
        ("${{ startsWith(inputs.stack, 'gcp') && vars.URL || vars.OTHER }}", ""),
        ("${{ inputs.first && '1' || 'it''s none' }}", "it's none"),
        ("${{ inputs.stack == 'AWS-PROD' }}", "true"),
        ("${{ secrets.KEY }}", ""),
        ("no expression", "no expression"),
    ],
)
def test_a_text_with_expressions(text: str, value: str) -> None:
    assert interpolated(text, CONTEXTS) == value


@pytest.mark.parametrize(
    ("text", "after_success", "after_failure"),
    [
        ("success()", True, False),
        ("failure()", False, True),
        ("!cancelled()", True, True),
        ("!inputs.first", True, False),
        ("inputs.first", False, False),
        ("inputs.stack != 'gcp'", True, False),
        ("${{ !cancelled() && (needs.plan.result == 'success' || inputs.first) }}", False, False),
        ("${{ !cancelled() && (needs.plan.result == 'success' || !inputs.first) }}", True, True),
        ("inputs.first && inputs.first || !inputs.first", True, False),
        ("inputs.first && (inputs.first || !inputs.first)", False, False),
    ],
)
def test_a_condition(text: str, after_success: bool, after_failure: bool) -> None:
    assert [condition(text, CONTEXTS, failed=failed) for failed in (False, True)] == [after_success, after_failure]


@pytest.mark.parametrize(
    "text",
    [
        "inputs.frist",
        "steps.plan.outcome == 'success'",
        "inputs.first == 'false'",
        "contains(inputs.stack, 'aws')",
        "startsWith(inputs.stack)",
        "inputs.stack inputs.stack",
        "(inputs.first",
        "inputs.stack ==",
        "startsWith(inputs.stack, 'a'",
        "inputs.stack > 'a'",
        "inputs[0]",
        "",
    ],
)
def test_what_is_unknown_is_no_empty_string(text: str) -> None:
    with pytest.raises(ValueError, match=r" is unknown$"):
        condition(text, CONTEXTS, failed=False)
