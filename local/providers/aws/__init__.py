"""A fake of the provider aws, which calls the laptop's AWS with boto3."""
