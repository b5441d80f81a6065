"""What each request to a revision came to, from the lines that the clouds log for each, not from metrics."""

from dataclasses import dataclass

from ops.stack import Stack

LIMIT = 5000
"""The most requests that are read."""


@dataclass(frozen=True)
class Request:
    """`cold` says that it was the first of its process, which Google's log does not tell. `at` is Unix time."""

    failed: bool
    milliseconds: float
    cold: bool
    at: float


def read(stack: Stack, revision: str, begin: float, end: float) -> list[Request]:
    """The newest requests that `revision` ended from `begin` to `end` (Unix time in seconds), newest first.

    Both clouds take seconds to make a line readable, so a window that ends now lacks its last requests. Raises
    UsageError.
    """
    if stack.output("cloud") == "aws":
        from ops import lambda_log as log  # late, because importing botocore takes 0.2 s
    else:
        from ops import cloud_run_log as log  # late, because importing google.auth takes as long
    return log.read(stack, revision, begin, end)
