"""What a cold start on Lambda imports, in ms by package, as a Markdown table; `make compare` makes the packages:

    app/.venv/bin/python -m benchmarks.import_profile

The times are Python's own of `-X importtime`, which makes importing look longer than it is.
"""

import re
import subprocess
import sys
from collections import Counter
from statistics import median

from benchmarks.compare.catalog import PEERS, Peer
from benchmarks.compare.lambda_runtime import RUNTIME
from benchmarks.compare.packages import ARTIFACT, clean_python, package
from docs.tables import text_table

COMPARED = {"lambda/botocore": "a handler with botocore", "lambda/chalice": "Chalice", "lambda/us": "us"}
UPSTREAMS = {"momento": "http://127.0.0.1:1"}  # nothing is called
HANDLER = "the handler, or this app"
RUNS = 15
LEAST = 1000  # microseconds
IMPORT = re.compile(r"import time: +(\d+) \| +\d+ \| +(\w+)")


def main() -> None:
    if not ARTIFACT.exists():
        sys.exit(f"{ARTIFACT} does not exist: run `make compare` first")
    columns = {title: profile(PEERS[name]) for name, title in COMPARED.items()}
    names = {name for column in columns.values() for name, time in column.items() if time >= LEAST}
    rows = [
        [name, *(_milliseconds(column[name]) for column in columns.values())]
        for name in sorted(names, key=lambda name: -columns["us"][name])
    ]
    rows.append(["all", *(_milliseconds(column.total()) for column in columns.values())])
    print(text_table(["package", *columns], rows), end="")


def profile(peer: Peer) -> Counter[str]:
    """The median time of each package, in microseconds."""
    runs = [_imports(peer) for _ in range(RUNS)]
    names = {name for run in runs for name in run}
    return Counter({name: round(median(run[name] for run in runs)) for name in names})


def _imports(peer: Peer) -> Counter[str]:
    [handler] = peer.start
    environment = {name: value.format(**UPSTREAMS) for name, value in peer.environment.items()}
    run = subprocess.run(
        [clean_python(), "-X", "importtime", "-c", f"import {handler.rpartition('.')[0]}"],
        cwd=package(peer).folder,
        env=environment | {"AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1", "PYTHONPATH": str(RUNTIME)},
        capture_output=True,
        text=True,
    )
    if run.returncode:
        sys.exit(f"{peer.name} cannot be imported: {run.stderr.splitlines()[-1]}")
    found = Counter[str]()
    module = handler.partition(".")[0]
    for time, name in IMPORT.findall(run.stderr):
        origin = "Python" if name in sys.stdlib_module_names else HANDLER if name == module else name
        found[origin] += int(time)
    return found


def _milliseconds(time: int) -> str:
    return f"{time / 1000:.0f}" if time >= LEAST else ""


if __name__ == "__main__":
    main()
