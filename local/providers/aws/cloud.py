"""boto3 clients for the laptop's AWS, and the base class and helpers of AWS resource types."""

import importlib
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from threading import Lock
from typing import Any

from local.providers.control import Control
from local.providers.resource import Resource
from local.providers.values import Props, is_object

ACCOUNT = "123456789012"


class Cloud:
    def __init__(self, control: Control, region: str) -> None:
        self.control, self.region = control, region
        self._clients: dict[str, Any] = {}
        self._lock = Lock()

    def client(self, service: str) -> Any:
        """A boto3 client, created once. boto3's clients are thread-safe, but its session is not."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._session.client(service, endpoint_url=self.control.facts()["aws"])
            return self._clients[service]

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{ACCOUNT}:{resource}"

    @cached_property
    def _session(self) -> Any:
        boto3 = importlib.import_module("boto3")  # takes 0.3 s, and previews do not need it
        return boto3.Session(aws_access_key_id="laptop", aws_secret_access_key="laptop", region_name=self.region)


class AwsResource(Resource):
    service: str
    """boto3's name for the service."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.file = f"{type(self).__module__.replace('.', '/')}.py"

    @property
    def client(self) -> Any:
        return self.cloud.client(self.service)


def arguments(names: Iterable[str], inputs: Props) -> Props:
    """The inputs with these names as arguments for boto3, which capitalizes names, including those inside objects."""
    return {capital(name): _spelled(inputs[name], capital) for name in names if name in inputs}


def outputs_of(names: Iterable[str], answer: Mapping[str, Any]) -> Props:
    """The properties with these names from boto3's answer; None for those that it lacks."""
    return {name: _spelled(answer.get(capital(name)), small) for name in names}


def capital(name: str) -> str:
    return name[0].upper() + name[1:]


def small(name: str) -> str:
    return name[0].lower() + name[1:]


def _spelled(value: Any, spelling: Callable[[str], str]) -> Any:
    return {spelling(name): item for name, item in value.items()} if is_object(value) else value


def tag_list(tags: Mapping[str, str] | None) -> list[dict[str, str]]:
    """{"k": "v"} -> [{"Key": "k", "Value": "v"}]."""
    return [{"Key": key, "Value": value} for key, value in (tags or {}).items()]


def tag_map(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """[{"Key": "k", "Value": "v"}] -> {"k": "v"}."""
    return {tag["Key"]: tag["Value"] for tag in tags}


def removed_tags(olds: Props, news: Props) -> list[str]:
    return sorted(set(olds.get("tags", {})) - set(news.get("tags", {})))


def only(arguments: Props) -> Props:
    """The arguments that are not None."""
    return {name: value for name, value in arguments.items() if value is not None}
