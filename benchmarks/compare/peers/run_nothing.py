"""A WSGI app that imports nothing and returns a constant: what gunicorn alone costs."""

BODY = b'{"id":"1","name":"Ada","followers":["2","3"]}'


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))])
    return [BODY]
