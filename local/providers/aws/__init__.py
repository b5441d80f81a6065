"""The stand-in for pulumi-resource-aws: boto3 against the laptop's AWS."""
