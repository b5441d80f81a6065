"""FastAPI (https://fastapi.tiangolo.com/deployment/docker), which runs Firestore's synchronous client in a thread."""

from fastapi import FastAPI
from google.cloud import firestore

db = firestore.Client()
app = FastAPI()


@app.get("/users/{user_id}")
def get_user(user_id: str):
    user = db.collection("users").document(user_id).get().to_dict()
    return {"id": user_id, "name": user["name"], "followers": user["followers"]}
