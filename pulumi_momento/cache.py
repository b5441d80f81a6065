"""The resource momento:index:Cache."""

import pulumi

from pulumi_momento._plugin import with_plugin


class Cache(pulumi.CustomResource):
    """A cache of Momento Cache (Serverless): a namespace for items in memory, of at most 5 MB and 24 hours each.

    A change of the name replaces the cache: the old one is deleted with its items. Creating a cache that exists already
    fails; `pulumi import momento:index:Cache <resource name> <cache name>` adopts it.
    """

    name: pulumi.Output[str]
    """The cache's name in Momento, also its id."""

    def __init__(
        self,
        resource_name: str,
        name: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """
        :param name: 3 to 255 letters, digits, hyphens, underscores and dots. By default the resource's name, a hyphen
            and seven random hexadecimal digits.
        """
        super().__init__("momento:index:Cache", resource_name, {"name": name}, with_plugin(opts))

    @staticmethod
    def get(resource_name: str, id: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None) -> "Cache":
        """Look up an existing cache that this program does not manage. `id` is the cache's name."""
        return Cache(resource_name, opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=id)))
