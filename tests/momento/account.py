"""Looks after caches behind the engine's back, with Momento's own client: run by the tests in the app's environment.

python account.py PORT API_KEY create|delete|list [NAME] prints the caches' names that are there in the end.
"""

import dataclasses
import json
import sys
from datetime import timedelta

from momento import CacheClient, Configurations, CredentialProvider
from momento.responses import CreateCache, DeleteCache, ListCaches


def main(port: str, api_key: str, verb: str, name: str = "") -> None:
    local = CredentialProvider.for_momento_local("127.0.0.1", int(port))
    credentials = dataclasses.replace(local, auth_token=api_key)
    with CacheClient(Configurations.Laptop.v1(), credentials, timedelta(minutes=1)) as client:
        if verb == "create":
            assert isinstance(client.create_cache(name), CreateCache.Success)
        if verb == "delete":
            assert isinstance(client.delete_cache(name), DeleteCache.Success)
        answer = client.list_caches()
        assert isinstance(answer, ListCaches.Success)
        print(json.dumps([cache.name for cache in answer.caches]))


main(*sys.argv[1:])
