"""What is compared, and with what."""

from dataclasses import dataclass, field, replace
from typing import Any

USER: dict[str, Any] = {"id": "1", "name": "Ada", "followers": ["2", "3"]}
"""What every peer answers to GET /users/1."""

OURS = "us"
GUNICORN = ("gunicorn", "--workers", "1", "--threads", "8", "--timeout", "0")
"""As Google's docs start it: https://cloud.google.com/run/docs/quickstarts/build-and-deploy/deploy-python-service."""
OUR_GUNICORN = ("gunicorn", "--config", "python:app.gunicorn_config", "app.wsgi:app")
"""As stacks/gcp_cloud_run.py starts it."""


@dataclass(frozen=True)
class Peer:
    """`name` is the platform (lambda, run, or memory, which is Cloud Run without a store) and a name on it.

    `start` is a handler on Lambda, else a module and its arguments, in which {port} stands for the port. `group` is a
    dependency group of benchmarks/pyproject.toml, OURS the artifact, and empty if nothing is installed.
    """

    name: str
    title: str
    group: str
    start: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict[str, str])
    compiled: bool = True
    """Whether the package has .pyc files."""
    rest_api: bool = False
    """Whether its function is behind a REST API instead of an HTTP API."""

    @property
    def platform(self) -> str:
        return self.name.partition("/")[0]

    @property
    def short_name(self) -> str:
        """Its name without the platform, as PEERS= takes it."""
        return self.name.partition("/")[2].partition(" ")[0]

    @property
    def module(self) -> str | None:
        """Its module in peers/; the artifact has its own."""
        return None if self.group == OURS else f"{self.platform}_{self.short_name}".replace("-", "_")

    def without_pyc(self) -> "Peer":
        return replace(self, name=f"{self.name} (no .pyc)", compiled=False)


def _handler(name: str, title: str, group: str, rest_api: bool = False) -> Peer:
    return Peer(f"lambda/{name}", title, group, (f"lambda_{name}.handler",), rest_api=rest_api)


ON_BOARD = {
    "MOMENTO_CACHE": "users",
    "MOMENTO_ENDPOINT": "{momento}",
    "AUTH_ISSUER": "https://login.example.com/",
    "AUTH_AUDIENCE": "users",
}
ON_LAMBDA = {
    "PERSISTENCE": "dynamodb",
    "USERS_TABLE": "users",
    "PICTURES_TABLE": "pictures",
    "METRICS_FORMAT": "emf",
}
OUR_HANDLER = ("app.aws_lambda.handler",)
_PEERS = [
    _handler("nothing", "a handler that imports nothing", ""),
    _handler("botocore", "a handler with botocore", "botocore"),
    _handler("chalice", "Chalice", "chalice", rest_api=True),
    _handler("powertools", "Powertools + boto3", "powertools"),
    _handler("flask", "Flask + serverless-wsgi + boto3", "flask-lambda"),
    _handler("fastapi", "FastAPI + Mangum + boto3", "mangum"),
    Peer("lambda/us-store-only", "**us**, the store only", OURS, OUR_HANDLER, ON_LAMBDA),
    Peer(
        "lambda/us",
        "**us**, all on board",
        OURS,
        OUR_HANDLER,
        ON_LAMBDA | ON_BOARD | {"MOMENTO_API_KEY_PARAMETER": "/users/momento-api-key:1"},
    ),
    Peer("run/nothing", "gunicorn with nothing", "gunicorn", (*GUNICORN, "--bind=127.0.0.1:{port}", "run_nothing:app")),
    Peer("run/flask", "Flask + gunicorn", "flask", (*GUNICORN, "--bind=127.0.0.1:{port}", "run_flask:app")),
    Peer(
        "run/functions-framework",
        "functions-framework",
        "functions-framework",
        ("functions_framework", "--source=run_functions_framework.py", "--target=app", "--host=127.0.0.1"),
    ),
    Peer("run/fastapi", "FastAPI + uvicorn", "uvicorn", ("uvicorn", "--port={port}", "run_fastapi:app")),
    Peer(
        "run/us",
        "**us**, all on board",
        OURS,
        OUR_GUNICORN,
        {"PERSISTENCE": "firestore", "MOMENTO_API_KEY": "{key}"} | ON_BOARD,
    ),
    Peer(
        "memory/flask",
        "Flask + gunicorn, in memory",
        "flask",
        ("gunicorn", "--worker-class=gthread", "--threads=9", "--timeout=0", "--keep-alive=620",
         "--bind=127.0.0.1:{port}", "memory_flask:app"),
    ),
    Peer(
        "memory/functions-framework",
        "functions-framework, in memory",
        "functions-framework",
        ("functions_framework", "--source=memory_functions_framework.py", "--target=app", "--host=127.0.0.1"),
    ),
    Peer(
        "memory/fastapi",
        "FastAPI + uvicorn, in memory",
        "uvicorn",
        ("uvicorn", "--port={port}", "memory_fastapi:app"),
    ),
    Peer("memory/us", "**us**, in memory", OURS, OUR_GUNICORN, {"PERSISTENCE": "memory"}),
]  # fmt: skip

PEERS = {
    variant.name: variant
    for peer in _PEERS
    for variant in (
        [peer, peer.without_pyc()] if peer.group not in ("", OURS) and peer.platform != "memory" else [peer]
    )
}
FLOORS = {"lambda": "lambda/botocore", "run": "run/flask", "memory": "memory/flask"}
"""What a platform's numbers are divided by."""
