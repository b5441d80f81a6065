"""What the engine finds where it would start a plugin: a provider in this process, which also runs the program."""

import pulumi
from pulumi_aws import Provider, get_caller_identity, sqs

from local.providers.aws.cloud import ACCOUNT
from local.providers.sdk import importing
from tests.local.providers.conftest import REGION, Engine


def test_a_program_may_wait_for_a_provider(engine: Engine) -> None:
    """It holds the lock of imports. The engine first checks the queue, then the provider that the program waits for."""

    def program() -> None:
        with importing:
            queue = sqs.Queue("jobs", name="jobs")
            provider = Provider("there", region="us-west-2")
            pulumi.export("account", get_caller_identity(opts=pulumi.InvokeOptions(provider=provider)).account_id)
            pulumi.export("arn", queue.arn)

    engine.up(program)
    assert (engine.output("account"), engine.output("arn")) == (ACCOUNT, f"arn:aws:sqs:{REGION}:{ACCOUNT}:jobs")


def test_each_provider_of_a_stack_has_a_configuration_of_its_own(engine: Engine) -> None:
    def program() -> None:
        there = pulumi.ResourceOptions(provider=Provider("there", region="us-west-2"))
        pulumi.export("here", sqs.Queue("here", name="here").arn)
        pulumi.export("there", sqs.Queue("there", name="there", opts=there).arn)

    engine.up(program)
    assert engine.output("here") == f"arn:aws:sqs:{REGION}:{ACCOUNT}:here"
    assert engine.output("there") == f"arn:aws:sqs:us-west-2:{ACCOUNT}:there"
