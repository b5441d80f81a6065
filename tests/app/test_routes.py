"""The API over HTTP: the same through WSGI and through Lambda's events."""

import base64
import json

import httpx
import pytest

PNG = b"\x89PNG\r\n\x1a\n picture"
ANN = {"id": "1", "name": "Ann", "followers": ["2", "3"]}


def create(client: httpx.Client, user_id: str = "1", **more: object) -> httpx.Response:
    answer = client.post("/users", json={"id": user_id, "name": f"User {user_id}"} | more)
    assert answer.status_code == 201, answer.text
    return answer


def problem(answer: httpx.Response, status: int, field: str | None = None) -> str:
    """Check that it is a problem and that it names the field; its detail."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["type"], body["status"], body.get("field")) == ("about:blank", status, field)
    assert body["title"]
    return body["detail"]


def test_create_and_get(client: httpx.Client) -> None:
    created = client.post("/users", json=ANN | {"profile_pic": base64.b64encode(PNG).decode()})
    assert (created.status_code, created.headers["location"], created.json()) == (201, "/users/1", ANN)
    got = client.get(created.headers["location"])
    assert (got.status_code, got.json(), got.headers["content-type"]) == (200, ANN, "application/json")
    assert got.headers["etag"] == created.headers["etag"]


def test_a_taken_id(client: httpx.Client) -> None:
    create(client)
    assert problem(client.post("/users", json=ANN), 409, "id") == "The id '1' is taken."
    assert client.get("/users/1").json()["name"] == "User 1"


@pytest.mark.parametrize("route", ["users", "cached-users", "followers", "cached-followers"])
def test_an_unknown_user(client: httpx.Client, route: str) -> None:
    assert problem(client.get(f"/{route}/nobody"), 404) == "There is no user 'nobody'."


def test_without_a_cache_the_cached_route_says_so(client: httpx.Client) -> None:
    create(client)
    assert client.get("/cached-users/1").headers["cache-status"] == "none; fwd=bypass"


def test_a_get_can_be_conditional(client: httpx.Client) -> None:
    etag = create(client).headers["etag"]
    again = client.get("/users/1", headers={"If-None-Match": etag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert client.get("/users/1", headers={"If-None-Match": '"other"'}).status_code == 200


def test_head(client: httpx.Client) -> None:
    create(client)
    head, get = client.head("/users/1"), client.get("/users/1")
    assert (head.status_code, head.content) == (200, b"")
    assert {k: head.headers[k] for k in ("etag", "content-type")} == {
        k: get.headers[k] for k in ("etag", "content-type")
    }
    assert client.head("/users/2").status_code == 404


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/users", "GET, HEAD, OPTIONS, POST"),
        ("/users/1", "DELETE, GET, HEAD, OPTIONS, PUT"),
        ("/cached-users/1", "GET, HEAD, OPTIONS"),
        ("/bootstrap", "OPTIONS, POST"),
    ],
)
def test_options_and_405_name_the_methods(client: httpx.Client, path: str, allow: str) -> None:
    options = client.options(path)
    assert (options.status_code, options.content, options.headers["allow"]) == (204, b"", allow)
    refused = client.request("PATCH", path)
    problem(refused, 405)
    assert sorted(refused.headers["allow"].split(", ")) == allow.split(", ")


def test_an_unknown_path(client: httpx.Client) -> None:
    problem(client.get("/nothing"), 404)
    problem(client.get("//users"), 404)
    problem(client.get("/users/"), 404)


def test_put_writes_over_the_version_that_was_read(client: httpx.Client) -> None:
    etag = create(client).headers["etag"]
    put = client.put("/users/1", json=ANN, headers={"If-Match": etag})
    assert (put.status_code, put.json()) == (200, ANN)
    assert put.headers["etag"] != etag
    assert client.get("/users/1").headers["etag"] == put.headers["etag"]


def test_a_lost_update_is_impossible(client: httpx.Client) -> None:
    etag = create(client).headers["etag"]
    assert client.put("/users/1", json=ANN, headers={"If-Match": etag}).status_code == 200
    problem(client.put("/users/1", json=ANN | {"name": "Late"}, headers={"If-Match": etag}), 412, "If-Match")
    problem(client.put("/users/1", json=ANN | {"name": "Blind"}), 428)
    assert client.get("/users/1").json() == ANN


def test_an_etag_does_not_survive_deletion(client: httpx.Client) -> None:
    etag = create(client).headers["etag"]
    client.delete("/users/1")
    problem(client.put("/users/1", json=ANN, headers={"If-Match": etag}), 412, "If-Match")
    create(client)
    problem(client.put("/users/1", json=ANN, headers={"If-Match": etag}), 412, "If-Match")


def test_if_match_takes_a_list_and_a_star_but_nothing_weak(client: httpx.Client) -> None:
    etag = create(client).headers["etag"]
    problem(client.put("/users/1", json=ANN, headers={"If-Match": f"W/{etag}"}), 412, "If-Match")
    assert client.put("/users/1", json=ANN, headers={"If-Match": f'"other", {etag}'}).status_code == 200
    assert client.put("/users/1", json=ANN, headers={"If-Match": "*"}).status_code == 200
    problem(client.put("/users/2", json=ANN | {"id": "2"}, headers={"If-Match": "*"}), 412, "If-Match")


def test_put_can_create(client: httpx.Client) -> None:
    created = client.put("/users/1", json=ANN, headers={"If-None-Match": "*"})
    assert (created.status_code, created.headers["location"], created.json()) == (201, "/users/1", ANN)
    problem(client.put("/users/1", json=ANN, headers={"If-None-Match": "*"}), 412, "If-None-Match")


def test_put_of_another_id(client: httpx.Client) -> None:
    problem(client.put("/users/2", json=ANN, headers={"If-None-Match": "*"}), 400, "id")
    problem(client.get("/users/2"), 404)


def test_put_keeps_replaces_and_removes_the_picture(client: httpx.Client) -> None:
    def put(**more: object) -> httpx.Response:
        assert client.put("/users/1", json=ANN | more, headers={"If-Match": "*"}).status_code == 200
        return client.get("/profile-pic/1", headers={"X-User-Id": "1"})

    create(client, profile_pic=base64.b64encode(PNG).decode())
    assert put(name="New").content == PNG
    assert put(profile_pic=base64.b64encode(PNG + b"2").decode()).content == PNG + b"2"
    assert problem(put(profile_pic=None), 404) == "The user '1' has no picture."


def test_delete(client: httpx.Client) -> None:
    create(client)
    deleted = client.delete("/users/1")
    assert (deleted.status_code, deleted.content) == (204, b"")
    problem(client.get("/users/1"), 404)
    problem(client.delete("/users/1"), 404)


def test_delete_of_a_version(client: httpx.Client) -> None:
    etag = create(client).headers["etag"]
    problem(client.delete("/users/1", headers={"If-Match": '"other"'}), 412, "If-Match")
    assert client.get("/users/1").status_code == 200
    assert client.delete("/users/1", headers={"If-Match": etag}).status_code == 204


def test_followers_are_names_in_order_without_the_unknown(client: httpx.Client) -> None:
    create(client, "1", followers=["3", "nobody", "2"])
    create(client, "2")
    create(client, "3")
    for route in ("followers", "cached-followers"):
        assert client.get(f"/{route}/1").json() == ["User 3", "User 2"]
        assert client.get(f"/{route}/2").json() == []


@pytest.mark.parametrize("route", ["profile-pic", "cached-profile-pic"])
def test_a_picture_is_for_the_user_and_followers(client: httpx.Client, route: str) -> None:
    create(client, "1", followers=["2"], profile_pic=base64.b64encode(PNG).decode())
    for viewer in ("1", "2"):
        picture = client.get(f"/{route}/1", headers={"X-User-Id": viewer})
        assert (picture.status_code, picture.content, picture.headers["content-type"]) == (200, PNG, "image/png")
        assert (picture.headers["cache-control"], picture.headers["x-content-type-options"]) == (
            "private, no-cache",
            "nosniff",
        )
    problem(client.get(f"/{route}/1", headers={"X-User-Id": "3"}), 403)
    problem(client.get(f"/{route}/1"), 403)


def test_a_list_goes_page_by_page(client: httpx.Client) -> None:
    for number in range(7):
        create(client, f"u{number}")
    met: list[str] = []
    url, pages = "/users?limit=3", 0
    while url:
        page = client.get(url)
        met += [user["id"] for user in page.json()["users"]]
        cursor, pages = page.json()["next_cursor"], pages + 1
        url = f"/users?limit=3&cursor={cursor}" if cursor else ""
        assert page.headers.get("link") == (f'<{url}>; rel="next"' if url else None)
    assert (sorted(met), pages) == ([f"u{number}" for number in range(7)], 3)


def test_a_list_is_50_unless_asked_and_holds_whole_users(client: httpx.Client) -> None:
    client.post("/bootstrap")
    page = client.get("/users").json()
    assert len(page["users"]) == 50
    assert page["users"][0] == client.get(f"/users/{page['users'][0]['id']}").json()


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "", "1.5", "٣", "1" * 5000])
def test_a_wrong_limit(client: httpx.Client, limit: str) -> None:
    problem(client.get("/users", params={"limit": limit}), 400, "limit")


@pytest.mark.parametrize("cursor", ["", "!", "Li4", "a", "\x00", "é", "A" * 5000])
def test_a_wrong_cursor(client: httpx.Client, cursor: str) -> None:
    problem(client.get("/users", params={"cursor": cursor}), 400, "cursor")


def test_bootstrap_makes_the_same_users_every_time(client: httpx.Client) -> None:
    first = client.post("/bootstrap")
    assert (first.status_code, first.json()) == (201, {"users": 100})
    users = client.get("/users?limit=100").json()["users"]
    assert len(users) == 100
    assert all(len(set(user["followers"]) - {user["id"]}) == 5 for user in users)
    assert len(client.get("/followers/1").json()) == 5
    assert client.get("/profile-pic/1", headers={"X-User-Id": "1"}).headers["content-type"] == "image/png"
    client.put("/users/1", json=ANN, headers={"If-Match": "*"})
    client.post("/bootstrap")
    assert client.get("/users?limit=100").json()["users"] == users


def test_health(client: httpx.Client) -> None:
    assert client.get("/health/live").json() == {"status": "ok", "artifact": "sha256:1"}
    assert client.get("/health/ready").json() == {"status": "ok"}


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/problem+json", None])
def test_another_content_type(client: httpx.Client, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = client.post("/users", content=json.dumps(ANN), headers=headers)
    problem(answer, 415)
    assert answer.headers["accept-post"] == "application/json"


def test_a_body_over_400_kb_is_not_parsed(client: httpx.Client) -> None:
    too_large = b"[" * (400 * 1024 + 1)
    problem(client.post("/users", content=too_large, headers={"Content-Type": "application/json"}), 413)
    at_limit = b"[" * (400 * 1024)
    problem(client.post("/users", content=at_limit, headers={"Content-Type": "application/json"}), 400, "body")
