"""The Pulumi program: one stack on one cloud."""

from pathlib import Path

import pulumi

from stacks.artifact import ArtifactError, build
from stacks.config_keys import load
from stacks.front_door import closes_own_url
from stacks.rollout import Rollout, last_outputs, last_tried

before = last_outputs()
config = load(before)
try:
    artifact = None if config.artifact else build(Path(__file__).resolve().parent)
except ArtifactError as error:
    raise pulumi.RunError(str(error)) from None
rollout = Rollout.plan(config, artifact and artifact.digest, before, last_tried())

if config.cloud == "aws":
    from stacks.aws import AwsStack as Stack
else:
    from stacks.gcp import GcpStack as Stack

stack = Stack(config.name, config, artifact, rollout, closes_own_url(config, before))
for name, value in stack.outputs.items():
    pulumi.export(name, value)
