"""Chalice (https://aws.github.io/chalice/topics/routing), with botocore, which it depends on."""

import botocore.session
from chalice import Chalice

dynamodb = botocore.session.get_session().create_client("dynamodb")
handler = Chalice(app_name="users")


@handler.route("/users/{user_id}")
def get_user(user_id):
    item = dynamodb.get_item(TableName="users", Key={"id": {"S": user_id}}, ConsistentRead=True)["Item"]
    return {
        "id": item["id"]["S"],
        "name": item["name"]["S"],
        "followers": [follower["S"] for follower in item["followers"]["L"]],
    }
