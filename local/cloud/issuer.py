"""An OpenID Connect issuer on 127.0.0.1: discovery, keys, and tokens for any subject.

GET  /.well-known/openid-configuration    GET /jwks
POST /tokens   {"sub", "scope"?, "aud"?, "expiresIn"?: seconds} -> {"token"}
POST /rotate   signs with a new key from now on; the old ones stay in the set
"""

import json
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from local.cloud.common.listener import HOST

AUDIENCE = "better-together"
LIFETIME = 3600  # seconds


class Issuer:
    """Usable as a context manager. The keys exist only in memory."""

    def __init__(self) -> None:
        self._server = _Server((HOST, 0), self)
        self._keys: list[tuple[str, ec.EllipticCurvePrivateKey]] = []
        self.rotate()
        self.url = f"http://{HOST}:{self._server.server_port}"

    def rotate(self) -> None:
        self._keys = [*self._keys, (uuid.uuid4().hex, ec.generate_private_key(ec.SECP256R1()))]

    def token(self, sub: str, scope: str = "", aud: str = AUDIENCE, expiresIn: int = LIFETIME) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": aud, "sub": sub, "iat": now, "exp": now + expiresIn, "scope": scope}
        kid, key = self._keys[-1]
        return jwt.encode(claims, key, "ES256", {"kid": kid})

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """The status and the JSON body."""
        match method, path:
            case "GET", "/.well-known/openid-configuration":
                return 200, {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"}
            case "GET", "/jwks":
                return 200, {"keys": [_public(kid, key) for kid, key in self._keys]}
            case "POST", "/tokens":
                try:
                    return 200, {"token": self.token(**json.loads(body))}
                except (TypeError, ValueError) as error:
                    return 400, {"error": str(error)}
            case "POST", "/rotate":
                self.rotate()
                return 200, {}
            case _:
                return 404, {"error": f"{method} {path} is not known"}

    def start(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="issuer", daemon=True).start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _public(kid: str, key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    return ECAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": kid, "use": "sig", "alg": "ES256"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], issuer: Issuer) -> None:
        super().__init__(address, _Handler)
        self.issuer = issuer


class _Handler(BaseHTTPRequestHandler):
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, answer = self.server.issuer.answer(self.command, self.path, body)
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Logs nothing: the log is for errors."""
