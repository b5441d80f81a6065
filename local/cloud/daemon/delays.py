"""Delays in the connections to the data services, for as long as a client holds them."""

from collections.abc import Mapping

import msgspec
from aiohttp import web

from local.cloud.faults.proxy import FaultProxy

LONGEST = 1.0  # seconds


class Held(Exception):
    """Another client holds delays."""


async def hold(request: web.BaseRequest, proxies: Mapping[str, FaultProxy]) -> web.StreamResponse:
    """Delays by the seconds in the body's first line, such as `{"aws": 0.005}`, until the body or its connection ends.

    The response begins when the delays do. So no delay outlives the client, however that ends. Raises ValueError for
    another line, and Held.
    """
    wanted = msgspec.json.decode(await request.content.readline(), type=dict[str, float])
    if not wanted:
        raise ValueError("no delay is given")
    for name, seconds in wanted.items():
        if name not in proxies or not 0 < seconds <= LONGEST:
            raise ValueError(
                f"a delay of {seconds} s in {name!r} is not one of {', '.join(proxies)} up to {LONGEST:g} s"
            )
    if any(proxy.delay for proxy in proxies.values()):
        raise Held("another client holds delays: only one can")
    response = web.StreamResponse()
    try:
        for name, seconds in wanted.items():
            proxies[name].delay = seconds
        await response.prepare(request)
        async for _ in request.content.iter_any():
            pass
    except ConnectionError:
        pass
    finally:
        for proxy in proxies.values():
            proxy.delay = 0
    return response
