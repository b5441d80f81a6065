"""The demo users, the same ones every time."""

import random
import struct
import zlib
from collections.abc import Iterator

from app.model import UserInput

USERS = 100
FOLLOWERS = 5
SEED = 2022
PIXELS = 8

FIRST_NAMES = ("Ada", "Alan", "Barbara", "Edsger", "Frances", "Grace", "John", "Katherine", "Ken", "Radia")
LAST_NAMES = (
    "Allen",
    "Dijkstra",
    "Hopper",
    "Johnson",
    "Liskov",
    "Lovelace",
    "McCarthy",
    "Perlman",
    "Thompson",
    "Turing",
)


def demo_users() -> Iterator[UserInput]:
    """Users 1 to 100, each with 5 followers among the others and a small PNG."""
    dice = random.Random(SEED)
    ids = [str(i + 1) for i in range(USERS)]
    for number, user_id in enumerate(ids):
        yield UserInput(
            id=user_id,
            name=f"{FIRST_NAMES[number % 10]} {LAST_NAMES[number // 10]}",
            followers=tuple(dice.sample([i for i in ids if i != user_id], FOLLOWERS)),
            profile_pic=_identicon(dice),
        )


def _identicon(dice: random.Random) -> bytes:
    """A PNG of 8 x 8 pixels in one colour, mirrored left to right (https://www.w3.org/TR/png-3/)."""
    colour = bytes(dice.randrange(32, 224) for _ in range(3))
    rows = b""
    for _ in range(PIXELS):
        half = [dice.choice((colour, b"\xff\xff\xff")) for _ in range(PIXELS // 2)]
        rows += b"\0" + b"".join(half + half[::-1])
    header = struct.pack(">IIBBBBB", PIXELS, PIXELS, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
