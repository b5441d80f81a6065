"""FastAPI with its users in memory, in a coroutine: the most requests that a FastAPI app can answer."""

from fastapi import FastAPI

USERS = {"1": {"id": "1", "name": "Ada", "followers": ["2", "3"]}}
app = FastAPI()


@app.get("/users/{user_id}")
async def get_user(user_id: str):
    return USERS[user_id]
