"""Calls the control API of the laptop's clouds, which daemon.json describes."""

import http.client
import json
import os
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from local.providers.resource import ProviderError
from local.providers.values import Props


def facts() -> dict[str, Any]:
    """daemon.json. Raises ProviderError if no daemon has written one."""
    home = os.environ.get("BETTER_TOGETHER_HOME")
    if not home:
        raise ProviderError("BETTER_TOGETHER_HOME is not set: run `make up` instead of pulumi itself")
    try:
        return json.loads((Path(home) / "daemon.json").read_text())
    except FileNotFoundError:
        raise ProviderError(f"the laptop's clouds are not running (no daemon.json in {home}): run `make up`") from None


def control(method: str, *path: str, body: Props | None = None) -> Props | None:
    """The daemon's answer; None if what `path` names does not exist. Raises ProviderError with the daemon's error."""
    daemon = facts()
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
