"""What lasts: the database with its indexes and lifetimes, and the secrets without their values."""

from collections.abc import Iterator
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from infra.components.grants import grant
from infra.components.matrix import Place
from infra.components.stage import Stage

UNINDEXED = ("json", "commit")
"""Fields that no query names, see shared/gcp/encoding.py."""

EXPIRES = "expires_at"
FOUR_WEEKS = "2419200s"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseArgs:
    """What the database is built from; with a key its content is kept with that."""

    stage: Stage
    key: gcp.kms.CryptoKey | None


class Database(pulumi.ComponentResource):
    """Firestore: any minute of the last week can be read again, and in production nothing deletes it by mistake.

    `ready` are the database, what its queries need, and what lets documents go: the parts that functions count on.

    The default would leave the database behind when the stack is destroyed, and the next `up` would collide with it.
    Its settings of single fields go with it: to take each back first would be an operation of a minute for every one.
    """

    def __init__(self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("strategy:index:Database", name, {}, opts)
        stage, key = args.stage, args.key
        state = "ENABLED" if stage.deployment.protect else "DISABLED"
        self.database = gcp.firestore.Database(
            "desk",
            name=stage.database,
            location_id=stage.deployment.region,
            type="FIRESTORE_NATIVE",
            point_in_time_recovery_enablement="POINT_IN_TIME_RECOVERY_ENABLED",
            delete_protection_state=f"DELETE_PROTECTION_{state}",
            deletion_policy="DELETE",
            cmek_config=None if key is None else gcp.firestore.DatabaseCmekConfigArgs(kms_key_name=key.id),
            opts=stage.child(self, kept=True),
        )
        if stage.deployment.protect:
            gcp.firestore.BackupSchedule(
                "each-day",
                database=self.database.name,
                retention=FOUR_WEEKS,
                daily_recurrence=gcp.firestore.BackupScheduleDailyRecurrenceArgs(),
                opts=stage.child(self, goes_with=self.database),
            )
        for collection in sorted(stage.topology.collections):
            for field in UNINDEXED:
                self._field(stage, collection, field)
        expiring = [self._field(stage, one, EXPIRES, expires=True) for one in sorted(stage.topology.lifetimes)]
        self.ready = (self.database, *expiring, *self._indexes(stage))
        self.register_outputs({"name": self.database.name})

    def _field(self, stage: Stage, collection: str, field: str, *, expires: bool = False) -> pulumi.Resource:
        """Take a field out of every index; one that `expires` tells when its document may go."""
        made: pulumi.Resource = gcp.firestore.Field(
            f"{collection}-{field}",
            database=self.database.name,
            collection=collection,
            field=field,
            index_config=gcp.firestore.FieldIndexConfigArgs(),
            ttl_config=gcp.firestore.FieldTtlConfigArgs() if expires else None,
            opts=stage.child(self, goes_with=self.database),
        )
        return made

    def _indexes(self, stage: Stage) -> Iterator[pulumi.Resource]:
        for index in stage.topology.indexes:
            yield gcp.firestore.Index(
                "-".join((index.collection, *index.fields)),
                database=self.database.name,
                collection=index.collection,
                fields=[
                    gcp.firestore.IndexFieldArgs(field_path=f"fields.{one}", order="ASCENDING") for one in index.fields
                ],
                opts=stage.child(self, goes_with=self.database),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsArgs:
    """What the secrets are built from; with a key their versions are kept with that."""

    stage: Stage
    key: gcp.kms.CryptoKey | None


class Secrets(pulumi.ComponentResource):
    """Secrets in the stack's region, with who may use each; their values are the owner's and the functions' to add."""

    def __init__(self, name: str, args: SecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("strategy:index:Secrets", name, {}, opts)
        stage = args.stage
        self.secrets = {one: self._secret(stage, args.key, one) for one in stage.topology.secrets}
        self.granted = grant(stage, self, Place.SECRET, self.secrets)
        self.register_outputs({"secrets": sorted(self.secrets)})

    def _secret(self, stage: Stage, key: gcp.kms.CryptoKey | None, secret: str) -> gcp.secretmanager.Secret:
        kept_with = None
        if key is not None:
            kept_with = gcp.secretmanager.SecretReplicationUserManagedReplicaCustomerManagedEncryptionArgs(
                kms_key_name=key.id
            )
        replica = gcp.secretmanager.SecretReplicationUserManagedReplicaArgs(
            location=stage.deployment.region, customer_managed_encryption=kept_with
        )
        return gcp.secretmanager.Secret(
            secret,
            secret_id=secret,
            replication=gcp.secretmanager.SecretReplicationArgs(
                user_managed=gcp.secretmanager.SecretReplicationUserManagedArgs(replicas=[replica])
            ),
            opts=stage.child(self, kept=True),
        )
