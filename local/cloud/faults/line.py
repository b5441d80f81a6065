"""A line between two ends, on which any number of chunks are at the same time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

CHUNK = 64 * 1024  # bytes
MOST = 256  # chunks

type Chunks = asyncio.Queue[tuple[float, bytes]]
type Travel = Callable[[float, bytes], Awaitable[None]]


async def pump(sender: asyncio.StreamReader, receiver: asyncio.StreamWriter, travel: Travel) -> None:
    """Forward until the sender ends, or the receiver is gone. Each chunk arrives when `travel` returns, which gets the
    time.monotonic() at which it was sent; a chunk waits for those before it.
    """
    chunks: Chunks = asyncio.Queue(MOST)
    arriving = asyncio.create_task(_arrive(chunks, receiver, travel))
    try:
        with suppress(asyncio.QueueShutDown):
            while chunk := await sender.read(CHUNK):
                await chunks.put((time.monotonic(), chunk))
        chunks.shutdown()
        await arriving
    finally:
        arriving.cancel()


async def _arrive(chunks: Chunks, receiver: asyncio.StreamWriter, travel: Travel) -> None:
    try:
        while True:
            sent, chunk = await chunks.get()
            await travel(sent, chunk)
            receiver.write(chunk)
            await receiver.drain()
    except (asyncio.QueueShutDown, OSError):
        chunks.shutdown(immediate=True)


async def sleep_until(when: float) -> None:
    """`when` is a reading of time.monotonic()."""
    if (left := when - time.monotonic()) > 0:
        await asyncio.sleep(left)
