"""The fake of pulumi-resource-aws: boto3 against the laptop's AWS."""
