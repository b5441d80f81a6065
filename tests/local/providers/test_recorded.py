"""Resource types that nothing in local/ names, under the real engine: a whole life on both clouds."""

import importlib
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import rpc
from pulumi_aws import sqs
from pulumi_gcp import pubsub

from local.providers import sdk
from local.providers.aws.provider import Aws
from local.providers.aws.recorded import RECORDINGS as AWS
from local.providers.control import Control
from local.providers.gcp.provider import Gcp
from local.providers.gcp.recorded import RECORDINGS as GCP
from local.providers.recorded import RecordedResource
from local.providers.resource import Resource
from tests.local.providers.conftest import NOWHERE, Engine, Program, ask

QUEUE = "aws:sqs/queue:Queue"


def queues(
    *, delay: int = 0, fifo: bool | None = None, label: str = "a", retain: bool = False, **options: Any
) -> Program:
    def program() -> None:
        opts = pulumi.ResourceOptions(retain_on_delete=retain, **options)
        queue = sqs.Queue("jobs", name="jobs", delay_seconds=delay, fifo_queue=fifo, tags={"label": label}, opts=opts)
        topic = pubsub.Topic("jobs", name="jobs", labels={"label": label})
        for name, output in {"arn": queue.arn, "url": queue.url, "id": queue.id, "topic": topic.id}.items():
            pulumi.export(name, output)

    return program


@pytest.mark.prove
def test_a_life(engine: Engine, clouds: Path) -> None:
    assert engine.preview(queues()) == {"create": 3}
    assert engine.up(queues()) == {"create": 3}
    assert engine.output("arn") == "arn:aws:sqs:eu-west-1:123456789012:jobs"
    assert engine.output("url") == "https://url.invalid/jobs"
    assert engine.output("topic") == "projects/laptop/topics/jobs"
    assert engine.up(queues()) == engine.refresh() == {}
    assert engine.up(queues(delay=1, label="b")) == {"update": 2}

    recorded = ask(clouds, "GET", "recorded", QUEUE, "jobs")
    assert recorded["inputs"]["delaySeconds"] == 1
    ask(clouds, "PUT", "recorded", QUEUE, "jobs", body=recorded | {"inputs": recorded["inputs"] | {"delaySeconds": 9}})
    assert engine.refresh() == {"update": 1}
    assert engine.up(queues(delay=1, label="b")) == {"update": 1}
    ask(clouds, "DELETE", "recorded", QUEUE, "jobs")
    assert engine.refresh() == {"delete": 1}
    assert engine.up(queues(delay=1, label="b")) == {"create": 1}

    # CloudFormation says that FifoQueue cannot change; the name is taken, so the old one goes first.
    assert engine.up(queues(fifo=True, delay=1, label="b")) == {"replace": 1}
    assert engine.destroy() == {"delete": 3}


@pytest.mark.prove
def test_one_that_was_left_alone_is_imported(engine: Engine, clouds: Path) -> None:
    engine.up(queues(delay=1, retain=True))
    engine.destroy()
    assert ask(clouds, "GET", "recorded", QUEUE, "jobs")
    assert engine.up(queues(delay=1, import_="jobs")) == {"create": 2, "import": 1}
    assert engine.up(queues(delay=1)) == {}
    engine.destroy()


def every_type(package: str) -> list[str]:
    importlib.import_module(f"pulumi_{package}")
    modules: dict[str, list[Any]] = vars(rpc)["_RESOURCE_MODULES"]
    of_package = [module for key, versions in modules.items() if key.startswith(f"{package}:") for module in versions]
    return sorted(token for module in of_package for token in module.mod_info["classes"])


@pytest.mark.prove
@pytest.mark.parametrize("provider", [Aws(NOWHERE), Gcp(NOWHERE)], ids=["aws", "gcp"])
def test_every_type_of_the_sdk_can_be_recorded(provider: Aws | Gcp, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []

    def control(self: Control, *request: str, body: dict[str, Any]) -> None:
        sent.append(body)

    monkeypatch.setattr(Control, "__call__", control)
    provider.settings = {"project": "laptop"}
    tokens = every_type(provider.package)
    assert len(tokens) > 1000
    for token in tokens:
        resource: Resource = provider.resource(token)
        if token in {*AWS, *GCP} or not isinstance(resource, RecordedResource):
            continue
        inputs = sdk.properties(sdk.args_type(token))
        assert resource.create({name: "x" for name, kind in inputs.items() if sdk.takes_text(kind)}), token
        assert sdk.outputs(token).keys() - inputs.keys() <= sent.pop()["outputs"].keys(), token
