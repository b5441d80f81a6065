"""The caches of a Momento account."""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from momento import CacheClient, Configurations
from momento.errors import MomentoErrorCode
from momento.responses import CreateCache, DeleteCache, ListCaches
from momento.responses.mixins import ErrorResponseMixin
from momento.responses.response import Response

from pulumi_momento.plugin.settings import Settings

DEADLINE = 5  # seconds; Momento's client would wait for a minute
PAUSES = (0.5, 1, 2, 4)
"""Seconds before a call is made again that a limit of the account refused, such as that of 5 calls a second."""
LIMITS = "https://docs.momentohq.com/cache/limits"


class MomentoError(Exception):
    """A call to Momento failed; the message is one line with the reason and the fix."""


class Caches:
    """Connects at the first call. Every method may raise MomentoError.

    No call takes longer than DEADLINE. The engine makes many at once, and Momento takes 5 a second of an account in a
    region, so those that are refused for that are made again.
    """

    def __init__(self, settings: Settings) -> None:
        self._endpoint = settings.endpoint
        self._client = CacheClient(Configurations.Laptop.v1(), settings.credentials, timedelta(minutes=1))
        self._workers = ThreadPoolExecutor()

    def create(self, name: str) -> None:
        answer = self._call(lambda: self._client.create_cache(name))
        if isinstance(answer, CreateCache.Success):
            return
        if isinstance(answer, CreateCache.CacheAlreadyExists):
            raise MomentoError(
                f"cache {name!r} exists already at {self._endpoint}: name another, or adopt it with "
                f"`pulumi import momento:index:Cache <resource name> {name}`"
            )
        raise self._error(answer)

    def exists(self, name: str) -> bool:
        answer = self._call(self._client.list_caches)
        if isinstance(answer, ListCaches.Success):
            return any(cache.name == name for cache in answer.caches)
        raise self._error(answer)

    def delete(self, name: str) -> None:
        """Delete the cache, if it still exists."""
        answer = self._call(lambda: self._client.delete_cache(name))
        gone = isinstance(answer, DeleteCache.Error) and answer.error_code == MomentoErrorCode.NOT_FOUND_ERROR
        if not (gone or isinstance(answer, DeleteCache.Success)):
            raise self._error(answer)

    def _call[T: Response](self, call: Callable[[], T]) -> T:
        for pause in PAUSES:
            answer = self._once(call)
            if not _is_limited(answer):
                return answer
            time.sleep(random.uniform(pause / 2, pause))  # not all at the same time again
        return self._once(call)

    def _once[T](self, call: Callable[[], T]) -> T:
        try:
            return self._workers.submit(call).result(DEADLINE)
        except TimeoutError:
            raise self._unreachable(f"no answer within {DEADLINE} s") from None

    def _error(self, answer: Response) -> MomentoError:
        assert isinstance(answer, ErrorResponseMixin)
        error = answer.inner_exception
        if error.error_code == MomentoErrorCode.SERVER_UNAVAILABLE:
            return self._unreachable(error.message)
        if error.error_code == MomentoErrorCode.AUTHENTICATION_ERROR:
            return MomentoError(
                f"Momento at {self._endpoint} refuses the API key: set another with "
                "`pulumi config set --secret momento:apiKey` or MOMENTO_API_KEY"
            )
        if error.error_code == MomentoErrorCode.LIMIT_EXCEEDED_ERROR:
            return MomentoError(
                f"Momento at {self._endpoint} refuses calls over a limit of the account ({answer.message}): wait, "
                f"delete caches, or ask Momento to raise it ({LIMITS})"
            )
        return MomentoError(f"Momento at {self._endpoint}: {answer.message}")

    def _unreachable(self, why: str) -> MomentoError:
        return MomentoError(
            f"Momento at {self._endpoint} cannot be reached ({why}): set another endpoint with "
            "`pulumi config set momento:endpoint` or MOMENTO_ENDPOINT, or check the network"
        )


def _is_limited(answer: Response) -> bool:
    return isinstance(answer, ErrorResponseMixin) and answer.error_code == MomentoErrorCode.LIMIT_EXCEEDED_ERROR
