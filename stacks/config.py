"""The stack's configuration, read and validated in one place. Pulumi.yaml describes the keys and has their defaults."""

import re
from dataclasses import dataclass

import pulumi

LOG_RETENTION_DAYS = 30
PERSISTENCE_OF = {"aws": ("dynamodb",), "gcp": ("firestore",)}
REGION = {"aws": r"[a-z]{2}(-[a-z]+)+-\d", "gcp": r"[a-z]+(-[a-z]+)+\d+"}
LOOPBACK = r"(127\.0\.0\.1|localhost):"
# Google's rule for service accounts, the narrowest of the rules for what gets the stack's name.
NAME = r"[a-z][-a-z0-9]{4,28}[a-z0-9]"


@dataclass(frozen=True)
class StackConfig:
    """A valid configuration; the names and tags of a stack's resources follow from it.

    Every resource is named after `name`, `<project>-<stack>`: so that stacks can share an account, and what belongs
    to a stack can be told, and addressed from a script, without asking the engine.
    """

    stack: str
    name: str
    cloud: str
    persistence: str
    region: str
    gcp_project: str
    """Empty on aws."""
    cache_ttl_seconds: int
    demo: bool
    auth: str
    """`none`, or the URL of an OpenID Connect issuer, exactly as in the tokens' `iss`."""
    auth_audience: str
    momento_endpoint: str
    """A host, or `http://host:port` of a Momento Local."""
    momento_api_key: pulumi.Output[str]

    @property
    def tags(self) -> dict[str, str]:
        """Tags on AWS, labels on Google Cloud."""
        return {"project": pulumi.get_project(), "stack": self.stack}

    @property
    def auth_environment(self) -> dict[str, str]:
        """What the app is told of the issuer; nothing is `none`."""
        return {} if self.auth == "none" else {"AUTH_ISSUER": self.auth, "AUTH_AUDIENCE": self.auth_audience}

    @classmethod
    def load(cls) -> "StackConfig":
        """Raises pulumi.RunError that names every wrong key, its value and what is allowed, a line for each."""
        reader = _Reader(pulumi.get_stack())
        name = reader.stack_name(f"{pulumi.get_project()}-{pulumi.get_stack()}")
        cloud = reader.choice("cloud", tuple(PERSISTENCE_OF))
        reader.secret("momento:apiKey")
        config = cls(
            stack=pulumi.get_stack(),
            name=name,
            cloud=cloud,
            persistence=reader.choice("persistence", PERSISTENCE_OF[cloud], f" on {cloud}") if cloud else "",
            region=reader.text(f"{cloud}:region", REGION[cloud], "a region of the cloud") if cloud else "",
            gcp_project=reader.text("gcp:project", NAME, "the id of a project") if cloud == "gcp" else "",
            cache_ttl_seconds=reader.integer("cacheTtlSeconds", 1, 24 * 60 * 60),
            demo=reader.choice("demo", ("true", "false")) == "true",
            auth=reader.text(
                "auth", rf"none|(https://|http://{LOOPBACK})[^\s?#@]+", "none, or the https URL of an issuer"
            ),
            auth_audience=reader.text("authAudience", r"\S+", "the audience of tokens"),
            momento_endpoint=reader.text(
                "momento:endpoint", r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?|http://[^/:]+:\d+", "a host, or http://host:port"
            ),
            momento_api_key=reader.secret("momentoApiKey"),
        )
        if reader.errors:
            raise pulumi.RunError("\n".join(reader.errors))
        return config


class _Reader:
    """Reads keys, and notes what is wrong with them instead of stopping at the first."""

    def __init__(self, stack: str) -> None:
        self._stack = stack
        self.errors: list[str] = []

    def stack_name(self, name: str) -> str:
        if not re.fullmatch(NAME, name):
            allowed = "6 to 30 lowercase letters, digits and hyphens, with the project's name before it"
            self.errors.append(f"the stack's name {self._stack!r} makes {name!r}: it takes {allowed}")
        return name

    def text(self, key: str, pattern: str, allowed: str) -> str:
        value = self._get(key)
        if value is None:
            self._wrong(key, f"is missing: set {allowed} with `pulumi config set {key} ... -s {self._stack}`")
        elif not re.fullmatch(pattern, value):
            self._wrong(key, f"is {value!r}: it takes {allowed}")
        return value or ""

    def choice(self, key: str, allowed: tuple[str, ...], where: str = "") -> str:
        value = self.text(key, ".*", " or ".join(allowed))
        if value and value not in allowed:
            self._wrong(key, f"is {value!r}: it takes {' or '.join(allowed)}{where}")
            return ""
        return value

    def integer(self, key: str, low: int, high: int) -> int:
        allowed = f"a whole number from {low} to {high}"
        value = self.text(key, r"\d+", allowed)
        if not re.fullmatch(r"\d+", value):
            return 0
        if not low <= int(value) <= high:
            self._wrong(key, f"is {value}: it takes {allowed}")
        return int(value)

    def secret(self, key: str) -> pulumi.Output[str]:
        bag, name = self._split(key)
        value = pulumi.Config(bag).get_secret(name)
        full = f"{bag or pulumi.get_project()}:{name}"
        if value is None or not pulumi.runtime.is_config_secret(full):
            problem = "is missing" if value is None else "is in plain text"
            self._wrong(key, f"{problem}: set it with `pulumi config set --secret {key} -s {self._stack}`")
        return value or pulumi.Output.secret("")

    def _get(self, key: str) -> str | None:
        bag, name = self._split(key)
        return pulumi.Config(bag).get(name)

    def _wrong(self, key: str, problem: str) -> None:
        bag, name = self._split(key)
        self.errors.append(f"Pulumi.{self._stack}.yaml: {bag or pulumi.get_project()}:{name} {problem}")

    @staticmethod
    def _split(key: str) -> tuple[str | None, str]:
        bag, _, name = key.rpartition(":")
        return bag or None, name
