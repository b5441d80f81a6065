"""The Pulumi stacks of both clouds, and the artifact that they deploy. Never imports `app`."""
