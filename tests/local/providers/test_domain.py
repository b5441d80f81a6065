"""A domain of the aws stack under the real engine: in which order things come and go when it changes."""

from types import SimpleNamespace
from typing import cast

import pulumi
import pytest
from pulumi import automation as auto
from pulumi_aws import apigatewayv2

from stacks.aws_domain import custom_domain
from stacks.config import StackConfig
from tests.local.providers.conftest import Aws, Engine, Program

pytestmark = pytest.mark.prove


def front_door(domain: str | None, environment: str = "development") -> Program:
    """An HTTP API behind the domain alone, or without one behind its own URL."""

    def program() -> None:
        tags = {"environment": environment}
        api = apigatewayv2.Api(
            "api", name="api", protocol_type="HTTP", disable_execute_api_endpoint=bool(domain), tags=tags
        )
        stage = apigatewayv2.Stage("default", api_id=api.id, name="$default", auto_deploy=True, tags=tags)
        if domain:
            config = cast(StackConfig, SimpleNamespace(tags=tags, domain_zone="Z1"))
            custom_domain(config, domain, stage, pulumi.ResourceOptions())

    return program


def steps(engine: Engine, program: Program) -> list[str]:
    """What the engine does, one after the other, as `operation type::name`."""
    done: list[str] = []

    def note(event: auto.EngineEvent) -> None:
        step = event.res_outputs_event and event.res_outputs_event.metadata
        if step and step.op.value not in ("same", "replace"):
            done.append(f"{step.op.value} {step.type.rpartition(':')[2]}::{step.urn.rpartition('::')[2]}")

    engine.stack.up(program=program, on_event=note)
    return done


def test_the_new_name_leads_to_the_api_before_the_old_one_goes(engine: Engine, aws: Aws) -> None:
    engine.up(front_door("a.example.com"))
    done = steps(engine, front_door("b.example.com"))
    made = [step.removeprefix("create-replacement ") for step in done if step.startswith("create-")]
    gone = [step.removeprefix("delete-replaced ") for step in done if step.startswith("delete-")]
    assert done == [f"create-replacement {step}" for step in made] + [f"delete-replaced {step}" for step in gone]
    assert sorted(made) == sorted(gone)
    for record in ("Record::api-a", "Record::api-aaaa"):
        assert made.index("ApiMapping::api") < made.index(record)
        assert gone.index(record) < gone.index("ApiMapping::api")


def test_the_own_url_is_open_again_before_the_domain_goes(engine: Engine, aws: Aws) -> None:
    engine.up(front_door("a.example.com"))
    first, *others = steps(engine, front_door(None))
    assert first == "update Api::api"
    assert {step.partition(" ")[0] for step in others} == {"delete"}


def test_another_environment_replaces_nothing(engine: Engine, aws: Aws) -> None:
    engine.up(front_door("a.example.com"))
    done = steps(engine, front_door("a.example.com", "production"))
    tagged = ("Api::api", "Certificate::api", "DomainName::api", "Stage::default")
    assert sorted(done) == [f"update {resource}" for resource in tagged]
