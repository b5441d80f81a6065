"""The Pulumi program: one stack on one cloud."""

import gc
from pathlib import Path

import pulumi

from stacks import sealed_plan
from stacks.archive_file import promoted
from stacks.artifact import ArtifactError, build
from stacks.config import BUILD, PROMOTED
from stacks.config_keys import load
from stacks.front_door import closes_own_url
from stacks.last_deployment import last_outputs, last_resources, newest_revision
from stacks.rollout import Rollout, known_releases

gc.disable()  # the SDKs' million objects are no garbage, and looking through them takes a quarter of the imports' time

root = Path(__file__).resolve().parent
before, resources = last_outputs(), last_resources()
state = sealed_plan.fingerprint(before, resources)
sealed_plan.check(state)
config = load(before)
try:
    if config.artifact == BUILD:
        archive = build(root).archive(config.cloud)
    elif config.artifact == PROMOTED or config.artifact in known_releases(before):
        archive = None
    else:
        archive = promoted(root, config.cloud, config.artifact)
except ArtifactError as error:
    raise pulumi.RunError(str(error)) from None
rollout = Rollout.plan(config, archive and archive.digest, before, newest_revision(resources))
sealed_plan.write_facts(state, rollout.digest)

if config.cloud == "aws":
    from stacks.aws import AwsStack as Stack
else:
    from stacks.gcp import GcpStack as Stack

stack = Stack(config.name, config, archive, rollout, closes_own_url(config, before))
for name, value in stack.outputs.items():
    pulumi.export(name, value)
