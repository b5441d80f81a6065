"""The picture of a load: p50 and p99 over time of APIs and upstreams, as the app's metric lines have them."""

import json
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"
DATA = "load.json"


def store(result: dict[str, Any], folder: Path) -> None:
    (folder / DATA).write_text(json.dumps(result, indent=1) + "\n")
