"""The bucket for Pulumi's state, and the key that encrypts it and is Pulumi's secrets provider."""

from collections.abc import Sequence
from typing import NamedTuple

import pulumi
from pulumi_gcp import kms, storage

KEPT_DAYS = 90
"""How long an old version of a state is kept. Locks, which are deleted after each update, leave versions as well."""
ROTATION = f"{90 * 24 * 60 * 60}s"


class State(NamedTuple):
    bucket: storage.Bucket
    key: kms.CryptoKey
    backend: str
    """For PULUMI_BACKEND_URL: https://www.pulumi.com/docs/iac/concepts/state-and-backends/#google-cloud-storage"""
    secrets_provider: pulumi.Output[str]
    """For `pulumi stack init --secrets-provider`."""


def make_state(
    name: str, project: str, location: str, labels: dict[str, str], apis: Sequence[pulumi.Resource]
) -> State:
    """The bucket `name` and the key, which `pulumi destroy` refuses to delete.

    Google Cloud Storage takes credentials over TLS only, and a key ring cannot be deleted at all.
    """
    ready = pulumi.ResourceOptions(depends_on=apis)
    protected = pulumi.ResourceOptions(depends_on=apis, protect=True)
    ring = kms.KeyRing("state", name="pulumi", location=location, opts=protected)
    key = kms.CryptoKey(
        "state", name="state", key_ring=ring.id, rotation_period=ROTATION, labels=labels, opts=protected
    )
    agent = storage.get_project_service_account_output(
        project=project, opts=pulumi.InvokeOutputOptions(depends_on=apis)
    )
    may_encrypt = kms.CryptoKeyIAMMember(
        "state",
        crypto_key_id=key.id,
        role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
        member=agent.member,
        opts=ready,
    )
    bucket = storage.Bucket(
        "state",
        name=name,
        location=location,
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        encryption={"default_kms_key_name": key.id},
        versioning={"enabled": True},
        lifecycle_rules=[
            {"action": {"type": "Delete"}, "condition": {"days_since_noncurrent_time": KEPT_DAYS}},
        ],
        labels=labels,
        opts=pulumi.ResourceOptions(depends_on=[may_encrypt], protect=True),
    )
    return State(bucket, key, f"gs://{name}", pulumi.Output.concat("gcpkms://", key.id))
