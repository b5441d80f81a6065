"""One stack: its configuration, the artifact, the cloud's resources, the outputs."""

from pathlib import Path

import pulumi

from stacks.artifact import ArtifactError, build
from stacks.config import StackConfig

config = StackConfig.load()
try:
    artifact = build(Path(__file__).resolve().parent)
except ArtifactError as error:
    raise pulumi.RunError(str(error)) from None

if config.cloud == "aws":
    from stacks.aws import AwsStack as Stack
else:
    from stacks.gcp import GcpStack as Stack

for name, value in Stack(config.name, config, artifact).outputs.items():
    pulumi.export(name, value)
