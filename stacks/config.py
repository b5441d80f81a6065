"""The configuration of a stack, and the names and tags that follow from it."""

from dataclasses import dataclass
from typing import Any

import pulumi

from stacks.traffic import Holder

BUILD, PROMOTED = "build", "promoted"


@dataclass(frozen=True)
class RolloutPlan:
    """How `make promote` moves traffic, and when it gives the traffic back."""

    steps: tuple[int, ...]
    """Percents before the last one, 100."""
    step_seconds: int
    min_requests: int
    max_errors: int
    """Percentage points of answers 5xx above those of the stable revision."""
    max_slowdown: int
    """Times the p99 latency of the stable revision."""

    @property
    def output(self) -> dict[str, Any]:
        return {
            "steps": list(self.steps),
            "stepSeconds": self.step_seconds,
            "minRequests": self.min_requests,
            "maxErrors": self.max_errors,
            "maxSlowdown": self.max_slowdown,
        }


@dataclass(frozen=True)
class StackConfig:
    """A valid configuration. Optional values are `none` in the stack file and None here.

    The names of all resources contain `name`, which is `<project>-<stack>`, so that stacks can share an account, and
    people and scripts can find a stack's resources without the engine.
    """

    stack: str
    name: str
    cloud: str
    environment: str
    expires: str | None
    """The UTC time after which `make reap` destroys the stack."""
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

    artifact: str
    """BUILD: what this checkout builds. PROMOTED: what the outputs say. Or the digest of the artifact to run."""
    rollout: int
    """Percent of the requests that go to the newest version."""
    rollout_plan: RolloutPlan
    rollout_holder: Holder
    """Who runs this deployment as a step of a promotion; NOBODY otherwise."""
    rollout_after: str | None
    """The name of the holder from whom this deployment takes over."""

    memory_mb: int
    snap_start: bool
    """Only on aws."""
    concurrency: int
    """Requests that an instance handles at a time; always 1 on Lambda."""
    min_instances: int
    max_instances: int
    """0, only on aws: the account's limit."""
    timeout_seconds: int

    auth: str | None
    """The URL of an OpenID Connect issuer, exactly as in the tokens' `iss`."""
    auth_audience: str
    cors_origins: tuple[str, ...]
    throttle_rate: int
    """Requests per second, only on aws."""
    throttle_burst: int
    domain: str | None
    domain_zone: str | None
    """The hosted zone's id on aws, the managed zone's name on gcp."""

    permissions_boundary: str | None
    """The ARN of the policy that bounds the rights of the function's role, only on aws."""
    alarm_email: str | None
    tracing: bool
    log_retention_days: int

    @property
    def protected(self) -> bool:
        """Whether the stack and its data must not be deleted."""
        return self.environment == "production"

    @property
    def cache(self) -> str:
        """The cache of every stack, as the app's metrics name it (`Cache.name` in the app)."""
        return "momento"

    @property
    def tags(self) -> dict[str, str]:
        """Tags on AWS, labels on Google Cloud, which take only lowercase letters, digits, hyphens and underscores."""
        expires = {"expires": self.expires.lower().replace(":", "-")} if self.expires else {}
        return {"project": pulumi.get_project(), "stack": self.stack, "environment": self.environment, **expires}

    @property
    def app_environment(self) -> dict[str, str]:
        """The variables of the app's environment that are the same on both clouds."""
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
