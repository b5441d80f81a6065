"""The WSGI app, for gunicorn and `flask --app app.wsgi run`."""

from app.bootstrap import create_app_from_environ

app = create_app_from_environ()
