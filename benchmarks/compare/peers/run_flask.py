"""Flask with the client of Firestore's own docs (https://cloud.google.com/firestore/docs/query-data/get-data)."""

from flask import Flask
from google.cloud import firestore

db = firestore.Client()
app = Flask(__name__)


@app.get("/users/<user_id>")
def get_user(user_id):
    user = db.collection("users").document(user_id).get().to_dict()
    return {"id": user_id, "name": user["name"], "followers": user["followers"]}
