"""Powertools for AWS Lambda (https://docs.powertools.aws.dev/lambda/python/latest/core/event_handler/api_gateway/)."""

import boto3
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

dynamodb = boto3.client("dynamodb")
app = APIGatewayHttpResolver()


@app.get("/users/<user_id>")
def get_user(user_id):
    item = dynamodb.get_item(TableName="users", Key={"id": {"S": user_id}}, ConsistentRead=True)["Item"]
    return {
        "id": item["id"]["S"],
        "name": item["name"]["S"],
        "followers": [follower["S"] for follower in item["followers"]["L"]],
    }


def handler(event, context):
    return app.resolve(event, context)
