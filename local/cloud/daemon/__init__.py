"""The process that holds both clouds, and its control API."""
