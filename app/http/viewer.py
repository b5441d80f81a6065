"""Who is asking."""

from flask import Request


def viewer(request: Request) -> str | None:
    """The id in `X-User-Id`, which the demo believes; None without one."""
    return request.headers.get("X-User-Id")
