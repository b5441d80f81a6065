"""The floor: one GetItem by botocore, without a router."""

import json

import botocore.session

dynamodb = botocore.session.get_session().create_client("dynamodb")


def handler(event, context):
    user_id = event["rawPath"].rpartition("/")[2]
    item = dynamodb.get_item(TableName="users", Key={"id": {"S": user_id}}, ConsistentRead=True)["Item"]
    user = {
        "id": item["id"]["S"],
        "name": item["name"]["S"],
        "followers": [follower["S"] for follower in item["followers"]["L"]],
    }
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(user)}
