"""Moto as AWS: it is not made for several threads, so it gets one request at a time."""

import asyncio
import io
import os
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import aiohttp
import boto3
import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models import dynamodb_backends

from local.cloud.aws.http_api.front import HttpApis
from local.cloud.aws.lambda_.service import LambdaService
from local.cloud.aws.moto_server import Aws
from local.cloud.aws.operations import one_at_a_time
from local.cloud.common.code import CodeFolder
from local.cloud.common.errors import NotFound
from local.cloud.faults.throttling import OverloadedAws

REGION = "eu-west-1"


def client_of(service: str, url: str) -> Any:
    make_client = cast(Callable[..., Any], boto3.client)  # pyright: ignore[reportUnknownMemberType]
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return make_client(service, REGION, endpoint_url=url, **keys)


def test_a_failed_transaction_changes_nothing_and_copies_no_item():
    aws, name = Aws(), f"users-{uuid.uuid4()}"
    with closing(aws), closing(client_of("dynamodb", aws.url)) as client:
        client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        for user_id in ("1", "2"):
            client.put_item(TableName=name, Item={"id": {"S": user_id}, "name": {"S": "Ada"}})
        backend: Any = dynamodb_backends["123456789012"][REGION]
        before = dict(backend.tables[name].items)
        new = {"TableName": name, "Item": {"id": {"S": "3"}}}
        changed = {"TableName": name, "Item": {"id": {"S": "1"}, "name": {"S": "Grace"}}}
        refused = {"TableName": name, "Key": {"id": {"S": "2"}}, "ConditionExpression": "attribute_not_exists(id)"}
        with pytest.raises(ClientError, match="ConditionalCheckFailed"):
            client.transact_write_items(TransactItems=[{"Put": new}, {"Put": changed}, {"Delete": refused}])
        after = backend.tables[name].items
    assert after.keys() == before.keys()
    assert all(after[user_id] is before[user_id] for user_id in before)


def test_requests_do_not_overlap():
    second_is_here, overlapped = threading.Event(), list[bool]()
    first_is_in = threading.Event()

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        if first_is_in.is_set():
            second_is_here.set()
        else:
            first_is_in.set()
            overlapped.append(second_is_here.wait(0.5))
        return [environ["wsgi.input"].read()]

    def request(body: bytes) -> list[bytes]:
        environ = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return list(serialised(environ, cast(Any, None)))

    serialised = one_at_a_time(application, threading.Lock())
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(request, b"first")
        assert first_is_in.wait(10)
        second = pool.submit(request, b"second")
        assert (first.result(), second.result()) == ([b"first"], [b"second"])
    assert overlapped == [False]


class Watched:
    """A lock that remembers which threads have taken it."""

    def __init__(self, lock: threading.Lock) -> None:
        self.threads = set[threading.Thread]()
        self._lock = lock

    def __enter__(self) -> None:
        self.threads.add(threading.current_thread())
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_the_event_loop_never_waits_for_the_lock(tmp_path: Path):
    async def ask_everything() -> None:
        api_id = client.create_api(Name="a", ProtocolType="HTTP")["ApiId"]
        functions = LambdaService(aws, cast(Any, None), CodeFolder(tmp_path))
        apis = HttpApis(aws, functions)
        arn = "arn:aws:lambda:eu-west-1:123456789012:function:none:1"
        for work in (apis.open("none"), functions.prepare(arn), functions.start(arn), functions.call(arn, b"{}")):
            with pytest.raises(NotFound):
                await work
        async with aiohttp.request("GET", await apis.open(api_id)) as response:
            assert response.status == 404
        await apis.close()
        await functions.close()

    aws = Aws()
    client = client_of("apigatewayv2", aws.url)
    aws.lock = cast(Any, Watched(aws.lock))
    try:
        asyncio.run(ask_everything())
    finally:
        client.close()
        aws.close()
    assert threading.current_thread() not in cast(Watched, aws.lock).threads


def test_an_overloaded_aws_passes_other_services_on_unchanged():
    content = os.urandom(2 * 2**20)

    async def overload() -> None:
        overloaded = await OverloadedAws(aws.url).open()
        overloaded.throttled = True
        try:
            await asyncio.to_thread(use, f"http://{overloaded.address}")
        finally:
            await overloaded.close()

    def use(url: str) -> None:
        with closing(client_of("s3", url)) as s3, closing(client_of("lambda", url)) as functions:
            s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
            etag = s3.put_object(Bucket="bucket", Key="k/%2F ~", Body=content, ContentEncoding="gzip")["ETag"]
            found = s3.head_object(Bucket="bucket", Key="k/%2F ~")
            assert (found["ETag"], found["ContentLength"], found["ContentEncoding"]) == (etag, len(content), "gzip")
            assert s3.get_object(Bucket="bucket", Key="k/%2F ~")["Body"].read() == content
            with pytest.raises(functions.exceptions.ResourceNotFoundException):
                functions.get_function(FunctionName="none")

    with closing(Aws()) as aws:
        asyncio.run(overload())
