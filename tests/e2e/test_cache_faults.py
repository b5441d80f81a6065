"""The cache fails under the app's real processes: reads are still correct on both clouds."""

import base64
import json
import os
import subprocess
import uuid

import httpx
import pytest

from tests.e2e.breaking import broken
from tests.e2e.laptop import APP_PYTHON, ROOT, Laptop, Outputs

PICTURE = b"GIF89a"


@pytest.mark.parametrize(
    ("cloud", "fault"),
    [
        ("aws", "down"),
        ("gcp", "slow"),
        ("aws", "throttled"),
        pytest.param("gcp", "down", marks=pytest.mark.prove),
        pytest.param("aws", "slow", marks=pytest.mark.prove),
        pytest.param("gcp", "throttled", marks=pytest.mark.prove),
    ],
)
def test_without_the_cache_the_store_answers(young: httpx.Client, clouds: Laptop, fault: str) -> None:
    user_id = f"cache-{uuid.uuid4().hex}"
    created = young.post("/users", json={"id": user_id, "name": "Ada"})
    assert created.status_code == 201, created.text
    assert young.get(f"/cached-users/{user_id}").status_code == 200
    with broken(clouds, "momento", fault):
        answers = [young.get(f"/cached-users/{user_id}") for _ in range(5)]
    assert [(answer.status_code, answer.json()["name"]) for answer in answers] == [(200, "Ada")] * 5
    outcomes = [answer.headers["cache-status"] for answer in answers]
    assert all("fwd=miss" in outcome for outcome in outcomes), outcomes
    details = [outcome.rpartition("detail=")[2] for outcome in outcomes]
    if fault == "throttled":
        assert details == ["limit_exceeded"] * 5
    else:
        assert [detail == "circuit_open" for detail in details] == [False, False, False, True, True], outcomes


def test_garbage_and_users_of_an_older_schema_are_misses(
    young: httpx.Client, cloud: str, clouds: Laptop, outputs: Outputs
) -> None:
    for user_id in spoil(clouds, outputs[cloud]["cache"]):
        user = {"id": user_id, "name": "Ada", "profile_pic": base64.b64encode(PICTURE).decode()}
        assert young.post("/users", json=user).status_code == 201
        cached = young.get(f"/cached-users/{user_id}")
        picture = young.get(f"/cached-profile-pic/{user_id}", headers={"X-User-Id": user_id})
        assert (cached.status_code, cached.json()["name"]) == (200, "Ada")
        assert (picture.status_code, picture.content) == (200, PICTURE)
        assert cached.headers["cache-status"].endswith("detail=garbage")
        again = young.get(f"/cached-users/{user_id}")
        assert again.json() == cached.json()
        assert "garbage" not in again.headers["cache-status"]


def spoil(clouds: Laptop, cache: str) -> list[str]:
    """The ids of users who have garbage in the cache. Momento's SDK is in the app's environment only."""
    daemon, prefix = clouds.daemon(), f"garbage-{uuid.uuid4().hex}-"
    command = [APP_PYTHON, "-m", "tests.app.garbage", daemon["momento"], cache, prefix]
    env = os.environ | {"MOMENTO_API_KEY": daemon["momentoApiKey"]}
    return json.loads(subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout)
