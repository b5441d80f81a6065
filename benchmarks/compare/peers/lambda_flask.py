"""Flask behind serverless-wsgi (https://github.com/logandk/serverless-wsgi)."""

import boto3
import serverless_wsgi
from flask import Flask

dynamodb = boto3.client("dynamodb")
app = Flask(__name__)


@app.get("/users/<user_id>")
def get_user(user_id):
    item = dynamodb.get_item(TableName="users", Key={"id": {"S": user_id}}, ConsistentRead=True)["Item"]
    return {
        "id": item["id"]["S"],
        "name": item["name"]["S"],
        "followers": [follower["S"] for follower in item["followers"]["L"]],
    }


def handler(event, context):
    return serverless_wsgi.handle_request(app, event, context)
