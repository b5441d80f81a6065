"""Asks the app for a user through its cache, in the environment that is given; its lines go to stdout."""

from app.bootstrap import create_app_from_environ

create_app_from_environ().test_client().get("/cached-users/1")
