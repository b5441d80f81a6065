"""The table of pictures: what is written there, and what is left behind."""

from collections.abc import Callable

import pytest

from app.data import DataClient, UserExists, VersionConflict
from app.data.dynamodb import DynamoDBDataClient
from app.model import User
from tests.app.stores import on_real_stores

ANN = User(id="1", name="Ann", version="a")
PICTURED = User(id="1", name="Ann", version="b", profile_pic=b"GIF89a")
WITHOUT = User(id="1", name="Ann", version="c", profile_pic=None)


def replace(data: DataClient, user: User) -> None:
    stored = data.get_user(user.id)
    assert stored
    data.replace_user(user, stored.revision)


def delete_version(data: DataClient) -> None:
    stored = data.get_user("1")
    assert stored
    data.delete_user("1", stored.revision)


REMOVALS: dict[str, Callable[[DataClient], object]] = {
    "delete": lambda data: data.delete_user("1"),
    "delete a version": delete_version,
    "replace without a picture": lambda data: replace(data, WITHOUT),
    "put over": lambda data: data.put_users([ANN]),
}


@pytest.mark.parametrize("remove", REMOVALS.values(), ids=REMOVALS)
@on_real_stores("dynamodb")
def test_a_picture_goes_with_its_user(data: DataClient, remove: Callable[[DataClient], object]) -> None:
    data.create_user(PICTURED)
    assert pictures(data) == 1
    remove(data)
    assert pictures(data) == 0


@on_real_stores("dynamodb")
def test_a_refused_write_leaves_no_picture(data: DataClient) -> None:
    data.create_user(ANN)
    stored = data.get_user("1")
    assert stored
    replace(data, WITHOUT)
    with pytest.raises(UserExists):
        data.create_user(PICTURED)
    with pytest.raises(VersionConflict):
        data.replace_user(PICTURED, stored.revision)
    assert pictures(data) == 0


def pictures(data: DataClient) -> int:
    assert isinstance(data, DynamoDBDataClient)
    return data._api.client.scan(TableName=data._pictures)["Count"]  # pyright: ignore[reportPrivateUsage]
