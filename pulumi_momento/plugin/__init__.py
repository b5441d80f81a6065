"""The provider plugin: the process that the Pulumi engine starts to manage Momento caches."""
