"""The peers: each answers GET /users/{id} the way its own documentation shows.

`packages.py` copies a module into a folder with its framework, so they import neither each other nor the project.
"""
