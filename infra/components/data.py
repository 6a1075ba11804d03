"""What lasts: the databases with their indexes and lifetimes, and the secrets without their values."""

from collections.abc import Iterator
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from infra.components.grants import grant
from infra.components.matrix import Place
from infra.components.stage import Stage
from shared.stored import Domain

UNINDEXED = ("json", "commit")
"""Fields that no query names, see shared/gcp/encoding.py."""

EXPIRES = "expires_at"
FOUR_WEEKS = "2419200s"


FREE_FIRST = Domain.BOOK
"""Google gives one database of a project some operations for nothing, the one that was made first: that with most."""

RECOVERED = frozenset({Domain.BOOK, Domain.OWNER})
"""What nobody could make again: the others hold what lives for a day, or what is made anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabasesArgs:
    """What the databases are built from; with a key their content is kept with that."""

    stage: Stage
    key: gcp.kms.CryptoKey | None


class Databases(pulumi.ComponentResource):
    """Firestore, a database for each trust domain: in production nothing deletes one by mistake.

    Of the book and of what the owner said any minute of the last week can be read again, and production keeps a copy of
    each day. `ready` are the databases, what their queries need, and what lets documents go: the parts that functions
    count on. Outbox and dead letters are in every database that a function writes.

    The default would leave a database behind when the stack is destroyed, and the next `cloud-up` would meet it.
    Its settings of single fields go with it: to take each back first would be an operation of a minute for every one.
    """

    def __init__(self, name: str, args: DatabasesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("strategy:index:Databases", name, {}, opts)
        stage, topology = args.stage, args.stage.topology
        first = self._database(args, FREE_FIRST)
        self.databases = {FREE_FIRST: first}
        for domain in Domain:
            if domain is not FREE_FIRST:
                self.databases[domain] = self._database(args, domain, first)
        ready: list[pulumi.Resource] = list(self.databases.values())
        for domain, database in self.databases.items():
            if stage.deployment.protect and domain in RECOVERED:
                self._copied(stage, domain, database)
            for collection in sorted(topology.within(domain)):
                for field in UNINDEXED:
                    self._field(stage, domain, collection, field)
                if collection in topology.lifetimes:
                    ready.append(self._field(stage, domain, collection, EXPIRES, expires=True))
        self.ready = (*ready, *self._indexes(stage))
        self.register_outputs({"names": {domain: one.name for domain, one in self.databases.items()}})

    def _database(self, args: DatabasesArgs, domain: Domain, *after: pulumi.Resource) -> gcp.firestore.Database:
        stage, key = args.stage, args.key
        protected = "ENABLED" if stage.deployment.protect else "DISABLED"
        recovered = "ENABLED" if domain in RECOVERED else "DISABLED"
        return gcp.firestore.Database(
            domain,
            name=stage.database(domain),
            location_id=stage.deployment.region,
            type="FIRESTORE_NATIVE",
            point_in_time_recovery_enablement=f"POINT_IN_TIME_RECOVERY_{recovered}",
            delete_protection_state=f"DELETE_PROTECTION_{protected}",
            deletion_policy="DELETE",
            cmek_config=None if key is None else gcp.firestore.DatabaseCmekConfigArgs(kms_key_name=key.id),
            opts=stage.child(self, *after, kept=True),
        )

    def _copied(self, stage: Stage, domain: Domain, database: gcp.firestore.Database) -> None:
        gcp.firestore.BackupSchedule(
            f"{domain}-each-day",
            database=database.name,
            retention=FOUR_WEEKS,
            daily_recurrence=gcp.firestore.BackupScheduleDailyRecurrenceArgs(),
            opts=stage.child(self, goes_with=database),
        )

    def _field(
        self, stage: Stage, domain: Domain, collection: str, field: str, *, expires: bool = False
    ) -> pulumi.Resource:
        """Take a field out of every index; one that `expires` tells when its document may go."""
        database = self.databases[domain]
        made: pulumi.Resource = gcp.firestore.Field(
            f"{domain}-{collection}-{field}",
            database=database.name,
            collection=collection,
            field=field,
            index_config=gcp.firestore.FieldIndexConfigArgs(),
            ttl_config=gcp.firestore.FieldTtlConfigArgs() if expires else None,
            opts=stage.child(self, goes_with=database),
        )
        return made

    def _indexes(self, stage: Stage) -> Iterator[pulumi.Resource]:
        for index in stage.topology.indexes:
            for domain, database in self.databases.items():
                if index.collection not in stage.topology.within(domain):
                    continue
                yield gcp.firestore.Index(
                    "-".join((domain, index.collection, *index.fields)),
                    database=database.name,
                    collection=index.collection,
                    fields=[
                        gcp.firestore.IndexFieldArgs(field_path=f"fields.{one}", order="ASCENDING")
                        for one in index.fields
                    ],
                    opts=stage.child(self, goes_with=database),
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
