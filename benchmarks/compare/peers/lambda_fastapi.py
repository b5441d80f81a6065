"""FastAPI behind Mangum (https://mangum.fastapiexpert.com)."""

import boto3
from fastapi import FastAPI
from mangum import Mangum

dynamodb = boto3.client("dynamodb")
app = FastAPI()


@app.get("/users/{user_id}")
def get_user(user_id: str):
    item = dynamodb.get_item(TableName="users", Key={"id": {"S": user_id}}, ConsistentRead=True)["Item"]
    return {
        "id": item["id"]["S"],
        "name": item["name"]["S"],
        "followers": [follower["S"] for follower in item["followers"]["L"]],
    }


handler = Mangum(app, lifespan="off")
