"""Errors of either cloud that the control API reports."""


class NotFound(LookupError):
    """A cloud does not have the resource that the message names."""
