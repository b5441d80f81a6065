"""A fake pulumi-resource-gcp, which forwards to the daemon; the daemon keeps Google Cloud's resources."""
