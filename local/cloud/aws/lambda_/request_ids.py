"""Request ids that carry their time: UUIDs of version 7 (RFC 9562, 5.7)."""

import secrets
import time
import uuid


def new() -> str:
    milliseconds = time.time_ns() // 1_000_000
    random = secrets.randbits(12) << 64 | secrets.randbits(62)
    return str(uuid.UUID(int=milliseconds << 80 | 7 << 76 | 0b10 << 62 | random))


def milliseconds(request_id: str) -> int:
    """The Unix time at which `new` made the id."""
    return uuid.UUID(request_id).int >> 80
