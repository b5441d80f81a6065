"""Settings from environment variables. No other module of the app reads `os.environ`."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import SplitResult, urlsplit

ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?")
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class SettingsError(Exception):
    """One line that names the variable, its value and the fix."""


@dataclass(frozen=True)
class CacheSettings:
    """A cache of Momento Cache (Serverless). `endpoint` is a host, or `http://host:port` for a Momento Local."""

    name: str
    endpoint: str
    ttl_seconds: int
    api_key: str | None = field(default=None, repr=False)
    api_key_parameter: str | None = None
    """The name of the SSM SecureString in `aws_region` that holds the key, unless `api_key` does."""
    aws_region: str = ""


@dataclass(frozen=True)
class AuthSettings:
    """The issuer and audience that tokens must have. `issuer` is a URL, exactly as in the tokens' `iss`."""

    issuer: str
    audience: str


@dataclass(frozen=True)
class Settings:
    """All settings of an app, validated."""

    persistence: str = "memory"
    users_table: str = ""
    pictures_table: str = ""
    aws_region: str = ""
    google_cloud_project: str = ""
    firestore_database: str = "(default)"
    firestore_emulator_host: str = ""
    """host:port of Google's emulator, or empty."""
    timeout_seconds: int = 10
    """When the platform gives up on a request."""
    cache: CacheSettings | None = None
    metrics_format: str = "json"
    metrics_namespace: str = "BetterTogether"
    trace_project: str = ""
    """The Google Cloud project of the traces that log entries name; empty: they name none."""
    artifact_digest: str = "development"
    demo: bool = False
    cors_origins: tuple[str, ...] = ()
    auth: AuthSettings | None = None
    """None: every caller may do everything."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Raises SettingsError."""
        env = _Environ(environ)
        persistence = env.choice("PERSISTENCE", "memory", ("dynamodb", "firestore", "memory"))

        def only(store: str, name: str) -> str:
            return env.required(name, f"PERSISTENCE={store}") if persistence == store else ""

        return cls(
            persistence=persistence,
            users_table=only("dynamodb", "USERS_TABLE"),
            pictures_table=only("dynamodb", "PICTURES_TABLE"),
            aws_region=env.aws_region("PERSISTENCE=dynamodb") if persistence == "dynamodb" else "",
            google_cloud_project=only("firestore", "GOOGLE_CLOUD_PROJECT"),
            firestore_database=env.text("FIRESTORE_DATABASE", "(default)"),
            firestore_emulator_host=env.text("FIRESTORE_EMULATOR_HOST", ""),
            timeout_seconds=env.integer("TIMEOUT_SECONDS", 10, 10, 3600),
            cache=_cache_settings(env),
            metrics_format=env.choice("METRICS_FORMAT", "json", ("emf", "json")),
            metrics_namespace=env.text("METRICS_NAMESPACE", "BetterTogether"),
            trace_project=env.text("TRACE_PROJECT", ""),
            artifact_digest=env.text("ARTIFACT_DIGEST", "development"),
            demo=env.choice("DEMO", "false", ("true", "false")) == "true",
            cors_origins=_cors_origins(env),
            auth=_auth_settings(env),
        )


def bind_address(environ: Mapping[str, str] = os.environ) -> str:
    """Where gunicorn listens: Cloud Run sets PORT, the local clouds also HOST. Raises SettingsError."""
    env = _Environ(environ)
    return f"{env.text('HOST', '0.0.0.0')}:{env.integer('PORT', 8080, 0, 65535)}"


def thread_count(environ: Mapping[str, str] = os.environ) -> int:
    """How many requests gunicorn handles at a time. Raises SettingsError."""
    return _Environ(environ).integer("THREADS", 8, 1, 80)


def _cache_settings(env: "_Environ") -> CacheSettings | None:
    name = env.text("MOMENTO_CACHE", "")
    if not name:
        return None
    endpoint = env.required("MOMENTO_ENDPOINT", f"MOMENTO_CACHE={name}")
    if "/" in endpoint:
        url = _split(endpoint)
        if not url or url.scheme != "http" or not url.hostname or not url.port or url.path.strip("/"):
            raise SettingsError(f"MOMENTO_ENDPOINT={endpoint!r} must be a host, or http://host:port of a Momento Local")
    key, parameter = env.text("MOMENTO_API_KEY", ""), env.text("MOMENTO_API_KEY_PARAMETER", "")
    if bool(key) == bool(parameter):
        raise SettingsError(f"MOMENTO_CACHE={name} needs one of MOMENTO_API_KEY and MOMENTO_API_KEY_PARAMETER")
    return CacheSettings(
        name=name,
        endpoint=endpoint,
        ttl_seconds=env.integer("CACHE_TTL_SECONDS", 300, 1, 24 * 60 * 60),
        api_key=key or None,
        api_key_parameter=parameter or None,
        aws_region=env.aws_region("MOMENTO_API_KEY_PARAMETER") if parameter else "",
    )


def _auth_settings(env: "_Environ") -> AuthSettings | None:
    issuer = env.text("AUTH_ISSUER", "")
    if not issuer:
        return None
    if not is_safe_url(issuer) or "?" in issuer or "#" in issuer:
        raise SettingsError(f"AUTH_ISSUER={issuer!r} must be an https URL, or http on this machine")
    return AuthSettings(issuer, env.required("AUTH_AUDIENCE", f"AUTH_ISSUER={issuer}"))


def _cors_origins(env: "_Environ") -> tuple[str, ...]:
    origins = tuple(origin.strip() for origin in env.text("CORS_ORIGINS", "").split(",") if origin.strip())
    for origin in origins:
        if not ORIGIN.fullmatch(origin):
            raise SettingsError(f"CORS_ORIGINS: {origin!r} must be an origin as browsers send it, https://host[:port]")
    return origins


def is_safe_url(url: str) -> bool:
    """Whether the answer from this URL cannot be forged on the way: https, or http on this machine."""
    parts = _split(url)
    if not parts or parts.username or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def _split(url: str) -> SplitResult | None:
    """None if it has no valid port, or is no URL."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


class _Environ:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str, default: str) -> str:
        return self._environ.get(name, "").strip() or default

    def required(self, name: str, because: str) -> str:
        value = self.text(name, "")
        if not value:
            raise SettingsError(f"{name} is not set: {because} needs it")
        return value

    def aws_region(self, because: str) -> str:
        return (
            self.text("AWS_REGION", "") or self.text("AWS_DEFAULT_REGION", "") or self.required("AWS_REGION", because)
        )

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if value not in allowed:
            raise SettingsError(f"{name}={value!r} is unknown: set it to {', '.join(allowed[:-1])} or {allowed[-1]}")
        return value

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        value = self.text(name, str(default))
        if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
            raise SettingsError(f"{name}={value!r} must be a whole number from {low} to {high}")
        return int(value)
