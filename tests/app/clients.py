"""HTTP clients of an app in this process."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import httpx
from flask import Flask

from app.aws_handler import create_handler
from tests.app.events import LambdaTransport

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

type NewClient = Callable[[Flask], httpx.Client]


def wsgi_client(app: Flask) -> httpx.Client:
    def with_decoded_path(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """httpx leaves the path in Unicode, where PEP 3333 wants bytes that look like Latin-1."""
        return app(environ | {"PATH_INFO": environ["PATH_INFO"].encode().decode("latin1")}, start_response)

    return httpx.Client(transport=httpx.WSGITransport(with_decoded_path), base_url="http://testserver")


def lambda_client(app: Flask) -> httpx.Client:
    return httpx.Client(transport=LambdaTransport(create_handler(app)), base_url="http://testserver")
