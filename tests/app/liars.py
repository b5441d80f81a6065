"""The app on servers that each lie about one thing, for the tests of `ops check`: `python -m tests.app.liars`.

Prints {"urls": {lie: url}, "tokens": {user: token}}, and serves until its input ends.
"""

import gzip
import io
import json
import os
import sys
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from app.bootstrap import assemble
from app.data.memory import MemoryDataClient
from app.lifecycle import App
from app.metrics import Metrics
from app.settings import AuthSettings, Settings
from local.cloud.common.listener import HOST
from local.cloud.issuer import AUDIENCE, Issuer
from tests.app.caches import MemoryCache

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

DIGEST = "sha256:" + "1" * 64
over = threading.Event()

type Forward = Callable[[], Response]
type Lie = Callable[[Request, Forward], Response]


def truth(request: Request, forward: Forward) -> Response:
    return forward()


def front(request: Request, forward: Forward) -> Response:
    """Not a lie: what a proxy may do. It compresses, which weakens ETags, and changes the case of headers."""
    response = forward()
    if response.data and request.method != "HEAD":
        response.data = gzip.compress(response.data)
        response.headers["Content-Encoding"] = "gzip"
    if "ETag" in response.headers:
        response.headers["ETag"] = "W/" + response.headers["ETag"]
    if response.mimetype == "application/json":
        response.headers["Content-Type"] = "application/json; charset=UTF-8"
    response.headers["Via"] = "1.1 front"
    response.headers = type(response.headers)([(name.lower(), value) for name, value in response.headers])
    return response


def another_digest(request: Request, forward: Forward) -> Response:
    response = forward()
    response.data = response.data.replace(DIGEST.encode(), b"sha256:" + b"2" * 64)
    return response


def html_errors(request: Request, forward: Forward) -> Response:
    response = forward()
    if response.status_code == 404:
        response.data, response.content_type = b"<html>Not\n Found</html>", "text/html"
    return response


def throttled(request: Request, forward: Forward) -> Response:
    """Not a lie of the app: a front door with limits that are too low."""
    busy = request.path == "/health/ready"
    return Response('{"message":"Too Many Requests"}', 429, mimetype="application/json") if busy else forward()


def no_etag(request: Request, forward: Forward) -> Response:
    response = forward()
    if request.path.startswith("/followers"):
        del response.headers["ETag"]
    return response


def stale_cache() -> Lie:
    kept: dict[str, Response] = {}

    def lie(request: Request, forward: Forward) -> Response:
        response = kept.get(request.path) or forward()
        if request.path.startswith("/cached-users/") and "; hit" in response.headers.get("Cache-Status", ""):
            kept[request.path] = response
        return response

    return lie


def cache_in_vain(request: Request, forward: Forward) -> Response:
    response = forward()
    if "Cache-Status" in response.headers:
        response.headers["Cache-Status"] = "momento; fwd=miss; detail=timeout"
    return response


def cors(request: Request, forward: Forward) -> Response:
    response = forward()
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def same_request_id(request: Request, forward: Forward) -> Response:
    response = forward()
    response.headers["X-Request-Id"] = "1"
    return response


def unconditional(request: Request, forward: Forward) -> Response:
    request.environ.pop("HTTP_IF_NONE_MATCH", None)
    return forward()


def lost_updates(request: Request, forward: Forward) -> Response:
    if request.headers.get("If-Match"):
        request.environ["HTTP_IF_MATCH"] = "*"
    return forward()


def endless(request: Request, forward: Forward) -> Response:
    request.environ.pop("HTTP_X", None)
    return forward()


def same_page(request: Request, forward: Forward) -> Response:
    if request.args.get("cursor", "*") != "*":
        request.environ["QUERY_STRING"] = "limit=1"
    return forward()


def another_type(request: Request, forward: Forward) -> Response:
    response = forward()
    response.data = response.data.replace(b'"followers":[]', b'"followers":""')
    return response


def sniffable(request: Request, forward: Forward) -> Response:
    response = forward()
    response.headers.pop("X-Content-Type-Options", None)
    return response


def careless(request: Request, forward: Forward) -> Response:
    """Writes a user without looking."""
    response = forward()
    return (
        Response("{}", 201, mimetype="application/json")
        if response.status_code == 400 and request.get_data()
        else response
    )


def deaf(request: Request, forward: Forward) -> Response:
    return Response(status=204) if request.method == "DELETE" and request.path.startswith("/users/") else forward()


def keeping(request: Request, forward: Forward) -> Response:
    busy = request.method == "DELETE" and request.path.endswith("-cache")
    return Response("Service Unavailable", 503) if busy else forward()


def stuck(request: Request, forward: Forward) -> Response:
    if request.path.startswith("/followers/check-") and not request.path.endswith("-nobody"):
        over.wait()
    return forward()


def open_door(token: str) -> Lie:
    def lie(request: Request, forward: Forward) -> Response:
        request.environ["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return forward()

    return lie


def hidden(request: Request, forward: Forward) -> Response:
    return Response("<html>Forbidden</html>", 403) if request.path == "/openapi.json" else forward()


LIES: dict[str, Lie] = {
    lie.__name__: lie
    for lie in (
        *(truth, front, another_digest, html_errors, throttled, no_etag, cache_in_vain, cors, same_request_id),
        *(unconditional, lost_updates, endless, same_page, another_type, sniffable, careless, deaf, keeping, stuck),
        hidden,
    )
}


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        pass


def serve(app: App, lie: Lie) -> str:
    """The URL of a server of its own."""

    def lying(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        environ["wsgi.input"] = io.BytesIO(request.get_data())
        response = lie(request, lambda: Response.from_app(app, environ, buffered=True))
        return response(environ, start_response)

    server = make_server(HOST, 0, lying, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://{HOST}:{server.server_port}"


def app(auth: AuthSettings | None = None) -> App:
    return assemble(Settings(artifact_digest=DIGEST, auth=auth), Metrics(), MemoryDataClient(), MemoryCache())


def main() -> None:
    with Issuer() as issuer:
        urls = {name: serve(app(), lie) for name, lie in LIES.items()} | {"stale_cache": serve(app(), stale_cache())}
        auth = AuthSettings(issuer.url, AUDIENCE)
        tokens = {"admin": issuer.token("checker", "users:admin"), "expired": issuer.token("checker", expiresIn=-3600)}
        urls["asks_for_tokens"] = serve(app(auth), truth)
        urls["open_door"] = serve(app(auth), open_door(tokens["admin"]))
        print(json.dumps({"urls": urls, "tokens": tokens}), flush=True)
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - the app's log
        sys.stdin.read()
        over.set()


if __name__ == "__main__":
    main()
