"""Lambda and the Runtime API, by what happens to tiny handlers behind an HTTP API."""

import json
import os
import select
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from tests.cloud.conftest import Deploy, zipped

FACTS = """
    import json, os, sys

    def handler(event, context):
        return {
            "pid": os.getpid(), "env": dict(os.environ), "path": sys.path, "cwd": os.getcwd(),
            "arn": context.invoked_function_arn, "left": context.get_remaining_time_in_millis(),
            "packages": sorted(sys.modules), "version": context.function_version,
        }
"""


def test_the_answer_of_a_handler_comes_back(deploy: Deploy):
    function = deploy("def handler(event, context): return {'statusCode': 201, 'body': event['rawPath']}")
    response = function.http.get("/some/where")
    assert (response.status_code, response.text) == (201, "/some/where")


def test_the_process_gets_what_lambda_gives_and_nothing_else(deploy: Deploy):
    function = deploy(FACTS, Timeout=7, MemorySize=256, Environment={"Variables": {"COLOUR": "red"}})
    facts = function.http.get("/").json()
    env = facts["env"]
    assert (env["COLOUR"], env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], env["_HANDLER"]) == ("red", "256", "main.handler")
    assert (env["AWS_REGION"], env["AWS_LAMBDA_FUNCTION_NAME"], facts["version"]) == ("eu-west-1", function.name, "1")
    assert env["AWS_ENDPOINT_URL"] == function.daemon.facts["aws"]
    assert env["AWS_SESSION_TOKEN"]
    assert 6000 < facts["left"] <= 7000
    assert facts["arn"].endswith(f":function:{function.name}:live")
    assert facts["cwd"] == env["LAMBDA_TASK_ROOT"]
    assert not [entry for entry in facts["path"] if "app/.venv" in entry]
    assert not Path(facts["cwd"], "main.py").stat().st_mode & 0o222


def test_a_warm_process_is_used_again(deploy: Deploy):
    function = deploy(FACTS)
    assert len({function.http.get("/").json()["pid"] for _ in range(5)}) == 1
    assert sum("Init Duration" in line for line in function.lines()) == 1


def test_no_more_processes_start_at_once_than_there_are_processors(deploy: Deploy, tmp_path: Path):
    """Together all would take longer than Lambda gives each of them."""
    processors = len(os.sched_getaffinity(0))
    function = deploy(f"""
        import pathlib, time

        begun = time.monotonic()
        while time.monotonic() < begun + 0.3:
            pass
        pathlib.Path({str(tmp_path)!r}, str(begun)).write_text(str(time.monotonic()))

        def handler(event, context):
            return 1
    """)
    with ThreadPoolExecutor(processors + 2) as threads:
        answers = list(threads.map(function.http.get, ["/"] * (processors + 2)))
    assert {answer.status_code for answer in answers} == {200}
    starts = [(float(path.name), float(path.read_text())) for path in tmp_path.iterdir()]
    assert max(sum(begun <= moment < ended for begun, ended in starts) for moment, _ in starts) <= processors


def test_each_concurrent_request_has_a_process_of_its_own(deploy: Deploy, tmp_path: Path):
    function = deploy(f"""
        import os, pathlib, time

        def handler(event, context):
            folder = pathlib.Path({str(tmp_path)!r})
            (folder / str(os.getpid())).touch()
            while len(list(folder.iterdir())) < 3:
                time.sleep(0.01)
            return os.getpid()
    """)
    with ThreadPoolExecutor(3) as pool:
        pids = {response.text for response in pool.map(function.http.get, ["/"] * 3)}
    assert len(pids) == 3


def test_an_invocation_may_call_aws(deploy: Deploy):
    """Moto answers one request at a time, but an invocation is none of its requests."""
    function = deploy("""
        import os, urllib.request

        def handler(event, context):
            headers = {"X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": "application/x-amz-json-1.0",
                       "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/dynamodb/aws4_request, "
                                        "SignedHeaders=host, Signature=x"}
            request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], b"{}", headers)
            return urllib.request.urlopen(request).status
    """)
    answer = function.daemon.client("lambda").invoke(FunctionName=function.name, Qualifier="1", Payload=b"{}")
    assert (answer["StatusCode"], answer["ExecutedVersion"], json.load(answer["Payload"])) == (200, "1", 200)


def test_an_invocation_through_an_alias_says_which_version_it_was(deploy: Deploy):
    function = deploy("def handler(event, context): return context.invoked_function_arn")
    answer = function.daemon.client("lambda").invoke(FunctionName=function.name, Qualifier="live", Payload=b"{}")
    assert answer["ExecutedVersion"] == "1"
    assert json.load(answer["Payload"]).endswith(f":{function.name}:live")


def test_an_invocation_that_fails_is_a_200_with_an_error(deploy: Deploy):
    function = deploy("def handler(event, context): return 1 / 0")
    answer = function.daemon.client("lambda").invoke(FunctionName=function.name, Payload=b"{}")
    error = {"errorType": "ZeroDivisionError", "errorMessage": "division by zero"}
    assert (answer["FunctionError"], json.load(answer["Payload"])) == ("Unhandled", error)


def test_invocations_that_are_refused(deploy: Deploy):
    function = deploy("def handler(event, context): return 1")
    client = function.daemon.client("lambda")
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="no invocation type Event"):
        client.invoke(FunctionName=function.name, InvocationType="Event")
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="Function not found: arn:aws:lambda:"):
        client.invoke(FunctionName="nobody")
    with pytest.raises(client.exceptions.RequestTooLargeException, match="6291457 byte payload is too large"):
        client.invoke(FunctionName=function.name, Payload=b"x" * (6 * 2**20 + 1))
    client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/lambda/aws4_request"}
    url = f"{function.daemon.facts['aws']}/2015-03-31/functions/{function.name}/invocations"
    throttled = httpx.post(url, content=b"{}", headers=signed)  # which boto3 would repeat
    assert (throttled.status_code, throttled.headers["x-amzn-errortype"]) == (429, "TooManyRequestsException")


def test_an_exception_is_a_500_and_the_process_lives_on(deploy: Deploy):
    function = deploy("""
        import os

        def handler(event, context):
            if event["rawPath"] == "/fail":
                raise KeyError("broken")
            return os.getpid()
    """)
    pid = function.http.get("/").text
    response = function.http.get("/fail")
    assert (response.status_code, response.json()) == (500, {"message": "Internal Server Error"})
    assert function.http.get("/").text == pid
    assert any("KeyError" in line for line in function.lines())


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise RuntimeError('no start')", "RuntimeError"),
        ("import missing_module", "Runtime.ImportModuleError"),
        ("import os; os._exit(9)", "exit status 9"),
    ],
)
def test_an_error_at_initialisation_is_a_500(deploy: Deploy, source: str, reason: str):
    function = deploy(source)
    assert function.http.get("/").status_code == 500
    assert any("INIT_REPORT Status: error" in line and reason in line for line in function.lines())


def test_a_start_that_the_platform_cannot_log_leaves_nothing(deploy: Deploy):
    function = deploy("def handler(event, context): return 1")
    daemon = psutil.Process(function.daemon.facts["pid"])

    def used() -> set[psutil.Process | int]:
        """Its children, and the ports that it listens on."""
        ports = {one.laddr.port for one in daemon.net_connections("tcp") if one.status == psutil.CONN_LISTEN}
        return {*daemon.children(), *ports}

    before = used()
    log = function.daemon.home / "logs" / f"lambda-{function.name}-1.log"
    log.symlink_to("/dev/full")
    assert function.http.get("/").status_code == 500
    assert used() <= before
    log.unlink()
    assert function.http.get("/").status_code == 200


def test_a_process_that_exits_in_mid_request_is_a_500_and_the_next_request_has_a_new_one(deploy: Deploy):
    function = deploy("""
        import os

        def handler(event, context):
            return os._exit(1) if event["rawPath"] == "/exit" else os.getpid()
    """)
    pid = function.http.get("/").text
    assert function.http.get("/exit").status_code == 500
    assert any("Runtime.ExitError" in line for line in function.lines())
    assert function.http.get("/").text != pid


def test_a_process_killed_between_requests_is_not_noticed(deploy: Deploy):
    function = deploy("import os\ndef handler(event, context): return os.getpid()")
    pid = int(function.http.get("/").text)
    ended = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    assert select.select([ended], [], [], 10)[0]
    os.close(ended)
    response = function.http.get("/")
    assert response.status_code == 200
    assert int(response.text) != pid


def test_a_timeout_kills_the_process_and_is_a_500(deploy: Deploy, tmp_path: Path):
    function = deploy(
        f"""
        import os, pathlib, time

        def handler(event, context):
            pathlib.Path({str(tmp_path / "pid")!r}).write_text(str(os.getpid()))
            time.sleep(60)
        """,
        Timeout=1,
    )
    assert function.http.get("/").status_code == 500
    assert any("Task timed out after 1.00 seconds" in line for line in function.lines())
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_an_answer_over_6_mb_is_a_500(deploy: Deploy):
    function = deploy("def handler(event, context): return 'x' * int(event['rawPath'][1:])")
    assert function.http.get("/6000000").status_code == 200
    assert function.http.get("/6300000").status_code == 500


def test_reserved_concurrency_throttles(deploy: Deploy):
    function = deploy("def handler(event, context): return 1")
    client = function.daemon.client("lambda")
    client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    response = function.http.get("/")
    assert (response.status_code, response.json()) == (503, {"message": "Service Unavailable"})
    client.delete_function_concurrency(FunctionName=function.name)
    assert function.http.get("/").status_code == 200


def test_an_alias_splits_the_traffic_by_its_weights(deploy: Deploy):
    function = deploy("def handler(event, context): return 'one'")
    client = function.daemon.client("lambda")
    new = zipped("def handler(event, context): return 'two'")
    version = client.update_function_code(FunctionName=function.name, ZipFile=new, Publish=True)["Version"]

    def answers(requests: int, **weights: float) -> set[str]:
        alias = {"FunctionName": function.name, "Name": "live", "FunctionVersion": "1"}
        client.update_alias(**alias, RoutingConfig={"AdditionalVersionWeights": weights})
        return {function.http.get("/").json() for _ in range(requests)}

    assert version == "2"
    assert answers(20) == {"one"}
    assert answers(60, **{"2": 0.5}) == {"one", "two"}
    assert answers(20, **{"2": 1.0}) == {"two"}


def test_the_api_needs_a_permission(deploy: Deploy):
    assert deploy("def handler(event, context): return 1", permission="/*/GET/other").http.get("/").status_code == 500
    assert deploy("def handler(event, context): return 1", permission="/*/$default").http.get("/").status_code == 200


def test_two_conditional_writes_at_the_same_time_have_one_winner(deploy: Deploy):
    function = deploy("""
        import json, os, urllib.error, urllib.request

        def handler(event, context):
            body = {"TableName": "race", "Item": {"id": {"S": event["rawPath"]}},
                    "ConditionExpression": "attribute_not_exists(id)"}
            headers = {"X-Amz-Target": "DynamoDB_20120810.PutItem", "Content-Type": "application/x-amz-json-1.0",
                       "Authorization": f"AWS4-HMAC-SHA256 Credential={os.environ['AWS_ACCESS_KEY_ID']}/20260101/"
                                        "eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=x"}
            request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], json.dumps(body).encode(), headers)
            try:
                return urllib.request.urlopen(request).status
            except urllib.error.HTTPError as error:
                return error.code
    """)
    permissions = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "*"},
    }
    function.daemon.client("iam").put_role_policy(
        RoleName="function", PolicyName="race", PolicyDocument=json.dumps(permissions)
    )
    function.daemon.client("dynamodb").create_table(
        TableName="race",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with ThreadPoolExecutor(4) as pool:
        for round in range(10):
            answers = [response.json() for response in pool.map(function.http.get, [f"/{round}"] * 4)]
            assert sorted(answers) == [200, 400, 400, 400]
