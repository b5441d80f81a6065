"""HTTP clients of an app in this process."""

from collections.abc import Callable

import httpx
from flask import Flask

from app.aws_lambda import create_handler
from tests.app.events import LambdaTransport

type NewClient = Callable[[Flask], httpx.Client]


def wsgi_client(app: Flask) -> httpx.Client:
    return httpx.Client(transport=httpx.WSGITransport(app), base_url="http://testserver")


def lambda_client(app: Flask) -> httpx.Client:
    return httpx.Client(transport=LambdaTransport(create_handler(app)), base_url="http://testserver")
