"""The fake of pulumi-resource-gcp: a forwarder to the daemon, which keeps Google Cloud's resources."""
