"""The policy pack on the laptop: the same folder that `pulumi preview --policy-pack policy` is given."""

from pathlib import Path

PLUGIN = """#!/bin/sh
if [ ! -x .venv/bin/python ]; then
    echo "the policy pack is not installed, $PWD/.venv is missing: run make setup" >&2
    exit 1
fi
exec .venv/bin/python -u -m pulumi.policy "$1" "$2"
"""
PACK = str(Path(__file__).resolve().parents[1] / "policy")


def install(pulumi_home: Path) -> None:
    """Puts the plugin in place that starts packs for an engine without Python's language host.

    The official installer brings that host, and the engine prefers it. One that is built from its Go module has none
    and asks the plugin, in the pack's folder (github.com/pulumi/pulumi, pkg/v3/resource/plugin/analyzer_plugin.go).
    Its first two arguments are the engine's address and the pack; the pack's settings behind them are for the host.
    """
    folder = pulumi_home / "plugins" / "analyzer-policy-python-v1.0.0"
    folder.mkdir(parents=True, exist_ok=True)
    executable = folder / "pulumi-analyzer-policy-python"
    executable.write_text(PLUGIN)
    executable.chmod(0o755)
