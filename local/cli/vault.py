"""The key of the laptop's secrets, which the engine gets from a stand-in for HashiCorp Vault.

With a passphrase, the engine would derive a key at each start, which takes a quarter of a second of a processor's time.
The key is no secret: what it encrypts is only good for the laptop's clouds.
"""

import json
import os
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

KEY = sha256(b"the laptop's clouds").digest()
SETTINGS = {"secretsprovider": "hashivault://laptop", "encryptedkey": b64encode(b"laptop").decode()}
"""The part of a stack file that names the key."""


def encrypted(text: str) -> str:
    """The text as stack files have it, in the format of https://pkg.go.dev/github.com/pulumi/pulumi/sdk/v3/go/common/resource/config."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # late, as only some commands need it

    nonce = os.urandom(12)
    sealed = AESGCM(KEY).encrypt(nonce, text.encode(), None)
    return f"v1:{b64encode(nonce).decode()}:{b64encode(sealed).decode()}"


class _Vault(BaseHTTPRequestHandler):
    """Decrypts the key (https://developer.hashicorp.com/vault/api-docs/secret/transit#decrypt-data)."""

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        answer = json.dumps({"data": {"plaintext": b64encode(KEY).decode()}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Prints no traceback: the engine was killed, and does not read the answer."""


@cache
def variables() -> Mapping[str, str]:
    """The variables with which an engine gets the key from this process. They override the user's own key service."""
    server = _Server(("127.0.0.1", 0), _Vault)
    Thread(target=server.serve_forever, daemon=True).start()
    hidden = ["PULUMI_CLOUD_SECRET_OVERRIDE", *(name for name in os.environ if name.startswith("VAULT_"))]
    return dict.fromkeys(hidden, "") | {
        "VAULT_SERVER_URL": f"http://127.0.0.1:{server.server_port}",
        "VAULT_SERVER_TOKEN": "laptop",
    }
