"""Ways to break a cloud under its app: faults in the paths of the app's real clients, and kill -9."""

from collections.abc import Generator
from contextlib import contextmanager, suppress

import psutil

from tests.e2e.laptop import Laptop

STORES = {"aws": "aws", "gcp": "firestore"}


@contextmanager
def broken(clouds: Laptop, service: str, fault: str) -> Generator[None]:
    """The fault (local/cloud/faults/proxy.py) in every connection to the service: aws, firestore or momento."""
    clouds.control("PUT", f"/faults/{service}", {"fault": fault}).raise_for_status()
    try:
        yield
    finally:
        clouds.control("DELETE", f"/faults/{service}").raise_for_status()


def await_held(clouds: Laptop, service: str) -> None:
    """Returns when a request to the service, which is `held`, is on its way."""
    clouds.control("GET", f"/faults/{service}/held").raise_for_status()


def kill_workers(clouds: Laptop, cloud: str) -> int:
    """kill -9 of what runs the app, the Lambda environments or gunicorn's workers; how many. The next request meets
    new ones."""
    found = workers(clouds, cloud)
    for process in found:
        with suppress(psutil.NoSuchProcess):  # Lambda itself was faster
            process.kill()
            process.wait()
    return len(found)


def workers(clouds: Laptop, cloud: str) -> list[psutil.Process]:
    """Those that the Python of these clouds runs."""
    program = f"{clouds.home}/run/python/bin/python3 -m {'awslambdaric' if cloud == 'aws' else 'gunicorn'}"
    found = {
        process.pid: process
        for process in psutil.process_iter(["cmdline", "ppid"])
        if " ".join(process.info["cmdline"] or []).startswith(program)
    }
    return [process for process in found.values() if cloud == "aws" or process.info["ppid"] in found]
