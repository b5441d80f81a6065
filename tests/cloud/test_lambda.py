"""Lambda and the Runtime API, by what happens to tiny handlers behind an HTTP API."""

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.cloud.conftest import Daemon, Deploy, zipped

ECHO = """
    def handler(event, context):
        return event
"""


def test_the_answer_of_a_handler_comes_back(deploy: Deploy):
    function = deploy("def handler(event, context): return {'statusCode': 201, 'body': event['rawPath']}")
    response = function.http.get("/some/where")
    assert (response.status_code, response.text) == (201, "/some/where")
