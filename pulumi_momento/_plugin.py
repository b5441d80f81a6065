"""Which provider plugin this package asks the engine for: the one of its own version."""

from importlib.metadata import version

import pulumi

VERSION = version("pulumi-momento")


def with_plugin(options: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions.merge(pulumi.ResourceOptions(version=VERSION), options)
