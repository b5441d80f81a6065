"""The WSGI app, for gunicorn and `flask --app app.wsgi run`."""

from werkzeug.serving import WSGIRequestHandler

from app.bootstrap import create_app_from_environ
from app.http.problems import PROBLEM_JSON

# What `flask run` itself can not parse is a problem too; its words are not for JSON, as they quote the request.
WSGIRequestHandler.error_content_type = PROBLEM_JSON
WSGIRequestHandler.error_message_format = '{"type":"about:blank","status":%(code)d}'

app = create_app_from_environ()
