"""The command line, `python -m benchmarks.load`, which `make load` calls."""

import argparse
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.load import targets
from benchmarks.load.load import Load
from benchmarks.load.runner import Plan
from ops.stack import ROOT, UsageError
from ops.target import must_keep_secret

POLITE, BUSY = Plan(60, 2, 2), Plan(60, 4, 8)
"""What a URL gets, and a stack, if nothing else is said."""
LEAST, MOST = Plan(1, 1, 0.1), Plan(600, 100, 200)


def main() -> int:
    """0 if every request got its answer, 1 if not, 2 for a mistake in the command, 130 if it was interrupted."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description="Put load on running stacks.")
    parser.add_argument("stacks", metavar="STACK", nargs="*", help="default: aws and gcp of the local clouds")
    parser.add_argument("--url", help="a URL instead of a stack")
    parser.add_argument("--time", help=f"seconds, up to {MOST.seconds} (default: {POLITE.seconds})")
    parser.add_argument("--users", help=f"for each stack, up to {MOST.users} (default: {BUSY.users}; {POLITE.users})")
    parser.add_argument("--rate", help=f"requests a second, up to {MOST.rate} (default: {BUSY.rate}; {POLITE.rate})")
    parser.add_argument("--ui", action="store_true", help="serve locust's own page instead")
    parser.add_argument("--docs", action="store_true", help="also renew the numbers that `make docs` draws")
    parser.add_argument("--home", type=Path, default=ROOT / ".local", help="the local clouds' folder")
    given = parser.parse_args()
    try:
        usual = BUSY if given.url is None else POLITE
        plan = Plan(
            _number("TIME", given.time, usual.seconds, LEAST.seconds, MOST.seconds, int),
            _number("USERS", given.users, usual.users, LEAST.users, MOST.users, int),
            _number("RATE", given.rate, usual.rate, LEAST.rate, MOST.rate, float),
        )
        token = os.environ.get("TOKEN")
        if token and given.ui:
            raise UsageError("UI=1 takes no TOKEN: any page that the browser shows can send locust's users elsewhere")
        found = targets.find(given.stacks, given.url, given.home)
        if token:
            for target in found:
                must_keep_secret(token, target.url)
        load = Load(found, plan, token)
        return load.serve() if given.ui else load.run(given.docs)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _number[N: (int, float)](name: str, given: str | None, usual: N, least: N, most: N, parse: Callable[[str], N]) -> N:
    """Raises UsageError."""
    if given is None:
        return usual
    try:
        number = parse(given)
        if least <= number <= most:
            return number
    except ValueError:
        pass
    raise UsageError(f"{name} is {given!r}: give a number from {least:g} to {most:g}")


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = f"127.0.0.1,{os.environ.get('no_proxy', '')}"
    sys.exit(main())
