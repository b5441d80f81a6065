"""What a broken stack file gets said about it: one line with the file, and the line or the key."""

from pathlib import Path

import pytest

from local.cli import stack_files
from local.cli.home import LocalError
from local.cli.stack_files import plain_config
from ops import names

BROKEN = [
    (
        b"config:\n\taws:region: x\n",
        "Pulumi.aws.yaml, line 2 cannot be read: found character '\\t' that",
    ),
    (b"config: {a: [1,\n", "Pulumi.aws.yaml, line 2 cannot be read: expected the node content, but found"),
    (b"config: {}\n---\nconfig: {}\n", "Pulumi.aws.yaml, line 2 cannot be read: but found another document"),
    (b"- a\n- b\n", "Pulumi.aws.yaml holds a list: it takes keys, such as `config:`"),
    (b"hello\n", "Pulumi.aws.yaml holds 'hello': it takes keys, such as `config:`"),
    (b"config: [a]\n", "Pulumi.aws.yaml: config is a list: it takes keys, such as `aws:region: us-east-1`"),
    (b"config:\n  a: \xff\n", "Pulumi.aws.yaml is not UTF-8: byte 13 is 0xff"),
    (b"config:\n  a: \0\n", "Pulumi.aws.yaml cannot be read: unacceptable character #x0000"),
    (
        b"config:\n  a: !x 1\n",
        "Pulumi.aws.yaml, line 2 cannot be read: could not determine a constructor",
    ),
    (
        b"config:\n  a: " + b"9" * 5000 + b"\n",
        "Pulumi.aws.yaml, line 2 cannot be read: Exceeds the limit",
    ),
    (b"config:\n  a: 2026-13-41\n", "Pulumi.aws.yaml, line 2 cannot be read: month must be in 1..12"),
    (
        b"config:\n  a: 1\n  b: 2\n  a: 3\n",
        "Pulumi.aws.yaml, line 4 cannot be read: duplicate key a",
    ),
    (b"config:\n  ? {a: 1}\n  : 2\n", "Pulumi.aws.yaml, line 2 cannot be read: found unhashable key"),
    (b"config:\n  a: !!bool maybe\n", "Pulumi.aws.yaml, line 2 cannot be read: invalid value for"),
    (b'config:\n  a: !!int ""\n', "Pulumi.aws.yaml, line 2 cannot be read: invalid value for"),
    (b"config:\n  a: !!timestamp x\n", "Pulumi.aws.yaml, line 2 cannot be read: invalid value for"),
    (b"config: {1: 1}\n", "Pulumi.aws.yaml: config has the key 1: keys must be strings"),
    (b"config: &a {x: *a}\n", "Pulumi.aws.yaml: config cannot be read: Circular reference"),
    (b"config: " + b"[" * 3000 + b"\n", "Pulumi.aws.yaml cannot be read: maximum recursion depth exceeded"),
]


@pytest.fixture
def stack_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (stack_files, names):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    return tmp_path / "Pulumi.aws.yaml"


@pytest.mark.parametrize(("content", "line"), BROKEN, ids=[line.partition(": ")[2][:40] for _, line in BROKEN])
def test_a_broken_file_is_one_line(stack_file: Path, content: bytes, line: str) -> None:
    stack_file.write_bytes(content)
    with pytest.raises(LocalError) as error:
        plain_config("aws")
    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)


def test_a_folder_is_not_a_stack_file(stack_file: Path) -> None:
    stack_file.mkdir()
    with pytest.raises(LocalError, match=r"Pulumi\.aws\.yaml cannot be read: Is a directory"):
        plain_config("aws")


@pytest.mark.parametrize("content", ["", "config:\n", "config: {}\n", "# nothing\n"])
def test_an_empty_file_is_an_empty_config(stack_file: Path, content: str) -> None:
    stack_file.write_text(content)
    assert plain_config("aws") == {}


def test_a_file_of_a_real_deployment_is_read_without_its_secrets(stack_file: Path) -> None:
    stack_file.write_text("""
secretsprovider: awskms://alias/better-together
encryptedkey: AQICAHg=
encryptionsalt: "v1:xxx="
config:
  aws:region: eu-central-1
  better-together:momentoApiKey:
    secure: v1:abc=
""")
    assert plain_config("aws") == {"aws:region": "eu-central-1"}


def test_names_have_all_their_dots(stack_file: Path) -> None:
    for name in ("aws", "aws-prod", "a.b"):
        (stack_file.parent / f"Pulumi.{name}.yaml").touch()
    (stack_file.parent / "Pulumi.yaml").touch()
    assert names.with_file() == ["a.b", "aws", "aws-prod"]


def test_merged_keys_do_not_stand_there_twice(stack_file: Path) -> None:
    stack_file.write_text("config:\n  o:\n    b: &B {x: 2}\n    a: &A\n      <<: *B\n      x: 1\n  c:\n    <<: *A\n")
    assert plain_config("aws")["c"] == {"x": 1}
