"""The entry point of gunicorn and `flask --app app.wsgi run`."""

from app.startup import uncollected

with uncollected():
    from werkzeug.serving import WSGIRequestHandler

    from app.bootstrap import create_app_from_environ
    from app.http.problems import PROBLEM_JSON

    # Problem details for what `flask run` cannot parse, without its message, which quotes the request unescaped.
    WSGIRequestHandler.error_content_type = PROBLEM_JSON
    WSGIRequestHandler.error_message_format = '{"type":"about:blank","status":%(code)d}'

    app = create_app_from_environ()
