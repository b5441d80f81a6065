"""Asks the engine for the provider plugin of this package's version."""

from importlib.metadata import version

import pulumi

VERSION = version("pulumi-momento")


def with_plugin(options: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions.merge(pulumi.ResourceOptions(version=VERSION), options)
