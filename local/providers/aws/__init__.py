"""A fake pulumi-resource-aws, which calls the laptop's AWS with boto3."""
