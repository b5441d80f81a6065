"""No secrets in environment variables, which consoles show to everybody who may view a function."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from pulumi_policy.proxy import UnknownValueError
from sealed import Sealed

from rules.containers import containers
from rules.reading import below, has, listed
from rules.rule import Resource, resource_rule

SECRET_NAME = r"(.*_)?(API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)"
SECRET_VALUES = {
    "an AWS access key": r"(AKIA|ASIA)[A-Z0-9]{16}",
    "a Google API key": r"AIza[\w-]{35}",
    "a GitHub token": r"gh[pousr]_\w{36,}|github_pat_\w{22,}",
    "a private key": r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*",
    "a token (JWT, or a Momento key)": r"eyJ[\w+/=-]{8,}(\.[\w-]+){0,2}",
    "a random key": r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[\w+/=-]{40,}",
}


@resource_rule("aws:lambda/function:Function", "gcp:cloudrunv2/*")
def no_secrets_in_plain_variables(resource: Resource) -> Iterator[str]:
    """Secrets are in Parameter Store or Secret Manager, and environment variables only refer to them."""
    gcp = resource.resource_type.startswith("gcp:")
    fix = "take it from Secret Manager by valueSource.secretKeyRef" if gcp else "name an SSM parameter that holds it"
    for name, values, key in _variables(resource):
        if reason := _reason(name, values, key):
            yield f"the variable {name} {reason}: {fix}"


def _variables(resource: Resource) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """The plain variables: the name of each, and the mapping and key of its value."""
    variables = below(resource.props, "environment", "variables")
    yield from ((name, variables, name) for name in variables)
    for container in containers(resource):
        yield from ((env["name"], env, "value") for env in listed(container.get("envs")) if has(env, "value"))


def _reason(name: str, values: Mapping[str, Any], key: str) -> str:
    with suppress(UnknownValueError):
        value = values[key]
        if isinstance(value, Sealed):
            return "is a Pulumi secret in plain text"
        if not value:
            return ""
        for what, pattern in SECRET_VALUES.items():
            if re.fullmatch(pattern, value):
                return f"looks like {what}"
    return "has the name of a secret and a plain value" if re.fullmatch(SECRET_NAME, name, re.IGNORECASE) else ""
