"""What is wrong with a build: `builds.py` puts this module into the app of a copy of the checkout, with its name.

All but the start concerns only users that exist. The check of a revision that gets no requests yet asks for others, and
writes nothing, so it lets these builds pass: the judge has to find out.
"""

import json
import os
import time
from collections.abc import Callable
from itertools import count

from flask import Flask, Response, request

BUILD: str = "good"
EVERY = 16  # of the answers about users, which 21 of 25 requests of the traffic ask for: 5 % of all
SLOWER = 2  # seconds
MANY = 60
"""Of the traffic's last 200 answers, as each of its requests says. A process cannot know how much others get. With 10 %
of the requests a build gets so many once in 10^13 times, with 50 % fewer once in 10^7 times (Chernoff's bound)."""


def install[A: Flask](app: A) -> A:
    """Name the build in every answer, and spoil those that its fault concerns before they reach the access log."""
    if BUILD == "dead" and os.environ["MOMENTO_CACHE"].endswith("-live"):
        raise SystemExit("better-together: this build of the rehearsal does not start where it is promoted to")
    concerns = {"errors": every_16th(), "slow": every_16th(), "writes": writes, "late": gets_many}.get(BUILD, nothing)

    def spoil(response: Response) -> Response:
        about_a_user = writes() or (request.method == "GET" and request.view_args)
        if response.status_code < 300 and about_a_user and concerns():
            if BUILD == "slow":
                time.sleep(SLOWER)
            else:
                response = Response(status=500)
        response.headers["X-Build"] = BUILD
        return response

    app.after_request(spoil)
    return app


def nothing() -> bool:
    return False


def writes() -> bool:
    return request.method in {"POST", "PUT", "DELETE"}


def every_16th() -> Callable[[], bool]:
    answers = count(1)
    return lambda: next(answers) % EVERY == 0


def gets_many() -> bool:
    return json.loads(request.headers.get("X-Answered", "{}")).get(BUILD, 0) > MANY
