"""Requests as bytes, and the status that each must get: from every runtime, or why not."""

import gzip

from app.http.limits import MAX_HEAD_BYTES


def get(target: bytes, *headers: bytes, method: bytes = b"GET", body: bytes = b"") -> bytes:
    """A request with these lines between Host and the body."""
    lines = [b"%b %b HTTP/1.1" % (method, target), b"Host: a", *headers]
    return b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


def post(*headers: bytes, body: bytes = b"{}", target: bytes = b"/users") -> bytes:
    """A request to create nobody: the user in it is none."""
    return get(target, b"Content-Type: application/json", *headers, method=b"POST", body=body)


def sized(*headers: bytes, body: bytes = b"{}", target: bytes = b"/users") -> bytes:
    return post(b"Content-Length: %d" % len(body), *headers, body=body, target=target)


def put(*headers: bytes) -> bytes:
    """A request to replace a user that is not there."""
    body = b'{"id":"1","name":"Ada"}'
    fixed = b"Content-Type: application/json", b"Content-Length: %d" % len(body)
    return get(b"/users/1", *fixed, *headers, method=b"PUT", body=body)


def filled(size: int) -> bytes:
    """A request whose request line and header values have this many bytes."""
    line = len(b"GET /health/live HTTP/1.1") + len(b"a")
    return get(b"/health/live", b"X: " + b"x" * (size - line))


LIVE = b"/health/live"
LIES = (
    b"Forwarded: for=evil;host=evil.example;proto=gopher",
    b"X-Forwarded-For: evil",
    b"X-Forwarded-Host: evil.example/",
    b"X-Forwarded-Port: evil",
    b"X-Forwarded-Prefix: /users",
    b"X-Forwarded-Proto: gopher",
    b"X-Forwarded-Server: evil.example",
    b"X-Original-URL: /users",
    b"X-Real-IP: evil",
    b"X-Rewrite-URL: /users",
    b"Remote-User: evil",
)
CHUNKED = b"Transfer-Encoding: chunked"
EVERYWHERE = {
    "absolute form": (get(b"http://users.example/health/live"), 200),
    "absolute form, another port": (get(b"https://users.example:444/health/live?x=http://y"), 200),
    "absolute form without a path": (get(b"http://users.example"), 404),
    "asterisk form": (get(b"*", method=b"OPTIONS"), 404),
    "fragment": (get(b"/health/live#fragment"), 200),
    "two slashes": (get(b"//health/live"), 200),
    "two slashes within": (get(b"/health//live"), 404),
    "dots": (get(b"/users/../health/live"), 404),
    "escaped dots": (get(b"/users/%2e%2e/health/live"), 404),
    "parameters": (get(b"/health/live;a=b"), 404),
    "escaped letter": (get(b"/health/%6cive"), 200),
    "escaped slash": (get(b"/users/a%2Fb"), 404),
    "escaped hash": (get(b"/users/a%23b"), 400),
    "escaped NUL": (get(b"/users/%00"), 400),
    "escaped line break": (get(b"/users/a%0A"), 400),
    "escaped FF": (get(b"/users/%FF"), 400),
    "escape of nothing": (get(b"/users/%zz"), 400),
    "percent at the end": (get(b"/users/%"), 400),
    "brackets": (get(b"/users/[1]"), 400),
    "quotes": (get(b"/users/\"<>'"), 400),
    "query of the root": (get(b"/?limit=1"), 404),
    "FF in a query": (get(b"/users?limit=%FF"), 400),
    "NUL in a query": (get(b"/users?cursor=%00"), 400),
    "HEAD": (get(LIVE, method=b"HEAD"), 200),
    "OPTIONS of the document": (get(b"/openapi.json", method=b"OPTIONS"), 204),
    "OPTIONS of its page": (get(b"/docs", method=b"OPTIONS"), 204),
    "TRACE": (get(LIVE, method=b"TRACE"), 405),
    "PROPFIND": (get(LIVE, method=b"PROPFIND"), 405),
    "HTTP/1.0 without a host": (b"GET /health/live HTTP/1.0\r\n\r\n", 200),
    "an empty host": (b"GET /health/live HTTP/1.1\r\nHost:\r\n\r\n", 200),
    "a host with a port": (b"GET /health/live HTTP/1.1\r\nHost: a.example:99999\r\n\r\n", 200),
    "a host that is an address": (b"GET /health/live HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 200),
    "FF in a header": (get(LIVE, b"X: \xff"), 200),
    "FF in a cookie": (get(LIVE, b"Cookie: a=\xff"), 200),
    "FF in a trace": (get(LIVE, b"traceparent: \xff"), 200),
    "FF in Google's trace": (get(LIVE, b"X-Cloud-Trace-Context: \xff"), 200),
    "FF in Amazon's trace": (get(LIVE, b"X-Amzn-Trace-Id: \xff"), 200),
    "FF in a request's id": (get(LIVE, b"X-Request-Id: \xff"), 200),
    "FF in the caller": (get(b"/profile-pic/1", b"X-User-Id: \xff"), 404),
    "FF in a content type": (get(b"/users", b"Content-Type: \xff", b"Content-Length: 0", method=b"POST"), 415),
    "FF in a precondition": (put(b"If-Match: \xff"), 412),
    "FF in a body": (sized(body=b"\xff"), 400),
    "UTF-8 in a header": (get(LIVE, "X: é日".encode()), 200),
    "tab in a header": (get(LIVE, b"X: a\tb"), 200),
    "If_Match": (put(b"If_Match: *", b"If_None_Match: *"), 428),
    "SCRIPT_NAME, before its path": (get(b"/x/health/live", b"SCRIPT_NAME: /x", b"Script-Name: /x"), 404),
    "SCRIPT_NAME, before another": (get(LIVE, b"SCRIPT_NAME: /x", b"X-Script-Name: /x"), 200),
    "PATH_INFO": (get(LIVE, b"PATH_INFO: /nowhere", b"Path-Info: /nowhere"), 200),
    "another method": (sized(b"X-HTTP-Method-Override: GET", target=LIVE), 405),
    "proxies that lie": (get(LIVE, *LIES), 200),
    "schemes that differ": (get(LIVE, b"X-Forwarded-Proto: https", b"X-Forwarded-Ssl: off"), 200),
    "WebSocket": (get(LIVE, b"Connection: Upgrade", b"Upgrade: websocket"), 200),
    "HTTP/2": (get(LIVE, b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAM"), 200),
    "chunks": (post(CHUNKED, body=b"2\r\n{}\r\n0\r\n\r\n"), 400),
    "chunks and a trailer": (post(CHUNKED, body=b"2\r\n{}\r\n0\r\nX: y\r\n\r\n"), 400),
    "no length": (post(body=b""), 400),
    "body of a GET": (get(LIVE, b"Content-Length: 2", body=b"{}"), 200),
    "gzip": (sized(b"Content-Encoding: gzip", body=gzip.compress(b"{}")), 415),
    "gzip that is none": (sized(b"Content-Encoding: gzip"), 415),
    "Brotli": (sized(b"Content-Encoding: br"), 415),
    "an encoding behind none": (sized(b"Content-Encoding: identity, gzip"), 415),
    "no encoding": (sized(b"Content-Encoding: Identity"), 400),
    "gzip to nowhere": (sized(b"Content-Encoding: gzip", target=b"/nowhere"), 404),
    "gzip of a GET": (get(LIVE, b"Content-Encoding: gzip"), 200),
    "gzip of a DELETE": (get(b"/users/1", b"Content-Encoding: gzip", method=b"DELETE"), 404),
    "100-continue": (sized(b"Expect: 100-Continue"), 400),
    "100-continue twice": (sized(b"Expect: 100-continue", b"Expect: 100-continue"), 400),
    "100-continue of an HTTP/1.0": (sized(b"Expect: 100-continue").replace(b"HTTP/1.1", b"HTTP/1.0"), 400),
    "100-continue without a body": (get(LIVE, b"Expect: 100-continue"), 200),
    "an id of 5,000": (get(b"/users/" + b"x" * 5000), 400),
    "a query of 9,000": (get(b"/health/live?" + b"x" * 9000), 200),
    "a header of 9,000": (get(LIVE, b"X: " + b"x" * 9000), 200),
    "a header's name of 9,000": (get(LIVE, b"x" * 9000 + b": x"), 200),
    "90 headers": (get(LIVE, *(b"X%d: y" % number for number in range(90))), 200),
    "just short enough": (filled(MAX_HEAD_BYTES), 200),
    "a byte too long": (filled(MAX_HEAD_BYTES + 1), 431),
    "a long header": (get(LIVE, b"X: " + b"x" * 50_000), 431),
    "many long headers": (get(LIVE, *(b"X%d: " % number + b"x" * 1000 for number in range(11))), 431),
    "a long header that front doors add to": (get(LIVE, b"X-Forwarded-For: " + b"x" * 20_000), 431),
    "a long request line": (get(b"/health/live?" + b"x" * MAX_HEAD_BYTES), 414),
    "a long request line to nowhere": (get(b"/" + b"x" * 60_000), 414),
}  # fmt: skip

# What is no HTTP. `flask run`'s parser is that of Python's http.server, which lets some of it through to the app.
MALFORMED = {
    "lower-case method": get(LIVE, method=b"get"),
    "two hosts": get(LIVE, b"Host: b"),
    "bare LF": b"GET /health/live HTTP/1.1\nHost: a\n\n",
    "header without a name": get(LIVE, b": x"),
    "header without a colon": get(LIVE, b"X"),
    "space before the colon": get(LIVE, b"X : y"),
    "space in a name": get(LIVE, b"X y: z"),
    "FF in a name": get(LIVE, b"X\xff: y"),
    "folded header": get(LIVE, b"X: a", b" b"),
    "NUL in a header": get(LIVE, b"X: a\0b"),
    "control character in a header": get(LIVE, b"X: a\x01b"),
    "CR in a header": get(LIVE, b"X: a\rb"),
    "NUL in a target": get(b"/users/\0"),
    "control character in a target": get(b"/users/\x01"),
    "tab in a target": get(b"/users/\t"),
    "space in a target": get(b"/users/a b"),
    "FF in a target": get(b"/users/\xff"),
    "UTF-8 in a target": get("/users/é".encode()),
    "FF in a query, unescaped": get(b"/users?limit=\xff"),
    "no slash": get(b"users"),
    "backslash": get(b"\\users"),
    "query only": get(b"?limit=1"),
    "asterisk of a GET": get(b"*"),
    "length and chunks": post(CHUNKED, b"Content-Length: 5", body=b"0\r\n\r\n"),
    "unknown transfer coding": post(b"Transfer-Encoding: foo", body=b"0\r\n\r\n"),
    "almost chunked": post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"),
    "chunked twice": post(b"Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n"),
    "chunks of an HTTP/1.0": post(CHUNKED, body=b"0\r\n\r\n").replace(b"HTTP/1.1", b"HTTP/1.0"),
    "identity transfer coding": post(b"Transfer-Encoding: identity"),
    "size of a chunk": post(CHUNKED, body=b"zz\r\n\r\n0\r\n\r\n"),
    "two lengths": post(b"Content-Length: 2", b"Content-Length: 3", body=b"{}x"),
    "negative length": post(b"Content-Length: -1", body=b""),
    "length with a sign": post(b"Content-Length: +2"),
    "length of letters": post(b"Content-Length: x", body=b""),
    "empty length": post(b"Content-Length:", body=b""),
}

DIFFERENT = {
    # API Gateway cuts the decoded path at a question mark, and the handler gets nothing else.
    "escaped question mark": (get(b"/users/a%3Fb"), {"aws": 404, "gcp": 400, "gunicorn": 400, "flask run": 400}),
    # The parser of both laptop's front doors takes registered methods, and no HTTP/1.1 without a host (RFC 9112, 3.2).
    "unknown method": (get(LIVE, method=b"FOO"), {"aws": 400, "gcp": 400, "gunicorn": 405, "flask run": 405}),
    "HTTP/1.1 without a host": (
        b"GET /health/live HTTP/1.1\r\n\r\n",
        {"aws": 400, "gcp": 400, "gunicorn": 200, "flask run": 200},
    ),
    "several expectations": (
        sized(b"Expect: 100-continue, tea"),
        {"aws": 400, "gcp": 400, "gunicorn": 417, "flask run": 400},
    ),
    # Cloud Run's front door connects to nowhere, and says so in its own words.
    "CONNECT": (get(b"a:80", method=b"CONNECT"), {"aws": 404, "gcp": 404, "gunicorn": 404, "flask run": 404}),
    "CONNECT of a path": (get(LIVE, method=b"CONNECT"), {"aws": 405, "gcp": 404, "gunicorn": 405, "flask run": 405}),
    # The front doors refuse a Host that is malformed (RFC 9112, 3.2); the app does not read it.
    **{
        f"Host: {host}": (
            b"GET /health/live HTTP/1.1\r\nHost: %b\r\n\r\n" % host.encode("latin-1"),
            {"aws": 400, "gcp": 400, "gunicorn": 200, "flask run": 200},
        )
        for host in ("a b/c@d:99999", "\xff", "http://a", "a:b")
    },
    # Python's http.server takes 100 headers.
    "3,000 headers": (
        get(LIVE, *(b"X%d:" % number for number in range(3000))),
        {"aws": 200, "gcp": 200, "gunicorn": 200, "flask run": 431},
    ),
    # The client in the laptop's front door of Cloud Run leaves out bytes that are no UTF-8.
    "FF in a content encoding": (
        sized(b"Content-Encoding: \xff"),
        {"aws": 415, "gcp": 400, "gunicorn": 415, "flask run": 415},
    ),
    # The front doors read a body before anybody asks for it.
    "size of a chunk that nobody reads": (
        post(CHUNKED, body=b"zz\r\n\r\n0\r\n\r\n", target=b"/nowhere"),
        {"aws": 400, "gcp": 400, "gunicorn": 404, "flask run": 404},
    ),
    # gunicorn gives no app an expectation that it does not know; the front doors keep every one to themselves.
    "unknown expectation": (sized(b"Expect: tea"), {"aws": 400, "gcp": 400, "gunicorn": 417, "flask run": 400}),
}
