"""The Google Cloud stack: Cloud Run -> Firestore, and a Momento cache."""

from typing import Any

import pulumi
from pulumi_gcp import cloudrunv2, firestore, projects, secretmanager, serviceaccount
from pulumi_gcp.cloudrunv2 import ServiceTemplateContainerEnvArgsDict

from pulumi_momento import Cache
from stacks.archive_file import Archive
from stacks.config import StackConfig
from stacks.front_door import FrontDoor
from stacks.gcp_cloud_run import canary_url, cloud_run, newest_revision
from stacks.gcp_domain import custom_domain
from stacks.gcp_logs import keep_logs
from stacks.gcp_observability import observability
from stacks.gcp_source import source
from stacks.protection import protect_data
from stacks.rollout import Rollout
from stacks.traffic import exports

APIS = ("cloudresourcemanager", "firestore", "iam", "logging", "monitoring", "run", "secretmanager", "storage")

# All fields of the app's documents. Not `*`, which the provider does not take everywhere:
# https://github.com/hashicorp/terraform-provider-google/issues/19598
UNQUERIED = ("followers", "name", "profile_pic", "version")


class GcpStack(pulumi.ComponentResource):
    """All resources of a stack on Google Cloud. `outputs` has the same names as AwsStack's.

    Without an archive the service keeps its source.
    """

    def __init__(
        self, name: str, config: StackConfig, archive: Archive | None, rollout: Rollout, own_url_closed: bool
    ) -> None:
        super().__init__("better-together:stacks:GcpStack", name)
        self._config = config
        self._child = pulumi.ResourceOptions(parent=self)
        optional = {"cloudtrace": config.tracing, "dns": config.domain_zone}
        apis = [
            projects.Service(api, service=f"{api}.googleapis.com", disable_on_destroy=False, opts=self._child)
            for api in (*APIS, *(api for api, wanted in optional.items() if wanted))
        ]
        self._child = pulumi.ResourceOptions(parent=self, depends_on=apis)
        cache = Cache("users", name=config.name, opts=pulumi.ResourceOptions(parent=self))
        self._database = self._make_database()
        self._account = serviceaccount.Account(
            "api", account_id=config.name, display_name=f"{config.name}: Cloud Run", opts=self._child
        )
        self._key, key_version = self._make_key()
        bucket, code = source(config, archive, self._child)
        service, deployment = cloud_run(
            config,
            self._account,
            code,
            self._environment(cache, key_version, rollout.digest),
            rollout,
            own_url_closed,
            pulumi.ResourceOptions(parent=self, depends_on=[*apis, *self._grant_permissions()]),
        )
        keep_logs(config, self._child)
        observability(config, self._child)
        revision = newest_revision(service, deployment, rollout)
        traffic = pulumi.Output.all(revision, deployment).apply(lambda known: rollout.traffic(*known))
        self.outputs: dict[str, pulumi.Input[Any]] = {
            **self._front_door(service, own_url_closed).outputs,
            "cloud": config.cloud,
            "account": config.gcp_project,
            "region": config.region,
            "persistence": config.persistence,
            "store": self._database.name,
            "cache": cache.name,
            "service": service.name,
            "bucket": bucket.name,
            "expires": config.expires or "",
            "rolloutPlan": config.rollout_plan.output,
            "canaryUrl": canary_url(service, traffic),
            **exports(traffic),
        }
        self.register_outputs(self.outputs)

    def _front_door(self, service: cloudrunv2.Service, own_url_closed: bool) -> FrontDoor:
        """Cloud Run redirects HTTP to HTTPS by itself."""
        if self._config.domain is None:
            return FrontDoor(service.uri)
        url, records = custom_domain(self._config, self._config.domain, service, self._child)
        return FrontDoor(url, records, None if own_url_closed else service.uri)

    def _make_database(self) -> firestore.Database:
        """Google encrypts it with its own keys. There is no TTL, because users do not expire."""
        protected = self._config.protected
        database = firestore.Database(
            "users",
            name=self._config.name,
            location_id=self._config.region,
            type="FIRESTORE_NATIVE",
            point_in_time_recovery_enablement="POINT_IN_TIME_RECOVERY_ENABLED",
            delete_protection_state=f"DELETE_PROTECTION_{'ENABLED' if protected else 'DISABLED'}",
            deletion_policy="PREVENT" if protected else "DELETE",
            opts=pulumi.ResourceOptions.merge(self._child, protect_data(self._config)),
        )
        # By default, Firestore indexes each field and each entry of a list, which costs storage and slows writes down:
        # https://firebase.google.com/docs/firestore/query-data/index-overview#single-field_indexes
        for field in UNQUERIED:
            firestore.Field(
                field,
                database=database.name,
                collection="users",
                field=field,
                index_config={},  # none
                opts=self._child,
            )
        # Point-in-time recovery covers the last 7 days; daily backups cover the time before.
        firestore.BackupSchedule(
            "users",
            database=database.name,
            daily_recurrence={},
            retention=f"{self._config.recovery_days * 24 * 60 * 60}s",
            opts=self._child,
        )
        return database

    def _make_key(self) -> tuple[secretmanager.Secret, secretmanager.SecretVersion]:
        secret = secretmanager.Secret(
            "momento-api-key",
            secret_id=f"{self._config.name}-momento-api-key",
            replication={"auto": {}},
            labels=self._config.tags,
            opts=self._child,
        )
        version = secretmanager.SecretVersion(
            "momento-api-key",
            secret=secret.id,
            secret_data=self._config.momento_api_key,
            # Cloud Run reads the secret whenever an instance starts, and older revisions refer to older versions. These
            # are deleted with the secret.
            deletion_policy="ABANDON",
            opts=self._child,
        )
        return secret, version

    def _grant_permissions(self) -> list[pulumi.Resource]:
        """Let the service read and write its database, and read its secret.

        Permissions take a while to take effect. They are granted while the database is created, which takes longest,
        and the service waits for both.
        """
        database = f"projects/{self._config.gcp_project}/databases/{self._config.name}"
        store = projects.IAMMember(
            "store",
            project=self._config.gcp_project,
            role="roles/datastore.user",
            member=self._account.member,
            condition={"title": self._config.name, "expression": f'resource.name == "{database}"'},
            opts=self._child,
        )
        secret = secretmanager.SecretIamMember(
            "momento-api-key",
            secret_id=self._key.id,
            role="roles/secretmanager.secretAccessor",
            member=self._account.member,
            opts=self._child,
        )
        return [store, secret]

    def _environment(
        self, cache: Cache, key_version: secretmanager.SecretVersion, digest: str
    ) -> list[ServiceTemplateContainerEnvArgsDict]:
        values: dict[str, pulumi.Input[str]] = {
            **self._config.app_environment,
            "GOOGLE_CLOUD_PROJECT": self._config.gcp_project,
            "FIRESTORE_DATABASE": self._database.name,
            "MOMENTO_CACHE": cache.name,
            "THREADS": str(self._config.concurrency),
            "METRICS_FORMAT": "json",
            **({"TRACE_PROJECT": self._config.gcp_project} if self._config.tracing else {}),
            "ARTIFACT_DIGEST": digest,
        }
        key: ServiceTemplateContainerEnvArgsDict = {
            "name": "MOMENTO_API_KEY",
            "value_source": {"secret_key_ref": {"secret": self._key.secret_id, "version": key_version.version}},
        }
        return [*({"name": name, "value": value} for name, value in values.items()), key]
