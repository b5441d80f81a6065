"""What users and pictures consume, by DynamoDB's own count."""

import random
from collections.abc import Callable
from functools import partial
from math import ceil
from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from app.data import DataClient, Stored
from app.data.dynamodb import DynamoDBDataClient
from app.metrics import Metrics
from app.model import MAX_PROFILE_PIC_BYTES, User
from tests.app.stores import NewDataClient

PAGE = 100
GIF = b"GIF89a"
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
READ_UNIT, WRITE_UNIT = 4096, 1024  # bytes

type Call = Callable[[DataClient], object]


class Meter:
    """Counts the capacity units that a client's calls consume."""

    def __init__(self, data: DataClient) -> None:
        assert isinstance(data, DynamoDBDataClient)
        self._data = data
        self._units = 0.0
        events: Any = data._api.client.meta.events  # pyright: ignore[reportPrivateUsage]
        events.register("provide-client-params.dynamodb", self._ask)
        events.register("after-call.dynamodb", self._count)

    def units(self, call: Call) -> float:
        before = self._units
        call(self._data)
        return self._units - before

    def _ask(self, params: dict[str, Any], **_: object) -> dict[str, Any]:
        return params | {"ReturnConsumedCapacity": "TOTAL"}

    def _count(self, parsed: dict[str, Any], **_: object) -> None:
        """`ConsumedCapacity` is a list if the call may concern several tables."""
        match parsed["ConsumedCapacity"]:
            case {"CapacityUnits": float(units)}:
                self._units += units
            case several:
                self._units += sum(one["CapacityUnits"] for one in several)


def random_users(number_of_users: int, picture_size: Callable[[], int]) -> list[User]:
    """The same users every time, with pictures of these sizes in bytes."""
    dice = random.Random(1)

    def user(number: int) -> User:
        followers = tuple(f"u{i}" for i in dice.sample(range(1000), dice.choice((0, 5, 100, 500))))
        return User(id=f"u{number}", name="N" * dice.randint(1, 256), followers=followers, version=f"{number:016}")

    return [replace(user(number), profile_pic=GIF.ljust(picture_size())) for number in range(number_of_users)]


@pytest.mark.parametrize("number_of_users", [PAGE, pytest.param(500, marks=pytest.mark.prove)])
@pytest.mark.parametrize("new_data_client", ["dynamodb-local"], indirect=True)
def test_a_picture_costs_where_it_is_read_or_written_and_nowhere_else(
    new_data_client: NewDataClient, metrics: Metrics, number_of_users: int
) -> None:
    dice = random.Random(2)
    users = random_users(number_of_users, lambda: int(MAX_PROFILE_PIC_BYTES ** dice.random()))
    data, tiny = new_data_client(metrics), new_data_client(metrics)
    data.put_users(users)
    tiny.put_users(random_users(number_of_users, lambda: len(GIF)))
    meter, tiny_meter = Meter(data), Meter(tiny)

    for number, user in enumerate(users):
        meters = meter, tiny_meter
        picture = len("id" + user.id + "version" + user.version + "profile_pic") + len(user.profile_pic or b"")
        get = units_of_both(meters, partial(get_user, user.id))
        assert meter.units(partial(get_with_picture, user.id)) == get + ceil(picture / READ_UNIT)
        if number % PAGE == 0:
            units_of_both(meters, partial(list_after, user.id))
            units_of_both(meters, partial(get_followers, user))
            keep = units_of_both(meters, partial(replace_user, replace(user, profile_pic=UNSET))) - get
            change = meter.units(partial(replace_user, user)) - get
            assert change == 2 * (keep + ceil(picture / WRITE_UNIT))  # a transaction costs twice as much


def units_of_both(meters: tuple[Meter, Meter], call: Call) -> float:
    """What the call costs with large pictures, which is what it costs with tiny ones."""
    large, tiny = (meter.units(call) for meter in meters)
    assert large == tiny
    return large


def get_user(user_id: str, data: DataClient) -> Stored:
    stored = data.get_user(user_id)
    assert stored
    return stored


def get_with_picture(user_id: str, data: DataClient) -> None:
    data.get_user_with_picture(user_id)


def list_after(user_id: str, data: DataClient) -> None:
    list(data.list_users(PAGE, after=user_id))


def get_followers(user: User, data: DataClient) -> None:
    data.get_users(user.followers)


def replace_user(user: User, data: DataClient) -> None:
    data.replace_user(user, get_user(user.id, data).revision)
