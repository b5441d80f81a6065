"""Runtimes are pinned, so that production runs what was tested."""

import re
from collections.abc import Iterator

from rules.containers import containers
from rules.rule import Resource, resource_rule

# docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
LAMBDA_RUNTIME = r"(python|ruby)\d+\.\d+|nodejs\d+\.x|(java|dotnet)\d+(\.al2)?|provided\.al\d+"
# cloud.google.com/docs/buildpacks/base-images, for example .../google-22/runtimes/python313
BASE_IMAGE = r".+/runtimes/[a-z-]+\d+(:(?!latest$).+|@sha256:.+)?"
IMAGE = r"[^@]+(@sha256:[0-9a-f]{64}|:(?!latest$)[\w.-]+)"


@resource_rule("aws:lambda/function:Function")
def functions_pin_their_runtime(function: Resource) -> Iterator[str]:
    """Functions pin the version of their runtime or image."""
    if function.props.get("packageType") == "Image":
        image = function.props.get("imageUri")
        if not re.fullmatch(IMAGE, image or ""):
            yield f"imageUri is {image}: name the image by its digest, or by a tag that does not move"
    else:
        runtime = function.props.get("runtime")
        if not re.fullmatch(LAMBDA_RUNTIME, runtime or ""):
            yield f"runtime is {runtime}: name one with its version, such as python3.13"


@resource_rule("gcp:cloudrunv2/*")
def services_pin_their_image(service: Resource) -> Iterator[str]:
    """Containers pin the version of their image or base image."""
    for container in containers(service):
        image, base = container.get("image"), container.get("baseImageUri")
        if base and not re.fullmatch(BASE_IMAGE, base):
            yield f"baseImageUri is {base}: name one with its version, such as .../google-22/runtimes/python313"
        if image != "scratch" and not re.fullmatch(IMAGE, image or ""):  # scratch: everything comes from the base image
            yield f"image is {image}: name it by its digest, or by a tag that does not move"
