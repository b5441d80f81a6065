"""The Pulumi project for a project of Google Cloud."""
