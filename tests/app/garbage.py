"""What a cache may hold instead of a user.

`app/.venv/bin/python -m tests.app.garbage ENDPOINT CACHE PREFIX`, with MOMENTO_API_KEY in the environment, writes all
of it into a Momento cache where users and their pictures are looked for, and prints the users' ids as JSON: PREFIX and
a number.
"""

import dataclasses
import json
import os
import sys
from datetime import timedelta
from urllib.parse import urlsplit

import msgspec
from momento import CacheClient, Configurations, CredentialProvider
from momento.responses import CacheSet

GARBAGE = {
    "garbage": b"\xc1garbage",
    "another type": msgspec.msgpack.encode("user"),
    "an older schema": msgspec.msgpack.encode((0, {"id": "1", "name": "Old Ann"})),
    "a field too many": msgspec.msgpack.encode(
        (1, {"id": "1", "name": "Old", "followers": [], "version": "0", "age": 3})
    ),
    "a field too few": msgspec.msgpack.encode((1, {"id": "1", "name": "Old"})),
    "deep nesting": b"\x92\x01" + b"\x91" * 100_000,
}


def main() -> None:
    endpoint, cache, prefix = sys.argv[1:]
    url = urlsplit(endpoint)
    local = CredentialProvider.for_momento_local(url.hostname or "", url.port or 0)
    credentials = dataclasses.replace(local, auth_token=os.environ["MOMENTO_API_KEY"])
    values = {f"{prefix}{number}": value for number, value in enumerate(GARBAGE.values())}
    with CacheClient(Configurations.Laptop.latest(), credentials, timedelta(minutes=1)) as client:
        for user_id, value in values.items():
            for kind in ("user", "picture"):
                answer = client.set(cache, f"{kind}:{user_id}", value)
                assert isinstance(answer, CacheSet.Success), answer
    print(json.dumps(list(values)))


if __name__ == "__main__":
    main()
