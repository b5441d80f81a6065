import pytest

from app.settings import AuthSettings, CacheSettings, Settings, SettingsError, bind_address

MOMENTO = {"MOMENTO_CACHE": "users", "MOMENTO_ENDPOINT": "cell-1.momentohq.com", "MOMENTO_API_KEY": "s3cret"}

TABLES = {"PERSISTENCE": "dynamodb", "USERS_TABLE": "t", "PICTURES_TABLE": "p"}


def test_nothing_set_is_memory_without_a_cache() -> None:
    assert Settings.from_environ({}) == Settings()


def test_lambda() -> None:
    environ = {
        "PERSISTENCE": "dynamodb",
        "USERS_TABLE": "users-1",
        "PICTURES_TABLE": "pictures-1",
        "METRICS_FORMAT": "emf",
        "ARTIFACT_DIGEST": "sha256:1",
        "TIMEOUT_SECONDS": "29",
    }
    momento = {"MOMENTO_CACHE": "c", "MOMENTO_ENDPOINT": "cell", "MOMENTO_API_KEY_PARAMETER": "/key", "AWS_REGION": "r"}
    assert Settings.from_environ(environ | momento | {"CACHE_TTL_SECONDS": "60"}) == Settings(
        persistence="dynamodb",
        users_table="users-1",
        pictures_table="pictures-1",
        aws_region="r",
        metrics_format="emf",
        artifact_digest="sha256:1",
        timeout_seconds=29,
        cache=CacheSettings(name="c", endpoint="cell", ttl_seconds=60, api_key_parameter="/key", aws_region="r"),
    )


def test_cloud_run() -> None:
    environ = {"PERSISTENCE": "firestore", "GOOGLE_CLOUD_PROJECT": "p", "FIRESTORE_DATABASE": "users", "DEMO": "true"}
    environ |= {"TRACE_PROJECT": "p", "FIRESTORE_EMULATOR_HOST": "127.0.0.1:1"}
    assert Settings.from_environ(environ | MOMENTO) == Settings(
        persistence="firestore",
        google_cloud_project="p",
        firestore_database="users",
        firestore_emulator_host="127.0.0.1:1",
        trace_project="p",
        demo=True,
        cache=CacheSettings(name="users", endpoint="cell-1.momentohq.com", ttl_seconds=300, api_key="s3cret"),
    )


@pytest.mark.parametrize("issuer", ["https://login.example.com/", "http://127.0.0.1:4711", "http://localhost/realm"])
def test_an_issuer(issuer: str) -> None:
    settings = Settings.from_environ({"AUTH_ISSUER": issuer, "AUTH_AUDIENCE": "users"})
    assert settings == Settings(auth=AuthSettings(issuer, "users"))


@pytest.mark.parametrize(
    "issuer",
    [
        "login.example.com",
        "http://login.example.com",
        "https://",
        "https://u:p@login.example.com",
        "https://[",
        "https://login.example.com:port",
        "https://a?b",
    ],
)
def test_an_issuer_must_be_safe(issuer: str) -> None:
    with pytest.raises(SettingsError) as error:
        Settings.from_environ({"AUTH_ISSUER": issuer, "AUTH_AUDIENCE": "users"})
    assert str(error.value) == f"AUTH_ISSUER={issuer!r} must be an https URL, or http on this machine"


def test_origins() -> None:
    settings = Settings.from_environ({"CORS_ORIGINS": "https://a.example, http://localhost:3000"})
    assert settings.cors_origins == ("https://a.example", "http://localhost:3000")


@pytest.mark.parametrize("origin", ["*", "null", "a.example", "https://a.example/", "https://A.example"])
def test_an_origin_is_as_browsers_send_it(origin: str) -> None:
    with pytest.raises(SettingsError) as error:
        Settings.from_environ({"CORS_ORIGINS": f"https://b.example,{origin}"})
    assert str(error.value) == (f"CORS_ORIGINS: {origin!r} must be an origin as browsers send it, https://host[:port]")


def test_the_key_is_in_no_repr() -> None:
    assert "s3cret" not in repr(Settings.from_environ(MOMENTO))


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"PERSISTENCE": "mysql"}, "PERSISTENCE='mysql' is unknown: set it to dynamodb, firestore or memory"),
        ({"PERSISTENCE": "dynamodb"}, "USERS_TABLE is not set: PERSISTENCE=dynamodb needs it"),
        ({"PERSISTENCE": "dynamodb", "USERS_TABLE": "t"}, "PICTURES_TABLE is not set: PERSISTENCE=dynamodb needs it"),
        (TABLES, "AWS_REGION is not set: PERSISTENCE=dynamodb needs it"),
        ({"PERSISTENCE": "firestore"}, "GOOGLE_CLOUD_PROJECT is not set: PERSISTENCE=firestore needs it"),
        ({"METRICS_FORMAT": "xml"}, "METRICS_FORMAT='xml' is unknown: set it to emf or json"),
        ({"DEMO": "yes"}, "DEMO='yes' is unknown: set it to true or false"),
        ({"AUTH_ISSUER": "https://i"}, "AUTH_AUDIENCE is not set: AUTH_ISSUER=https://i needs it"),
        ({"MOMENTO_CACHE": "users"}, "MOMENTO_ENDPOINT is not set: MOMENTO_CACHE=users needs it"),
        (
            {"MOMENTO_CACHE": "users", "MOMENTO_ENDPOINT": "cell"},
            "MOMENTO_CACHE=users needs one of MOMENTO_API_KEY and MOMENTO_API_KEY_PARAMETER",
        ),
        (
            MOMENTO | {"MOMENTO_API_KEY_PARAMETER": "/key"},
            "MOMENTO_CACHE=users needs one of MOMENTO_API_KEY and MOMENTO_API_KEY_PARAMETER",
        ),
        (
            MOMENTO | {"MOMENTO_ENDPOINT": "https://cell:1"},
            "MOMENTO_ENDPOINT='https://cell:1' must be a host, or http://host:port of a Momento Local",
        ),
        *(
            (
                MOMENTO | {"MOMENTO_ENDPOINT": endpoint},
                f"MOMENTO_ENDPOINT={endpoint!r} must be a host, or http://host:port of a Momento Local",
            )
            for endpoint in ("http://cell:port", "http://cell:99999", "http://[::1")
        ),
        (
            MOMENTO | {"CACHE_TTL_SECONDS": "86401"},
            "CACHE_TTL_SECONDS='86401' must be a whole number from 1 to 86400",
        ),
        ({"TIMEOUT_SECONDS": "9"}, "TIMEOUT_SECONDS='9' must be a whole number from 10 to 3600"),
        (MOMENTO | {"CACHE_TTL_SECONDS": "-1"}, "CACHE_TTL_SECONDS='-1' must be a whole number from 1 to 86400"),
    ],
)
def test_an_error_names_the_variable_the_value_and_the_fix(environ: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError) as error:
        Settings.from_environ(environ)
    assert str(error.value) == message


def test_bind_address() -> None:
    assert bind_address({}) == "0.0.0.0:8080"
    assert bind_address({"PORT": "9", "HOST": "127.0.0.1"}) == "127.0.0.1:9"
    with pytest.raises(SettingsError, match="PORT='x' must be a whole number from 0 to 65535"):
        bind_address({"PORT": "x"})
