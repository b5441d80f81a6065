"""The stack's configuration, read and validated in one place. Pulumi.yaml describes the keys and has their defaults."""

import re
from dataclasses import dataclass

import pulumi

from stacks.config_reader import ConfigReader

PERSISTENCE_OF = {"aws": ("dynamodb",), "gcp": ("firestore",)}
REGION = {"aws": r"[a-z]{2}(-[a-z]+)+-\d", "gcp": r"[a-z]+(-[a-z]+)+\d+"}
LOOPBACK = r"(127\.0\.0\.1|localhost):"
ISSUER = rf"none|(https://|http://{LOOPBACK})[^\s?#@]+"
# Google's rule for service accounts, the narrowest of the rules for what gets the stack's name.
NAME = r"[a-z][-a-z0-9]{4,28}[a-z0-9]"
HOST = r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?"
DOMAIN = r"([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)+[a-z]{2,}"
ORIGIN = rf"https?://{HOST}(:\d+)?"
EMAIL = r"[^@\s]+@[^@\s]+\.[^@\s]+"
ARTIFACT = r"build|sha256:[0-9a-f]{64}"
# What CloudWatch Logs takes up to a year.
LOG_RETENTION_DAYS = ("1", "3", "5", "7", "14", "30", "60", "90", "120", "150", "180", "365")


@dataclass(frozen=True)
class StackConfig:
    """A valid configuration; the names and tags of a stack's resources follow from it.

    Every resource is named after `name`, `<project>-<stack>`: so that stacks can share an account, and what belongs
    to a stack can be told, and addressed from a script, without asking the engine. What can be left out is `none`
    in the stack file and None here.
    """

    stack: str
    name: str
    cloud: str
    environment: str
    region: str
    gcp_project: str
    """Empty on aws."""

    persistence: str
    recovery_days: int
    cache_ttl_seconds: int
    momento_endpoint: str
    """A host, or `http://host:port` of a Momento Local."""
    momento_api_key: pulumi.Output[str]
    demo: bool

    artifact: str | None
    """The digest of the artifact to run; None is the one that this checkout builds."""
    rollout: int
    """Percent of the requests that the newest version gets."""

    memory_mb: int
    concurrency: int
    """Requests that an instance works on at a time; always 1 on Lambda."""
    min_instances: int
    max_instances: int
    """0, on aws alone, is the account's limit."""
    timeout_seconds: int

    auth: str | None
    """The URL of an OpenID Connect issuer, exactly as in the tokens' `iss`."""
    auth_audience: str
    cors_origins: tuple[str, ...]
    throttle_rate: int
    """Requests a second, on aws."""
    throttle_burst: int
    domain: str | None
    domain_zone: str | None
    """The hosted zone's id on aws, the managed zone's name on gcp."""

    alarm_email: str | None
    tracing: bool
    log_retention_days: int

    @property
    def protected(self) -> bool:
        """Whether the stack, and what it keeps, must not be deleted."""
        return self.environment == "production"

    @property
    def tags(self) -> dict[str, str]:
        """Tags on AWS, labels on Google Cloud."""
        return {"project": pulumi.get_project(), "stack": self.stack, "environment": self.environment}

    @property
    def app_environment(self) -> dict[str, str]:
        """What the app is told on both clouds. What is left out there is off."""
        auth = {"AUTH_ISSUER": self.auth, "AUTH_AUDIENCE": self.auth_audience} if self.auth else {}
        cors = {"CORS_ORIGINS": ",".join(self.cors_origins)} if self.cors_origins else {}
        return {
            "PERSISTENCE": self.persistence,
            "MOMENTO_ENDPOINT": self.momento_endpoint,
            "CACHE_TTL_SECONDS": str(self.cache_ttl_seconds),
            "DEMO": str(self.demo).lower(),
            "METRICS_NAMESPACE": self.name,
            "TIMEOUT_SECONDS": str(self.timeout_seconds),
            **auth,
            **cors,
        }

    @classmethod
    def load(cls) -> "StackConfig":
        """Raises pulumi.RunError that names every wrong key, its value and what is allowed, a line for each."""
        project, stack = pulumi.get_project(), pulumi.get_stack()
        read = ConfigReader(project, stack)
        name = f"{project}-{stack}"
        if not re.fullmatch(NAME, name):
            allowed = "6 to 30 lowercase letters, digits and hyphens, with the project's name before it"
            read.errors.append(f"the stack's name {stack!r} makes {name!r}: it takes {allowed}")
        cloud = read.choice("cloud", tuple(PERSISTENCE_OF))
        aws = cloud == "aws"
        read.secret("momento:apiKey")
        config = cls(
            stack=stack,
            name=name,
            cloud=cloud,
            environment=read.choice("environment", ("development", "production")),
            region=read.text(f"{cloud}:region", REGION[cloud], "a region of the cloud") if cloud else "",
            gcp_project=read.text("gcp:project", NAME, "the id of a project") if cloud == "gcp" else "",
            persistence=read.choice("persistence", _stores(cloud), f" on {cloud}"),
            recovery_days=read.integer("recoveryDays", 1, 35),
            cache_ttl_seconds=read.integer("cacheTtlSeconds", 1, 24 * 60 * 60),
            momento_endpoint=read.text("momento:endpoint", rf"{HOST}|http://[^/:]+:\d+", "a host, or http://host:port"),
            momento_api_key=read.secret("momentoApiKey"),
            demo=read.flag("demo"),
            artifact=_optional(
                read.text("artifact", ARTIFACT, "build, or the sha256:... of an earlier artifact"), "build"
            ),
            rollout=read.integer("rollout", 1, 100),
            memory_mb=read.integer("memoryMb", 512, 4096),
            concurrency=read.integer("concurrency", 1, 80),
            min_instances=read.integer("minInstances", 0, 0 if aws else 100, " (SnapStart instead)" if aws else ""),
            max_instances=read.integer("maxInstances", 1 if cloud == "gcp" else 0, 1000),
            timeout_seconds=read.integer("timeoutSeconds", 10, 29),
            auth=_optional(read.text("auth", ISSUER, "none, or the https URL of an issuer")),
            auth_audience=read.text("authAudience", r"\S+", "the audience of tokens"),
            cors_origins=_list(
                read.text(
                    "corsOrigins",
                    rf"none|{ORIGIN}(,{ORIGIN})*",
                    "none, or origins like https://a.example,https://b.example",
                )
            ),
            throttle_rate=read.integer("throttleRate", 1, 10000),
            throttle_burst=read.integer("throttleBurst", 1, 5000),
            domain=_optional(read.text("domain", f"none|{DOMAIN}", "none, or a name like users.example.com")),
            domain_zone=_optional(read.text("domainZone", r"none|[-A-Za-z0-9]+", "none, or a zone of the cloud's DNS")),
            alarm_email=_optional(read.text("alarmEmail", f"none|{EMAIL}", "none, or an address like ops@example.com")),
            tracing=read.flag("tracing"),
            log_retention_days=int(read.choice("logRetentionDays", LOG_RETENTION_DAYS) or 0),
        )
        if config.domain_zone and not config.domain:
            read.wrong("domainZone", f"is {config.domain_zone!r}: it takes none, as there is no domain to put into it")
        read.refuse_unknown("momento")
        if read.errors:
            raise pulumi.RunError("\n".join(read.errors))
        return config


def _stores(cloud: str) -> tuple[str, ...]:
    return PERSISTENCE_OF.get(cloud) or tuple(store for stores in PERSISTENCE_OF.values() for store in stores)


def _optional(value: str, nothing: str = "none") -> str | None:
    return None if value == nothing else value


def _list(value: str) -> tuple[str, ...]:
    return () if value == "none" else tuple(value.split(","))
