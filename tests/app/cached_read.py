"""Requests a user through the cache from an app with this process's environment, which logs to stdout."""

from app.bootstrap import create_app_from_environ

create_app_from_environ().test_client().get("/cached-users/1")
