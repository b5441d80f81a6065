"""Updates terraform.json from the sources of Google's Terraform provider.

    git clone https://github.com/hashicorp/terraform-provider-google-beta CHECKOUT
    .venv/bin/python -m local.providers.gcp.terraform_schemas CHECKOUT

Google generates that repository, schemas written by hand included, and Pulumi's provider is built from it. To add a
type, add it to terraform.json with its `schemas`: each is a file below google-beta/ and the variable or function there
that holds the schema. `replaces` are the inputs with ForceNew, and `in_place` those below them without it. A
CustomizeDiff, which may force a replacement under a condition, is not read: among these types only a bucket's forces
more than the schema, when its retention policy is no longer locked.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

from pulumi import _types  # pyright: ignore[reportPrivateUsage] - the only description of the input types

from local.providers import sdk
from local.providers.gcp.terraform import FILE

# These read code that gofmt has laid out, without its raw strings.
RAW_STRING = re.compile(r"`[^`]*`")
DECLARATION = re.compile(r"^(?:func|var) (\w+)\b[^\n]*\{\n.*?^\}$", re.MULTILINE | re.DOTALL)
ENTRY = re.compile(r'(\t+)(?:"(\w+)": +|\w+\.Schema\["(\w+)"\] = &schema\.Schema)\{')
ELSEWHERE = re.compile(r'\t+(?:Elem|"(\w+)"): +(\w+)(?:\(.*\))?,')
SETTING = re.compile(r"\t+(ForceNew|Optional|Required): +true,")

type Property = tuple[str, ...]  # its path, in Terraform's names


def settings(declarations: dict[str, str], name: str, above: Property = ()) -> Iterator[tuple[Property, str]]:
    """Yields (path, "ForceNew" | "Optional" | "Required") for the properties of a schema at every level."""
    entered: list[tuple[str, str]] = []  # (indentation, property)
    if name not in declarations:
        raise LookupError(f"the sources have no schema {name}: correct it in `schemas`")
    for line in declarations[name].splitlines():
        path = (*above, *(property for _, property in entered))
        if entry := ENTRY.fullmatch(line):
            entered.append((entry[1], entry[2] or entry[3]))
        elif entered and line.rstrip(",") == entered[-1][0] + "}":
            entered.pop()
        elif setting := SETTING.fullmatch(line):
            yield path, setting[1]
        elif elsewhere := ELSEWHERE.fullmatch(line):
            yield from settings(declarations, elsewhere[2], (*path, elsewhere[1]) if elsewhere[1] else path)


def rules(sources: Iterable[tuple[str, str]]) -> tuple[set[Property], set[Property]]:
    """The paths that force a replacement and those below them that do not, from (Go code, name of a schema)."""
    found: set[tuple[Property, str]] = set()
    for code, name in sources:
        declarations = {one[1]: one[0] for one in DECLARATION.finditer(RAW_STRING.sub('""', code))}
        found |= set(settings(declarations, name))
    forced = {path for path, setting in found if setting == "ForceNew"}
    free = {path for path, _ in found} - forced
    return _outermost(forced), _outermost({path for path in free if _below(path, forced)})


def _outermost(paths: set[Property]) -> set[Property]:
    return {path for path in paths if not _below(path, paths)}


def _below(path: Property, others: set[Property]) -> bool:
    return any(path[:end] in others for end in range(1, len(path)))


def pulumi_path(args: type, path: Sequence[str]) -> str:
    """Pulumi's name: "traffic", "latest_revision" -> "traffics.latestRevision". Raises LookupError if it has none."""
    known = sdk.properties(args)
    [first, *rest] = path[0].split("_")
    name = first + "".join(word.capitalize() for word in rest)
    found = next((one for one in (name, f"{name}s", f"{name}es", f"{name[:-1]}ies") if one in known), None)
    if found is None:
        raise LookupError(f"{args.__name__} has no {name}")
    return f"{found}.{pulumi_path(_object(known[found]), path[1:])}" if path[1:] else found


def _object(annotation: Any) -> type:
    """The Args class of an object or of a list's objects."""
    for kind in sdk.alternatives(annotation):
        for inner in sdk.alternatives(get_args(kind)[0]) if get_origin(kind) is Sequence else [kind]:
            if _types.is_input_type(inner):
                return inner
    raise LookupError(f"{annotation} is no object")


def update(checkout: Path) -> None:
    """Raises LookupError, OSError or subprocess.CalledProcessError if a schema, a file or the commit is not found."""
    written: dict[str, Any] = json.loads(FILE.read_bytes())
    log = ["git", "-C", checkout, "log", "-1", "--format=%H %cs"]
    written["commit"], written["date"] = subprocess.check_output(log, text=True).split()
    for token, type in written["types"].items():
        places = [schema.split("#") for schema in type["schemas"]]
        found = rules(((checkout / "google-beta" / file).read_text(), name) for file, name in places)
        for key, paths in zip(("replaces", "in_place"), found, strict=True):
            type[key] = sorted(pulumi_path(sdk.args_type(token), path) for path in paths)
        if not type["in_place"]:
            del type["in_place"]
    FILE.write_text(json.dumps(written, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description="Updates terraform.json from the sources of Google's Terraform provider."
    )
    parser.add_argument("checkout", type=Path, help="of github.com/hashicorp/terraform-provider-google-beta")
    try:
        update(parser.parse_args().checkout)
    except (LookupError, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"terraform.json is as it was: {error}")
