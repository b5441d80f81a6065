"""However slow what is behind it is, a request is answered by the app, before a cloud gives up on it."""

import re
from pathlib import Path

import pytest
from botocore.config import Config

from app.auth import keys
from app.cache import momento
from app.data import dynamodb, firestore
from app.http.bodies import MAX_BODY_BYTES
from local.cloud.lambda_runtime_api import MAX_PAYLOAD

ROOT = Path(__file__).parents[2]
LONGEST_BACKOFF = 1.0  # botocore's standard mode, before the second attempt; it doubles with each


def shortest_timeout() -> int:
    """The least that `timeoutSeconds` may be."""
    found = re.search(r'integer\("timeoutSeconds", (\d+), \d+\)', (ROOT / "stacks" / "config.py").read_text())
    assert found
    return int(found[1])


def longest_call(config: Config) -> float:
    """Seconds until boto3 gives up."""
    options: dict[str, float] = vars(config)
    attempts = vars(config)["retries"]["total_max_attempts"]
    backoff = sum(LONGEST_BACKOFF * 2**n for n in range(attempts - 1))
    return attempts * (options["connect_timeout"] + options["read_timeout"]) + backoff


@pytest.mark.parametrize(
    "store",
    [longest_call(dynamodb.CONFIG), firestore.ATTEMPT_TIMEOUT + firestore.LAST_ATTEMPT],
    ids=["dynamodb", "firestore"],
)
def test_the_apps_deadlines_end_before_the_clouds(store: float) -> None:
    assert keys.LONGEST_FETCH + momento.DEADLINE + store < shortest_timeout()


def test_a_body_that_the_app_takes_fits_into_an_event() -> None:
    assert MAX_BODY_BYTES * 4 / 3 < MAX_PAYLOAD / 2  # in base64, beside the headers
