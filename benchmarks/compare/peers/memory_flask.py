"""Flask with its users in memory: the most requests that a Flask app can answer."""

from flask import Flask

USERS = {"1": {"id": "1", "name": "Ada", "followers": ["2", "3"]}}
app = Flask(__name__)


@app.get("/users/<user_id>")
def get_user(user_id):
    return USERS[user_id]
