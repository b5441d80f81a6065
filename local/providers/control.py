"""Calls the control API of the laptop's clouds, which daemon.json describes."""

import http.client
import json
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from local.providers.resource import ProviderError
from local.providers.values import Props


class Control:
    """The clouds of a home. Raises ProviderError if none are running."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def facts(self) -> dict[str, Any]:
        """daemon.json."""
        try:
            return json.loads((self._home / "daemon.json").read_text())
        except FileNotFoundError:
            where = f"no daemon.json in {self._home}"
            raise ProviderError(f"the laptop's clouds are not running ({where}): run `make up`") from None

    def __call__(self, method: str, *path: str, body: Props | None = None) -> Props | None:
        """The daemon's answer; None if what `path` names does not exist.

        Raises ProviderError with the daemon's error.
        """
        daemon = self.facts()
        address: str = daemon["control"]
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {daemon['token']}"}
        url = "".join("/" + quote(part, safe="") for part in path)
        try:
            with closing(http.client.HTTPConnection(address.removeprefix("http://"))) as connection:
                connection.request(method, url, None if body is None else json.dumps(body), headers)
                response = connection.getresponse()
                answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ProviderError(f"the laptop's clouds do not answer at {address} ({error}): run `make up`") from None
        if response.status == 404 and method != "PUT":
            return None
        if response.status >= 300:
            raise ProviderError(_reason(response.status, answer.decode(errors="replace")))
        return json.loads(answer or "null")


def _reason(status: int, text: str) -> str:
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return f"the laptop's clouds answered {status}: {text[:200]}"
