"""Where the processor's time of a warm request goes, by package, as a Markdown table:

    app/.venv/bin/python -m benchmarks.request_profile

The store is in memory. cProfile makes short functions look longer than they are, so only shares are printed.
"""

import cProfile
import io
import pstats
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from werkzeug.test import create_environ, run_wsgi_app

from app.aws_handler import create_handler
from app.bootstrap import assemble
from app.cache.none import NoCache
from app.data.memory import MemoryDataClient
from app.metrics import Metrics
from app.model import User
from app.settings import Settings
from benchmarks.compare.catalog import USER
from benchmarks.compare.events import HTTP_API
from docs.tables import text_table

type Function = tuple[str, int, str]
"""Its file, which is "~" for what is written in C, its line and its name."""
type Callers = Mapping[Function, tuple[int, int, float, float]]
type Statistics = Mapping[Function, tuple[int, int, float, float, Callers]]

APP = Path(__file__).parents[1] / "app"
REQUESTS = 2000
LEAST = 0.02


def main() -> None:
    data = MemoryDataClient()
    data.create_user(User(id=USER["id"], name=USER["name"], version="v1", followers=tuple(USER["followers"])))
    app = assemble(Settings(), Metrics(stream=io.StringIO()), data, NoCache())
    handler = create_handler(app)
    columns = [
        shares(lambda: handler(HTTP_API, None)),
        shares(lambda: run_wsgi_app(app, create_environ(f"/users/{USER['id']}"))),
    ]
    packages = sorted(columns[0] | columns[1], key=lambda package: -columns[0][package])
    rows = [[package, *(f"{column[package]:.0%}" for column in columns)] for package in packages]
    print(text_table(["package", "Lambda's handler", "the WSGI app"], rows), end="")


def shares(request: Callable[[], object]) -> defaultdict[str, float]:
    """By package, those of at least LEAST."""
    request()
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(REQUESTS):
        request()
    profile.disable()
    times = defaultdict[str, float](float)
    statistics = cast(Statistics, cast(Any, pstats.Stats(profile)).stats)
    for (file, _, _), (_, _, own, _, callers) in statistics.items():
        if file == "~":  # counts for those who call it
            for caller, (_, _, within, _) in callers.items():
                times[_package(caller[0])] += within
        else:
            times[_package(file)] += own
    total = sum(times.values())
    return defaultdict(float, {name: time / total for name, time in times.items() if time >= LEAST * total})


def _package(file: str) -> str:
    """The first folder or module below site-packages, or the app."""
    path = Path(file)
    if "site-packages" in path.parts:
        return path.parts[path.parts.index("site-packages") + 1].removesuffix(".py")
    return "this app" if path.is_relative_to(APP) else "Python"


if __name__ == "__main__":
    main()
