"""The round trips of each route to its upstreams. Each measured upstream call is one, also of a batch."""

import io
import json
from collections import Counter

from app.bootstrap import assemble
from app.cache.momento import MomentoCache
from app.metrics import Metrics
from app.model import User
from app.settings import Settings
from tests.app.clients import wsgi_client
from tests.app.stores import NewDataClient, on_real_stores

FOLLOWERS = [f"f{i}" for i in range(100)]
EXPECTED = {
    "/users/1": {"store": 1},
    "/followers/1": {"store": 2},
    "/profile-pic/1": {"store": 1},
    "/users?limit=100": {"store": 1},
    "/cached-users/1 cold": {"GetBatch": 1, "store": 1, "SetIfNotExists": 1},
    "/cached-users/1 warm": {"GetBatch": 1},
    "/cached-followers/2 cold": {"GetBatch": 2, "store": 2, "SetIfNotExists": 2},
    "/cached-followers/2 warm": {"GetBatch": 2},
    "/cached-profile-pic/1 cold": {"GetBatch": 1, "store": 1, "SetIfNotExists": 1},
    "/cached-profile-pic/1 warm": {"GetBatch": 1},
}


@on_real_stores()
def test_round_trips(new_data_client: NewDataClient, metrics: Metrics, log: io.StringIO, cache: MomentoCache) -> None:
    data = new_data_client(metrics)
    data.put_users([User(id="1", name="One", version="a", followers=tuple(FOLLOWERS), profile_pic=b"GIF89a")])
    data.put_users([User(id="2", name="Two", version="a", followers=tuple(FOLLOWERS[:10]))])
    data.put_users([User(id=i, name=i, version="a") for i in FOLLOWERS])
    measured: dict[str, dict[str, int]] = {}
    with wsgi_client(assemble(Settings(), metrics, data, cache)) as client:
        for label in EXPECTED:
            log.seek(0)
            log.truncate()
            assert client.get(label.split()[0], headers={"X-User-Id": "1"}).status_code == 200
            measured[label] = dict(_round_trips(log))
            for follower in FOLLOWERS[:10] if label == "/cached-followers/2 cold" else []:
                client.get(f"/cached-users/{follower}")  # the fill of all ten may have been too late
    assert measured == EXPECTED


def _round_trips(log: io.StringIO) -> Counter[str]:
    calls = [line for line in map(json.loads, log.getvalue().splitlines()) if "upstream" in line]
    return Counter(call["operation"] if call["upstream"] == "momento" else "store" for call in calls)
