"""Calls the control API of the laptop's clouds, which daemon.json describes."""

import http.client
import json
import os
import urllib.error
import urllib.request
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
    url = "/".join([address, *(quote(part, safe="") for part in path)])
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {daemon['token']}"}
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        return _answer(request)
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise ProviderError(f"the laptop's clouds do not answer at {address} ({reason}): run `make up`") from None


def _answer(request: urllib.request.Request) -> Props | None:
    try:
        with urllib.request.urlopen(request) as response:
            return json.loads(response.read() or "null")
    except urllib.error.HTTPError as error:
        if error.code == 404 and request.method != "PUT":
            return None
        raise ProviderError(_reason(error)) from None


def _reason(error: urllib.error.HTTPError) -> str:
    text = error.read().decode(errors="replace")
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return f"the laptop's clouds answered {error.code}: {text[:200]}"
