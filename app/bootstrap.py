"""Chooses the implementations, and imports only those, and what not every request needs as late as possible."""

from contextlib import suppress
from functools import partial

from app import deadline
from app.auth import Authenticator
from app.auth.none import NoAuthenticator
from app.cache import Cache
from app.cache.none import NoCache
from app.data import DataClient, StoreUnavailable
from app.http import access_log, challenges, cors, drain, limits, preconditions, problems
from app.http.bodies import MAX_BODY_BYTES
from app.http.docs import Docs
from app.http.routes import UserRoutes
from app.late import Late
from app.lifecycle import App
from app.metrics import Metrics
from app.secrets import Secret, momento_api_key
from app.settings import AuthSettings, CacheSettings, Settings, SettingsError
from app.users import Users


def create_app(settings: Settings) -> App:
    """The app, ready to serve."""
    metrics = Metrics(settings.metrics_format, settings.metrics_namespace)
    return assemble(settings, metrics, data_client(settings, metrics), cache(settings.cache, metrics))


def assemble(settings: Settings, metrics: Metrics, data: DataClient, cache: Cache) -> App:
    """The app with these implementations."""
    callers = Late(partial(authenticator, settings.auth, metrics))
    seconds = settings.timeout_seconds - deadline.MARGIN
    app = App([data, cache], partial(_warm_up, data, cache, callers), seconds)
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    drain.register(app)
    problems.register(app, metrics)
    challenges.register(app)
    access_log.register(app, metrics, settings.trace_project)
    limits.register(app)
    cors.register(app, settings.cors_origins)
    preconditions.register(app)
    routes = UserRoutes(Users(data, cache), callers, settings.artifact_digest, settings.demo)
    app.register_blueprint(routes.blueprint())
    app.register_blueprint(Docs(routes.table(), auth=settings.auth is not None).blueprint())
    return app


def _warm_up(data: DataClient, cache: Cache, callers: Late[Authenticator]) -> None:
    """Use each of them once, since much is imported at first use. It does not matter whether the store answers."""
    callers()
    cache.get(["-"])
    with suppress(StoreUnavailable):
        data.ping()


def create_app_from_environ() -> App:
    """For entry points: a wrong setting ends the process with a one-line message."""
    try:
        return create_app(Settings.from_environ())
    except SettingsError as error:
        raise SystemExit(f"better-together: {error}") from None


def data_client(settings: Settings, metrics: Metrics) -> DataClient:
    match settings.persistence:
        case "dynamodb":
            from app.data.dynamodb import DynamoDBDataClient

            return DynamoDBDataClient(settings.users_table, settings.pictures_table, settings.aws_region, metrics)
        case "firestore":
            from app.data.firestore import FirestoreDataClient

            return FirestoreDataClient(
                settings.google_cloud_project, settings.firestore_database, metrics, settings.firestore_emulator_host
            )
        case "memory":
            from app.data.memory import MemoryDataClient

            return MemoryDataClient()
        case other:
            raise NotImplementedError(f"PERSISTENCE={other} has no DataClient")


def authenticator(settings: AuthSettings | None, metrics: Metrics) -> Authenticator:
    if settings is None:
        return NoAuthenticator()
    from app.auth.bearer import BearerAuthenticator
    from app.auth.keys import SigningKeys

    return BearerAuthenticator(settings, SigningKeys(settings.issuer, metrics))


def cache(settings: CacheSettings | None, metrics: Metrics) -> Cache:
    if settings is None:
        return NoCache()
    from app.cache.breaker import CircuitBreaker
    from app.cache.late import LateCache

    def momento() -> Cache:
        from app.cache.momento import MomentoCache

        return MomentoCache(settings, Secret(partial(momento_api_key, settings), metrics), metrics)

    return CircuitBreaker(LateCache("momento", momento))
