"""The command line of `python -m local`: each command explains itself and takes what its function takes."""

import inspect
import sys

import pytest

from local.cli.arguments import parse

EVERY_OPTION = {
    "up": [
        "aws",
        "gcp",
        "--auth",
        "laptop",
        "--refresh",
        "--rollout",
        "10",
        "--artifact",
        "sha256:0",
        "--hours",
        "8",
        "--verbose",
    ],
    "apply": ["aws", "--settings", '{"rollout": "10"}', "--plan", "plan.json"],
    "dev": ["gcp", "--port", "5001"],
    "preview": ["aws", "--artifact", "build", "--plan", "plan.json", "--policy-log", "policy.log"],
    "drift": ["aws"],
    "outputs": [],
    "token": ["1", "--admin"],
    "destroy": ["aws", "gcp", "--wait", "--verbose"],
    "down": ["--verbose"],
}


NEEDED = {
    "apply": ["aws", "--settings", "{}"],
    "preview": ["aws"],
    "drift": ["aws"],
    "token": ["1"],
    "destroy": ["aws"],
}


@pytest.mark.parametrize("command", EVERY_OPTION)
def test_every_option_is_a_parameter_and_may_be_left_out(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def bound(options: list[str]) -> inspect.BoundArguments:
        monkeypatch.setattr(sys, "argv", ["local", command, *options])
        run, home, arguments = parse()
        assert run.__name__ == command
        return inspect.signature(run).bind(home, **arguments)

    every = bound(EVERY_OPTION[command])
    assert every.arguments.keys() == every.signature.parameters.keys()
    bound(NEEDED.get(command, []))


@pytest.mark.parametrize("command", EVERY_OPTION)
def test_every_command_explains_itself(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, words in (([], f"\n    {command} "), ([command], f"examples:\n  python -m local {command}")):
        monkeypatch.setattr(sys, "argv", ["local", *arguments, "--help"])
        with pytest.raises(SystemExit, match="0"):
            parse()
        assert words in capsys.readouterr().out


def test_a_mistyped_command_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["local", "up", "--rolout", "10"])
    with pytest.raises(SystemExit, match="2"):
        parse()
    assert capsys.readouterr().err == "unrecognized arguments: --rolout: `python -m local --help` explains it\n"


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ([], "the following arguments are required: --settings"),
        *(
            (
                ["--settings", text],
                f"""argument --settings: '{text}' is no JSON object, such as '{{"rollout": "10"}}'""",
            )
            for text in ("[1]", "{")
        ),
    ],
)
def test_settings_are_an_object(
    settings: list[str], wanted: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["local", "apply", "aws", *settings])
    with pytest.raises(SystemExit, match="2"):
        parse()
    assert capsys.readouterr().err == f"{wanted}: `python -m local apply --help` explains it\n"
