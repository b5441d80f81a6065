"""Secrets that are read from elsewhere than the environment."""

import time
from collections.abc import Callable
from contextlib import closing
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from app.metrics import Metrics
from app.settings import CacheSettings

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient


LIMITS: dict[str, Any] = {"connect_timeout": 0.5, "read_timeout": 1, "retries": {"total_max_attempts": 1}}
RETRY_SECONDS = 5


class SecretUnavailable(Exception):
    """The secret cannot be read; the message names it and never contains it."""


class Secret:
    """A secret that is read once, when this is created.

    If that fails, calls raise SecretUnavailable at once, and a background thread tries again, at most every
    RETRY_SECONDS and one at a time.
    """

    def __init__(self, read: Callable[[], str], metrics: Metrics, now: Callable[[], float] = time.monotonic) -> None:
        """`read` raises SecretUnavailable."""
        self._read = read
        self._metrics = metrics
        self._now = now
        self._lock = Lock()
        self._value: str | None = None
        self._try()

    def __call__(self) -> str:
        """Never blocks. Raises SecretUnavailable."""
        if self._value is not None:
            return self._value
        with self._lock:
            due = self._now() >= self._next_try
            if due:
                self._next_try = float("inf")
        if due:
            Thread(target=self._try, name="secret", daemon=True).start()
        raise SecretUnavailable("the secret is not known yet")

    def _try(self) -> None:
        try:
            self._value = self._read()
        except SecretUnavailable as error:
            self._metrics.log("WARNING", f"no cache for now: {error}")
        finally:
            self._next_try = self._now() + RETRY_SECONDS


def momento_api_key(settings: CacheSettings) -> str:
    """The key from the environment, or from the SSM parameter. Raises SecretUnavailable."""
    if settings.api_key is not None:
        return settings.api_key
    from botocore.config import Config
    from botocore.session import get_session

    name = settings.api_key_parameter or ""
    try:
        client: Any = get_session().create_client("ssm", settings.aws_region, config=Config(**LIMITS))
        with closing(client):
            ssm: SSMClient = client
            answer = ssm.get_parameter(Name=name, WithDecryption=True)
        key = answer["Parameter"].get("Value", "").strip()
    except Exception as error:  # whatever goes wrong, requests do without the cache
        raise SecretUnavailable(f"SSM parameter {name}: {type(error).__name__}: {error}") from None
    if not key:
        raise SecretUnavailable(f"SSM parameter {name} is empty")
    return key
