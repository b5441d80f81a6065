"""What the engine finds where it would start a plugin: a provider in this process, which also runs the program."""

from pathlib import Path
from threading import Thread

import pulumi
import pytest
from pulumi_aws import Provider, get_caller_identity, mq, sqs

from local.providers.aws.cloud import ACCOUNT
from local.providers.aws.provider import Aws
from local.providers.sdk import importing
from local.providers.values import Props
from tests.local.providers.conftest import REGION, Engine


def test_a_program_may_wait_for_a_provider(engine: Engine) -> None:
    """It holds the lock of imports meanwhile."""

    def program() -> None:
        with importing:
            mq.Broker("b", broker_name="b", engine_type="A", engine_version="1", host_instance_type="m", users=[])
            get_caller_identity()
            provider = Provider("there", region="us-west-2")
            found = get_caller_identity(opts=pulumi.InvokeOptions(provider=provider))
            pulumi.export("account", found.account_id)

    up = Thread(target=engine.up, args=[program], daemon=True)
    up.start()
    up.join(60)
    assert not up.is_alive()
    assert engine.output("account") == ACCOUNT


def test_each_provider_of_a_stack_has_a_configuration_of_its_own(engine: Engine) -> None:
    def program() -> None:
        there = pulumi.ResourceOptions(provider=Provider("there", region="us-west-2"))
        pulumi.export("here", sqs.Queue("here", name="here").arn)
        pulumi.export("there", sqs.Queue("there", name="there", opts=there).arn)

    engine.up(program)
    assert engine.output("here") == f"arn:aws:sqs:{REGION}:{ACCOUNT}:here"
    assert engine.output("there") == f"arn:aws:sqs:us-west-2:{ACCOUNT}:there"


def test_an_unexpected_error_is_one_line_and_its_traceback_in_a_file(
    engine: Engine, clouds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def function(self: Aws, token: str, args: Props) -> Props:
        raise KeyError("surprise")

    monkeypatch.setattr(Aws, "function", function)
    with pytest.raises(
        pulumi.automation.errors.CommandError, match=r"KeyError: 'surprise' \(the traceback: .*/logs/providers\.log\)"
    ):
        engine.preview(lambda: pulumi.export("account", get_caller_identity().account_id))
    assert "Traceback" in (clouds / "logs" / "providers.log").read_text()
