"""What a role's session may do with the laptop's AWS is what the role's policies say."""

import json
import uuid
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from werkzeug.wrappers import Request, Response

from local.cloud.aws.moto_server import Aws

REGION = "eu-west-1"
ACCOUNT = "123456789012"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/users"
OTHERS = TABLE.replace("users", "others")
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
GROUP = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/f"
PARAMETER = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/app/key"

type Call = Callable[[Callable[[str], Any]], object]


def get_item(client: Callable[[str], Any]) -> object:
    return client("dynamodb").get_item(TableName="users", Key={"id": {"S": "1"}})


def batch_of_two_tables(client: Callable[[str], Any]) -> object:
    keys = {"Keys": [{"id": {"S": "1"}}]}
    return client("dynamodb").batch_get_item(RequestItems={"users": keys, "others": keys})


def write_to_two_tables(client: Callable[[str], Any]) -> object:
    user, other = {"TableName": "users", "Item": {"id": {"S": "1"}}}, {"TableName": "others", "Key": {"id": {"S": "1"}}}
    return client("dynamodb").transact_write_items(TransactItems=[{"Put": user}, {"Delete": other}])


def check_in_a_transaction(client: Callable[[str], Any]) -> object:
    check = {"TableName": "users", "Key": {"id": {"S": "2"}}, "ConditionExpression": "attribute_not_exists(id)"}
    return client("dynamodb").transact_write_items(TransactItems=[{"ConditionCheck": check}])


def read_in_a_transaction(client: Callable[[str], Any]) -> object:
    return client("dynamodb").transact_get_items(
        TransactItems=[{"Get": {"TableName": "users", "Key": {"id": {"S": "1"}}}}]
    )


def read_the_first_version(client: Callable[[str], Any]) -> object:
    return client("ssm").get_parameter(Name="/app/key:1", WithDecryption=True)


def list_tables(client: Callable[[str], Any]) -> object:
    return client("dynamodb").list_tables()


def query_the_index(client: Callable[[str], Any]) -> object:
    return client("dynamodb").query(
        TableName="users",
        IndexName="names",
        KeyConditionExpression="id = :id",
        ExpressionAttributeValues={":id": {"S": "1"}},
    )


def invoke(client: Callable[[str], Any]) -> object:
    return client("lambda").invoke(FunctionName="f", Qualifier="7")


def invoke_an_arn(client: Callable[[str], Any]) -> object:
    return client("lambda").invoke(FunctionName=FUNCTION, Qualifier="7")


def search_logs(client: Callable[[str], Any]) -> object:
    return client("logs").filter_log_events(
        logGroupIdentifier=GROUP, logStreamNamePrefix="2026/11/26/[7]", startTime=1, endTime=2, startFromHead=False
    )


def carried_out(request: Request) -> Response | None:
    """Answers what is not moto's."""
    is_search = request.headers.get("X-Amz-Target") == "Logs_20140328.FilterLogEvents"
    return Response("{}") if is_search or request.path.endswith("/invocations") else None


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    aws = Aws()
    aws.operations.append(carried_out)
    dynamodb = admin(aws, "dynamodb")
    for table in ("users", "others"):
        key: Any = [{"AttributeName": "id", "KeyType": "HASH"}]
        dynamodb.create_table(
            TableName=table,
            KeySchema=key,
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            GlobalSecondaryIndexes=[{"IndexName": "names", "KeySchema": key, "Projection": {"ProjectionType": "ALL"}}],
            BillingMode="PAY_PER_REQUEST",
        )
    admin(aws, "ssm").put_parameter(Name="/app/key", Value="secret", Type="SecureString")
    yield aws
    aws.close()


@cache
def admin(aws: Aws, service: str) -> Any:
    """A client with keys of no role, as the providers have."""
    return client(aws, service, {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"})


def client(aws: Aws, service: str, keys: dict[str, str]) -> Any:
    make_client = cast(Callable[..., Any], boto3.client)  # pyright: ignore[reportUnknownMemberType]
    return make_client(
        service,
        REGION,
        endpoint_url=aws.url,
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=keys.get("AWS_SESSION_TOKEN"),
    )


def statement(action: str | list[str], resource: str | list[str], effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource} | more


def role(aws: Aws, *statements: dict[str, Any]) -> str:
    """The ARN of a new one with these permissions."""
    iam, name = admin(aws, "iam"), f"role-{uuid.uuid4().hex[:8]}"
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="permissions", PolicyDocument=policy(*statements))
    return arn


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def refusal(aws: Aws, role_arn: str, call: Call) -> str | None:
    """What AWS says when the role's session makes the call; None if it may."""
    try:
        call(session(aws, role_arn))
    except ClientError as error:
        answer = error.response.get("Error", {})
        return answer.get("Message") if answer.get("Code") == "AccessDeniedException" else str(error)
    return None


def session(aws: Aws, role_arn: str) -> Callable[[str], Any]:
    """Makes clients with temporary credentials of the role."""
    credentials = aws.credentials(role_arn, REGION, "session")
    return lambda service: client(aws, service, credentials)


ALLOWED: dict[str, tuple[Call, list[dict[str, Any]]]] = {
    "exactly this": (get_item, [statement("dynamodb:GetItem", TABLE)]),
    "one of several": (get_item, [statement(["dynamodb:Scan", "dynamodb:GetItem"], ["arn:aws:s3:::b", TABLE])]),
    "the second statement": (get_item, [statement("dynamodb:Scan", TABLE), statement("dynamodb:GetItem", TABLE)]),
    "any case of the action": (get_item, [statement("DynamoDB:getitem", TABLE)]),
    "wildcards": (get_item, [statement("dynamodb:Get*", TABLE.replace("users", "us?r*"))]),
    "the batch on both tables": (batch_of_two_tables, [statement("dynamodb:BatchGetItem", TABLE[:-5] + "*")]),
    "the parts of a transaction": (
        write_to_two_tables,
        [statement("dynamodb:PutItem", TABLE), statement("dynamodb:DeleteItem", OTHERS)],
    ),
    "the check of a transaction": (check_in_a_transaction, [statement("dynamodb:ConditionCheckItem", TABLE)]),
    "the read of a transaction": (read_in_a_transaction, [statement("dynamodb:GetItem", TABLE)]),
    "a version of a parameter": (read_the_first_version, [statement("ssm:GetParameter", PARAMETER)]),
    "the index": (query_the_index, [statement("dynamodb:Query", TABLE + "/index/names")]),
    "no resource": (list_tables, [statement("dynamodb:ListTables", "*")]),
    "a version of a function": (invoke, [statement("lambda:InvokeFunction", FUNCTION + ":7")]),
    "all versions of a function": (invoke_an_arn, [statement("lambda:InvokeFunction", FUNCTION + ":*")]),
    "a log group": (search_logs, [statement("logs:FilterLogEvents", GROUP + ":*")]),
    "a Deny of something else": (
        get_item,
        [statement("dynamodb:*", "*"), statement("dynamodb:GetItem", TABLE + "s", "Deny")],
    ),
}
NOT_ALLOWED: dict[str, tuple[Call, list[dict[str, Any]]]] = {
    "nothing allowed": (get_item, []),
    "another action": (get_item, [statement("dynamodb:GetItems", TABLE)]),
    "another table": (get_item, [statement("dynamodb:GetItem", TABLE + "2")]),
    "a table that sounds alike": (get_item, [statement("dynamodb:GetItem", TABLE.replace("users", "u.ers"))]),
    "another region": (get_item, [statement("dynamodb:GetItem", TABLE.replace("eu", "us"))]),
    "another account": (get_item, [statement("dynamodb:GetItem", TABLE.replace("1234", "4321"))]),
    "only the items' action": (batch_of_two_tables, [statement("dynamodb:GetItem", "*")]),
    "one table of two": (batch_of_two_tables, [statement("dynamodb:BatchGetItem", TABLE)]),
    "one part of a transaction": (write_to_two_tables, [statement("dynamodb:PutItem", "*")]),
    "the other table of a transaction": (
        write_to_two_tables,
        [statement("dynamodb:PutItem", OTHERS), statement("dynamodb:DeleteItem", TABLE)],
    ),
    "only the transaction's name": (write_to_two_tables, [statement("dynamodb:TransactWriteItems", "*")]),
    "a check by the right to read": (check_in_a_transaction, [statement("dynamodb:GetItem", "*")]),
    "a read by the batch's right": (read_in_a_transaction, [statement("dynamodb:BatchGetItem", "*")]),
    "another parameter": (read_the_first_version, [statement("ssm:GetParameter", PARAMETER + "s")]),
    "the table without its index": (query_the_index, [statement("dynamodb:Query", TABLE)]),
    "a table where there is none": (list_tables, [statement("dynamodb:ListTables", TABLE)]),
    "another version of a function": (invoke, [statement("lambda:InvokeFunction", FUNCTION + ":8")]),
    "the function without its versions": (invoke_an_arn, [statement("lambda:InvokeFunction", FUNCTION)]),
    "another action of a function": (invoke, [statement("lambda:GetFunction", "*")]),
    "a log group without its streams": (search_logs, [statement("logs:FilterLogEvents", GROUP)]),
    "on a condition": (get_item, [statement("dynamodb:GetItem", TABLE, Condition={"Bool": {"a": "true"}})]),
}


@pytest.mark.parametrize(("call", "statements"), ALLOWED.values(), ids=ALLOWED.keys())
def test_allowed(aws: Aws, call: Call, statements: list[dict[str, Any]]) -> None:
    assert refusal(aws, role(aws, *statements), call) is None


@pytest.mark.parametrize(("call", "statements"), NOT_ALLOWED.values(), ids=NOT_ALLOWED.keys())
def test_not_allowed(aws: Aws, call: Call, statements: list[dict[str, Any]]) -> None:
    message = refusal(aws, role(aws, *statements), call)
    assert message
    assert "because no identity-based policy allows the " in message


def test_the_words_are_those_of_aws(aws: Aws) -> None:
    arn = role(aws)
    user = arn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/session"
    assert refusal(aws, arn, get_item) == (
        f"User: {user} is not authorized to perform: dynamodb:GetItem on resource: {TABLE} "
        "because no identity-based policy allows the dynamodb:GetItem action"
    )


@pytest.mark.parametrize(
    "deny",
    [statement("dynamodb:GetItem", TABLE, "Deny"), statement("*", "*", "Deny", Condition={"Bool": {"a": "true"}})],
)
def test_a_deny_wins(aws: Aws, deny: dict[str, Any]) -> None:
    message = refusal(aws, role(aws, statement("dynamodb:*", "*"), deny), get_item)
    assert message
    assert message.endswith(f"on resource: {TABLE} with an explicit deny in an identity-based policy")


def test_attached_policies_count_in_their_default_version(aws: Aws) -> None:
    arn, iam = role(aws), admin(aws, "iam")
    attached = iam.create_policy(PolicyName="reads", PolicyDocument=policy(statement("dynamodb:GetItem", TABLE)))
    iam.attach_role_policy(RoleName=arn.rpartition("/")[2], PolicyArn=attached["Policy"]["Arn"])
    assert refusal(aws, arn, get_item) is None
    none = policy(statement("dynamodb:Scan", TABLE))
    iam.create_policy_version(PolicyArn=attached["Policy"]["Arn"], PolicyDocument=none, SetAsDefault=True)
    assert refusal(aws, arn, get_item)


def test_other_services_take_a_policy_for_everything(aws: Aws) -> None:
    def list_buckets(client: Callable[[str], Any]) -> object:
        return client("s3").list_buckets()

    assert refusal(aws, role(aws, statement("s3:ListAllMyBuckets", "*")), list_buckets)
    assert refusal(aws, role(aws, statement("s3:*", "*")), list_buckets) is None


def test_a_role_that_is_gone_may_nothing(aws: Aws) -> None:
    arn, iam = role(aws, statement("dynamodb:*", "*")), admin(aws, "iam")
    before = session(aws, arn)
    get_item(before)
    iam.delete_role_policy(RoleName=arn.rpartition("/")[2], PolicyName="permissions")
    iam.delete_role(RoleName=arn.rpartition("/")[2])
    with pytest.raises(ClientError, match="AccessDeniedException"):
        get_item(before)
