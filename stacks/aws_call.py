"""Calls a function of the AWS provider while the program goes on; the SDK's own functions wait for the answer."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import pulumi


async def call(function: str, arguments: Mapping[str, Any]) -> Any:
    """The function's result. Raises the provider's error as a plain Exception.

    The version is that of the SDK, as for resources: a call without one would bring a second provider, of whatever
    version is installed, into the stack.
    """
    options = pulumi.InvokeOptions(version=version("pulumi_aws"))
    return await pulumi.runtime.invoke_async(function, dict(arguments), options)
