"""The policy pack as the engine starts it, and as the engine asks it."""

import subprocess
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from local.cli.engine import POLICY_PACK
from local.providers.values import pack as packed

type Faults = dict[str, list[str]]
"""The messages of each rule that was broken, by its name."""


@dataclass(frozen=True)
class Resource:
    type: str
    inputs: dict[str, Any]
    name: str = "x"

    @property
    def urn(self) -> str:
        return f"urn:pulumi:test::test::{self.type}::{self.name}"

    @property
    def fields(self) -> dict[str, Any]:
        inputs = {name: value for name, value in self.inputs.items() if value is not None}
        return {"type": self.type, "urn": self.urn, "name": self.name, "properties": packed(inputs)}


class Stub(Protocol):
    """AnalyzerStub, of whose methods the SDK gives no types."""

    GetAnalyzerInfo: Callable[[Empty], analyzer_pb2.AnalyzerInfo]
    Analyze: Callable[[analyzer_pb2.AnalyzeRequest], analyzer_pb2.AnalyzeResponse]
    AnalyzeStack: Callable[[analyzer_pb2.AnalyzeStackRequest], analyzer_pb2.AnalyzeResponse]


class Pack:
    def __init__(self, channel: grpc.Channel) -> None:
        self._stub = cast(Stub, analyzer_pb2_grpc.AnalyzerStub(channel))

    def rules(self) -> set[str]:
        return {rule.name for rule in self._stub.GetAnalyzerInfo(Empty()).policies}

    def faults(self, resource: Resource) -> Faults:
        """What stops an update."""
        return _faults(self._stub.Analyze(analyzer_pb2.AnalyzeRequest(**resource.fields)), analyzer_pb2.MANDATORY)

    def open(self, resource: Resource) -> Faults:
        """What cannot be told before the update."""
        return _faults(self._stub.Analyze(analyzer_pb2.AnalyzeRequest(**resource.fields)), analyzer_pb2.ADVISORY)

    def stack_faults(self, *resources: Resource) -> Faults:
        asked = [analyzer_pb2.AnalyzerResource(**resource.fields) for resource in resources]
        answer = self._stub.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=asked))
        return _faults(answer, analyzer_pb2.MANDATORY)


def _faults(answer: analyzer_pb2.AnalyzeResponse, level: int) -> Faults:
    found: Faults = {}
    for fault in answer.diagnostics:
        if fault.enforcementLevel == level:
            found.setdefault(fault.policyName, []).append(fault.message.removeprefix(f"{fault.description}\n"))
    return found


@contextmanager
def running(command: list[str | Path], cwd: Path) -> Generator[Pack]:
    with subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        with grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}") as channel:
            yield Pack(channel)
        process.terminate()


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Generator[Pack]:
    """Started as the engine starts an executable, from another folder."""
    with running([POLICY_PACK, "127.0.0.1:1"], tmp_path_factory.mktemp("elsewhere")) as pack:
        yield pack
