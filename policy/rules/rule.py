"""A rule is a function that yields violations. Its name becomes the policy's name, its docstring the description."""

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase

from pulumi_policy import (
    EnforcementLevel,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

type Resource = ResourceValidationArgs | PolicyResource


def resource_rule(
    *types: str, level: EnforcementLevel = EnforcementLevel.MANDATORY
) -> Callable[[Callable[[Resource], Iterator[str]]], ResourceValidationPolicy]:
    """A rule for each resource of these types, which may be patterns (`gcp:*`), before the engine creates it.

    The function yields one line per violation: the property, its value and the fix. If it reads a value that is not
    known in preview, the engine reports that, and applies the rule in the update before it creates the resource.
    """

    def decorate(check: Callable[[Resource], Iterator[str]]) -> ResourceValidationPolicy:
        def validate(resource: ResourceValidationArgs, report: ReportViolation) -> None:
            if any(fnmatchcase(resource.resource_type, pattern) for pattern in types):
                for fault in check(resource):
                    report(f"{_title(resource)}: {fault}", None)

        return ResourceValidationPolicy(_name(check), _description(check), validate, level)

    return decorate


def stack_rule(check: Callable[[list[PolicyResource]], Iterator[tuple[Resource, str]]]) -> StackValidationPolicy:
    """A rule for all resources together, at the end of a preview or update.

    The function yields the violating resource with each line.
    """

    def validate(stack: StackValidationArgs, report: ReportViolation) -> None:
        for resource, fault in check(stack.resources):
            report(f"{_title(resource)}: {fault}", resource.urn)

    return StackValidationPolicy(_name(check), _description(check), validate)


def _title(resource: Resource) -> str:
    return f"{resource.resource_type.rpartition(':')[2]} {resource.name}"


def _name(check: Callable[..., object]) -> str:
    return check.__name__.replace("_", "-")


def _description(check: Callable[..., object]) -> str:
    assert check.__doc__
    return check.__doc__
