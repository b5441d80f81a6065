"""The users of the load, for locust, which has an environment of its own: `locust -f benchmarks/load/users.py`.

The first line of stdin is a JSON object: `urls` by the target's name, `users` for each target, their `rate` in requests
a second together, the `token` or null, and the `readers` as the API has them. Each request is printed as a line of
JSON, and the end of stdin ends the load.
"""

import json
import os
import random
import signal
import sys
from typing import Any
from urllib.parse import quote

import gevent
import gevent.os
from locust import HttpUser, constant_throughput, events, task

LOAD = json.loads(sys.stdin.readline())
TIMEOUT = 30  # seconds
TOKEN = {"Authorization": f"Bearer {LOAD['token']}"} if LOAD["token"] else {}


class Person(HttpUser):
    """Reads users, followers and pictures, with and without the cache, and edits a profile now and then."""

    abstract = True
    target: str
    url: str
    wait_time = constant_throughput(LOAD["rate"] / LOAD["users"])

    @task(20)
    def followers(self) -> None:
        self.read("followers")

    @task(20)
    def cached_followers(self) -> None:
        self.read("cached-followers")

    @task(15)
    def user(self) -> None:
        self.read("users")

    @task(15)
    def cached_user(self) -> None:
        self.read("cached-users")

    @task(5)
    def picture(self) -> None:
        self.read("profile-pic")

    @task(5)
    def cached_picture(self) -> None:
        self.read("cached-profile-pic")

    @task(1)
    def edit(self) -> None:
        reader = random.choice(LOAD["readers"])
        body = reader | {"name": f"Reader {random.randrange(1000)}"}
        self.ask("PUT", "users", reader["id"], json=body, headers={"If-Match": "*"} | TOKEN)

    def read(self, route: str) -> None:
        reader = random.choice(LOAD["readers"])["id"]
        self.ask("GET", route, reader, headers=TOKEN or {"X-User-Id": reader})

    def ask(self, method: str, route: str, user: str, **request: Any) -> None:
        name = f"{self.target} {method}:/{route}"
        url = f"{self.url}/{route}/{quote(user)}"  # not of `host`, which locust's page can change
        self.client.request(method, url, name=name, timeout=TIMEOUT, **request)


for name, url in LOAD["urls"].items():
    people = f"people_of_{name}"  # a host can have the name of a module
    globals()[people] = type(people, (Person,), {"host": url, "url": url, "target": name, "fixed_count": LOAD["users"]})


@events.request.add_listener
def say(name: str, start_time: float, response_time: float, exception: object, **_: object) -> None:
    target, _, api = name.partition(" ")
    print(json.dumps([start_time, target, api, round(response_time, 3), exception is not None]), flush=True)


@events.init.add_listener
def end_with_stdin(**_: object) -> None:
    def wait() -> None:
        while gevent.os.tp_read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    gevent.spawn(wait)
