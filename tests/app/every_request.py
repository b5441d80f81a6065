"""Requests of every method to every path, through the Lambda handler of an app with this process's environment, which
logs to stdout. Its store is moto's DynamoDB, and its cache the laptop's Momento.
"""

import os
import re

import httpx
from flask import Flask

from app.aws_handler import create_handler
from app.bootstrap import create_app_from_environ
from local.cloud.momento import MomentoServer
from tests.app.events import LambdaTransport
from tests.app.servers import MOMENTO_API_KEY, momento_cache, moto
from tests.app.stores import create_table

METHODS = ("POST", "GET", "HEAD", "PUT", "OPTIONS", "PATCH", "BREW", "DELETE")
USER_ID = "1"
USER = {"id": USER_ID, "name": "Ada", "followers": [USER_ID, "2"]}
HEADERS = {"If-Match": "*", "X-User-Id": USER_ID, "Origin": "https://www.example.com"}
NO_ISSUER = "http://127.0.0.1:1"


def main() -> None:
    with moto() as aws, MomentoServer(MOMENTO_API_KEY) as momento:
        for name, table in os.environ.items():
            if name.endswith("_TABLE"):
                create_table(aws, table)
        cache = momento_cache(momento)
        os.environ |= {"AWS_ENDPOINT_URL": aws, "MOMENTO_ENDPOINT": cache.endpoint, "MOMENTO_CACHE": cache.name}
        os.environ |= {"MOMENTO_API_KEY": MOMENTO_API_KEY, "MOMENTO_API_KEY_PARAMETER": ""}
        ask_everything(create_app_from_environ())
        os.environ |= {"AUTH_ISSUER": NO_ISSUER, "AUTH_AUDIENCE": "better-together"}
        ask_everything(create_app_from_environ())


def ask_everything(app: Flask) -> None:
    paths = {re.sub("<.*>", USER_ID, rule.rule) for rule in app.url_map.iter_rules()}
    with httpx.Client(transport=LambdaTransport(create_handler(app)), base_url="http://testserver") as client:
        for path in sorted(paths | {"/nowhere", "/cached-users/nobody"}):
            for method in METHODS:
                body = USER if method in ("POST", "PUT") else None
                client.request(method, path, json=body, headers=HEADERS)
                client.options(path, headers=HEADERS | {"Access-Control-Request-Method": method})


main()
