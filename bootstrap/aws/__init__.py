"""The Pulumi project for an AWS account."""
