"""A handler that imports nothing and returns a constant: what the runtime alone costs."""

BODY = '{"id":"1","name":"Ada","followers":["2","3"]}'


def handler(event, context):
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": BODY}
