"""Errors that the control API answers for every cloud."""


class NotFound(LookupError):
    """A resource that a cloud does not have; the message names it."""
