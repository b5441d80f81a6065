"""The checks that only read."""

import statistics
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from urllib.parse import urlsplit

import httpx

from ops import transcript
from ops.contract import excerpt, media_type_of, problem_fault
from ops.deployment import Deployment, Skipped, Wrong
from ops.transcript import Step

type Check = tuple[str, Callable[[], str]]

LIVE, READY, USERS = (Step("GET", path, 200) for path in ("/health/live", "/health/ready", "/users?limit=1"))
SAMPLES = 20
READS = 5
STRANGER = "https://check.invalid"  # an origin that cannot exist (RFC 6761, 6.4)
LONG = 11_000  # bytes; the limit of the request line and the header values together is 10,240
HTTP_TIMEOUT = 5  # seconds: firewalls drop packets to a closed port


def checks(deployment: Deployment) -> Iterator[Check]:
    yield from of_the_app(deployment)
    yield "9,000 bytes of header", partial(answer, deployment, Step("GET", LIVE.path, 200, headers={"x": "x" * 9000}))
    yield "too long a header", partial(too_long, deployment, Step("GET", LIVE.path, 431, headers={"x": "x" * LONG}))
    yield "too long a URL", partial(too_long, deployment, Step("GET", f"{LIVE.path}?{'x' * LONG}", 414))
    yield "plain HTTP", partial(plain_http, deployment)
    yield f"latency of GET {LIVE.path}", partial(latency, deployment, LIVE)
    yield f"latency of GET {USERS.path}", partial(latency, deployment, USERS)


def of_the_app(deployment: Deployment) -> Iterator[Check]:
    """The checks that do not depend on the front door."""
    yield "digest", partial(digest, deployment)
    for step in transcript.reads(deployment.prefix):
        yield str(step), partial(answer, deployment, step)
    for path in deployment.contract.paths:
        yield f"routes of {path}", partial(routes, deployment, path)
    yield "callers without a token", partial(anonymous, deployment)
    yield "GET /docs", partial(documentation, deployment)
    yield "X-Request-Id", partial(request_id, deployment)
    yield "conditional GET and HEAD", partial(conditional, deployment)
    yield "CORS", partial(cors, deployment)
    yield "pages of users", partial(pages, deployment)
    yield "cached reads", partial(cached, deployment)


def answer(deployment: Deployment, step: Step) -> str:
    return str(deployment.ask(step).status_code)


def digest(deployment: Deployment) -> str:
    seen = Counter(deployment.ask(LIVE).json()["artifact"] for _ in range(SAMPLES))
    text = ", ".join(f"{artifact} in {count} of {SAMPLES} answers" for artifact, count in seen.items())
    if not deployment.target.digests:
        raise Skipped(f"{text}; only a stack knows the expected one")
    if not seen.keys() <= set(deployment.target.digests):
        raise Wrong(f"{text}; the stack has {' or '.join(deployment.target.digests)}")
    return text + (", during a rollout" if len(deployment.target.digests) > 1 else "")


def routes(deployment: Deployment, path: str) -> str:
    """OPTIONS lists the documented methods, and GET of a missing user is as documented."""
    example = path.replace("{user_id}", f"{deployment.prefix}nobody")
    operations = deployment.contract.paths[path]
    documented = {method.upper() for method in operations}
    allowed = deployment.ask(Step("OPTIONS", example, 204)).headers.get("allow", "nothing")
    if not documented <= set(allowed.split(", ")):
        raise Wrong(f"{', '.join(sorted(documented))} are in openapi.json, OPTIONS allows {allowed}")
    if "get" in operations:
        deployment.ask(Step("GET", example, 404 if example != path else 200))
    return allowed


def anonymous(deployment: Deployment) -> str:
    if not deployment.contract.auth:
        raise Skipped("this API asks for no tokens, so everybody may write")
    nobody = f"{deployment.prefix}nobody"
    for method, path in (("POST", "/users"), ("PUT", f"/users/{nobody}"), ("DELETE", f"/users/{nobody}")):
        deployment.ask(Step(method, path, 401), anonymous=True)
    deployment.ask(Step("GET", f"/profile-pic/{nobody}", 401), anonymous=True)
    return "401"


def documentation(deployment: Deployment) -> str:
    response = deployment.ask(Step("GET", "/docs", 200))
    if media_type_of(response) != "text/html" or "content-security-policy" not in response.headers:
        raise Wrong("/docs is not an HTML page with a Content-Security-Policy")
    return "200"


def request_id(deployment: Deployment) -> str:
    mine = f"{deployment.prefix}request"
    answered = deployment.ask(Step("GET", LIVE.path, 200, headers={"x-request-id": mine})).headers["x-request-id"]
    if answered != mine:
        raise Wrong(f"{answered!r} instead of the client's {mine!r}")
    if len({deployment.ask(LIVE).headers["x-request-id"] for _ in range(2)}) == 1:
        raise Wrong("two requests have the same id")
    return "the client's, or a new one"


def conditional(deployment: Deployment) -> str:
    """Conditional requests to /health/ready, which two versions of the app answer alike during a rollout.

    A front door that compresses makes the ETag weak.
    """
    tag = deployment.ask(READY).headers["etag"]
    unchanged = deployment.ask(Step("GET", READY.path, 304, headers={"if-none-match": tag}))
    if unchanged.content:
        raise Wrong(f"304 has a body: {excerpt(unchanged)}")
    deployment.ask(Step("GET", READY.path, 412, headers={"if-match": '"another"'}))
    head = deployment.ask(Step("HEAD", READY.path, 200))
    if head.content or strong(head.headers["etag"]) != strong(tag):
        raise Wrong(f"HEAD has ETag {head.headers['etag']} and {len(head.content)} bytes, GET has ETag {tag}")
    return "304, 412, and HEAD equals GET without the body"


def strong(tag: str) -> str:
    return tag.removeprefix("W/")


def too_long(deployment: Deployment, step: Step) -> str:
    response = deployment.send(step)
    status = response.status_code
    if status in (400, 413, 414, 431) and problem_fault(response):
        return f"{status} from the front door"
    if status not in (414, 431):
        raise Wrong(f"{status} instead of {step.status}")
    return str(status)


def cors(deployment: Deployment) -> str:
    preflight = {"origin": STRANGER, "access-control-request-method": "PUT"}
    for step in (
        Step("GET", LIVE.path, 200, headers={"origin": STRANGER}),
        Step("OPTIONS", "/users", 204, headers=preflight),
    ):
        for name, value in deployment.ask(step).headers.items():
            if name.lower().startswith("access-control-allow"):
                raise Wrong(f"a page of {STRANGER} gets {name}: {value}")
    return "a page of another origin gets no access"


def pages(deployment: Deployment) -> str:
    first = deployment.ask(USERS)
    cursor = first.json()["next_cursor"]
    if cursor is None:
        raise Skipped("there are fewer than two users")
    url = f"{USERS.path}&cursor={cursor}"
    if first.headers.get("link") != f'<{url}>; rel="next"':
        raise Wrong(f"Link is {first.headers.get('link')}, next_cursor is {cursor}")
    ids = [user["id"] for page in (first, deployment.ask(Step("GET", url, 200))) for user in page.json()["users"]]
    if len(ids) > 2 or len(set(ids)) < len(ids):
        raise Wrong(f"two pages of one user are {', '.join(ids)}")
    deployment.ask(Step("GET", "/users?cursor=*", 400))
    return "the second continues after the first"


def cached(deployment: Deployment) -> str:
    users = deployment.ask(USERS).json()["users"]
    if not users:
        raise Skipped("there are no users")
    status = read_until_hit(deployment, users[0]["id"])
    if "fwd=uri-miss" in status:
        raise Skipped(f"{status}: the user was just written, and cannot be cached yet")
    if "; hit" not in status:
        raise Wrong(f"no hit in {READS} reads but {status}")
    return status


def read_until_hit(deployment: Deployment, user_id: str) -> str:
    """The last Cache-Status of up to READS reads, since an instance's first call to the cache may time out."""
    status = ""
    for _ in range(READS):
        status = deployment.ask(Step("GET", f"/cached-users/{user_id}", 200)).headers["cache-status"]
        if status.startswith("none;"):
            raise Skipped("the app has no cache")
        if "; hit" in status:
            break
    return status


def plain_http(deployment: Deployment) -> str:
    """Plain HTTP gets no answer, or a redirect to HTTPS."""
    url = urlsplit(deployment.target.url)
    if url.scheme == "http":
        raise Skipped("the URL is plain HTTP")
    if url.port or ":" in (url.hostname or ""):
        raise Skipped("the URL has a port or an IP address")
    try:
        response = httpx.get(f"http://{url.hostname}{LIVE.path}", timeout=HTTP_TIMEOUT)
    except httpx.TransportError:
        return "no answer"
    if response.is_success or (response.is_redirect and not response.headers["location"].startswith("https://")):
        raise Wrong(f"{response.status_code} at {response.url}: {excerpt(response)}")
    return f"{response.status_code} {response.headers.get('location', '')}".rstrip()


def latency(deployment: Deployment, step: Step) -> str:
    times = [deployment.ask(step).elapsed.total_seconds() * 1000 for _ in range(SAMPLES)]
    return f"minimum {min(times):.0f} ms, median {statistics.median(times):.0f} ms of {SAMPLES}"
