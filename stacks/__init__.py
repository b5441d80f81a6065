"""The Pulumi stacks of both clouds, and the one artifact that they deploy. Never imports `app`."""
