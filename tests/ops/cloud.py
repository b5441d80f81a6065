"""A cloud that answers as a test says, in the shapes of the real ones' references."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from ops.stack import Laptop, Stack

type Answer = Callable[[dict[str, Any]], tuple[int, Any]]


class Cloud:
    """A server of all APIs that gets each request's body, which it also remembers, and answers with JSON."""

    def __init__(self) -> None:
        self.answer: Answer = lambda asked: (200, {})
        self.asked: list[dict[str, Any]] = []
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                is_form = self.headers["Content-Type"] == "application/x-www-form-urlencoded"
                asked = dict(parse_qsl(body)) if is_form else json.loads(body)
                cloud.asked.append(asked)
                status, answer = cloud.answer(asked)
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def stack(self, name: str) -> Stack:
        account = {"aws": "123456789012", "gcp": "p"}[name]
        outputs = {"cloud": name, "account": account, "region": "us-east-1", "service": "s"}
        return Stack(name, outputs, Laptop(Path(), self.url, self.url))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
