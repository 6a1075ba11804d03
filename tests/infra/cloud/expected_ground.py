"""Rows: services, agents, accounts and keys, the trail, the database, the secrets, and where the code lies."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from pulumi import FileAsset

from shared.gcp.encoding import EXPIRES, UNINDEXED
from shared.stored import Domain
from tests.infra.cloud.facts import Cloud, Must, Thing, dashed

SERVICES = (
    "artifactregistry", "billingbudgets", "cloudbuild", "cloudfunctions", "cloudresourcemanager", "cloudscheduler",
    "firestore", "iam", "logging", "monitoring", "pubsub", "run", "secretmanager", "serviceusage", "storage",
)  # fmt: skip
A_DAY, FOUR_WEEKS, A_QUARTER = "86400s", "2419200s", "7776000s"


def rows(cloud: Cloud) -> Iterator[Thing]:
    """Give what everything else rests on."""
    yield from _foundation(cloud)
    yield from _keys(cloud)
    yield from _trail(cloud)
    yield from _databases(cloud)
    yield from _secrets(cloud)
    yield from _code(cloud)


def _foundation(cloud: Cloud) -> Iterator[Thing]:
    for service in (*SERVICES, *(["cloudkms"] if cloud.key else [])):
        api = f"{service}.googleapis.com"
        yield Thing("projects/service:Service", service, {"service": api, "disableOnDestroy": False})
    for agent in ("cloudscheduler", "pubsub", *(["firestore", "secretmanager"] if cloud.key else [])):
        inputs = {"service": f"{agent}.googleapis.com", "project": cloud.project}
        yield Thing("projects/serviceIdentity:ServiceIdentity", f"agent-{agent}", inputs)
    accounts = {"build-functions": "builds the functions' images"}
    for one in cloud.topology.functions:
        accounts[f"run-{dashed(one)}"] = f"runs {one.name}"
        if one.subscriptions:
            accounts[f"push-{dashed(one)}"] = f"pushes messages to {one.name}"
    for account, told in accounts.items():
        yield Thing("serviceaccount/account:Account", account, {"accountId": account, "displayName": told})


def _keys(cloud: Cloud) -> Iterator[Thing]:
    if cloud.key:
        ring = {"name": f"desk-{cloud.generation}", "location": cloud.region}
        yield Thing("kms/keyRing:KeyRing", "keys", ring)
        key = {"name": "desk", "keyRing": cloud.id_of("keys"), "rotationPeriod": A_QUARTER}
        yield Thing("kms/cryptoKey:CryptoKey", "key", key, kept=cloud.protected)


def _trail(cloud: Cloud) -> Iterator[Thing]:
    kinds = [{"logType": kind} for kind in ("ADMIN_READ", "DATA_READ", "DATA_WRITE")]
    yield Thing(
        "projects/iAMAuditConfig:IAMAuditConfig", "secrets-are-watched",
        {"project": cloud.project, "service": "secretmanager.googleapis.com", "auditLogConfigs": kinds},
    )  # fmt: skip
    left_out = {"name": "verifiers-of-the-sign-in", "filter": sent_back(cloud)}
    told = "The address to which E*TRADE sends the owner back holds a verifier."
    yield Thing("logging/projectExclusion:ProjectExclusion", "verifiers-are-not-kept", left_out | {"description": told})
    if not cloud.protected:
        return
    bucket = {
        "project": cloud.project, "location": cloud.region, "bucketId": f"trail-{cloud.generation}",
        "retentionDays": int(cloud.given("trailDays", "365")), "description": "what the system did",
    }  # fmt: skip
    yield Thing("logging/projectBucketConfig:ProjectBucketConfig", "trail", bucket, kept=True)
    services = " OR ".join(f'"{dashed(one)}"' for one in cloud.topology.functions)
    sink = {
        "name": "trail",
        "destination": f"logging.googleapis.com/{cloud.id_of('trail')}",
        "filter": f'(resource.type="cloud_run_revision" AND resource.labels.service_name=({services}))'
        ' OR logName:"cloudaudit.googleapis.com"',
        "exclusions": [left_out],
        "uniqueWriterIdentity": True,
    }
    yield Thing("logging/projectSink:ProjectSink", "to-the-trail", sink)


def sent_back(cloud: Cloud) -> str:
    """Give the filter of Google's lines about requests to the callback address."""
    return (
        f'resource.type="cloud_run_revision" AND resource.labels.service_name=("{dashed(cloud.page)}")'
        ' AND logName:"run.googleapis.com%2Frequests" AND httpRequest.requestUrl=~"^https://[^/?#]+/callback/?([?#]|$)"'
    )


def _databases(cloud: Cloud) -> Iterator[Thing]:
    homes = {one.home for one in cloud.topology.functions}
    for domain in Domain:
        collections = [
            name for name, one in cloud.topology.collections.items()
            if one.domain is domain or (one.domain is None and domain in homes)
        ]  # fmt: skip
        yield from _database(cloud, domain, collections)


def _database(cloud: Cloud, domain: Domain, collections: Sequence[str]) -> Iterator[Thing]:
    name, here = f"desk-{cloud.generation}-{domain}", f"firestore/database:Database::{domain}"
    recovered = domain in (Domain.BOOK, Domain.OWNER)
    inputs: dict[str, Any] = {
        "name": name, "type": "FIRESTORE_NATIVE", "locationId": cloud.region,
        "pointInTimeRecoveryEnablement": f"POINT_IN_TIME_RECOVERY_{'ENABLED' if recovered else 'DISABLED'}",
        "deleteProtectionState": f"DELETE_PROTECTION_{'ENABLED' if cloud.protected else 'DISABLED'}",
        "deletionPolicy": "DELETE", "cmekConfig": {"kmsKeyName": cloud.key} if cloud.key else None,
    }  # fmt: skip
    yield Thing("firestore/database:Database", domain, inputs, kept=cloud.protected)
    if cloud.protected and recovered:
        backup = {"database": name, "retention": FOUR_WEEKS, "dailyRecurrence": {}}
        yield Thing("firestore/backupSchedule:BackupSchedule", f"{domain}-each-day", backup, goes_with=here)
    ends = [(one, EXPIRES) for one in collections if one in cloud.topology.lifetimes]
    for collection, field in [*((one, field) for one in collections for field in UNINDEXED), *ends]:
        inputs = {
            "database": name, "collection": collection, "field": field, "indexConfig": {},
            "ttlConfig": {} if field == EXPIRES else None,
        }  # fmt: skip
        yield Thing("firestore/field:Field", f"{domain}-{collection}-{field}", inputs, goes_with=here)
    for index in cloud.topology.indexes:
        if index.collection in collections:
            over = [{"fieldPath": f"fields.{one}", "order": "ASCENDING"} for one in index.fields]
            made = {"database": name, "collection": index.collection, "fields": over}
            called = "-".join((domain, index.collection, *index.fields))
            yield Thing("firestore/index:Index", called, made, goes_with=here)


def _secrets(cloud: Cloud) -> Iterator[Thing]:
    kept_with = {"kmsKeyName": cloud.key} if cloud.key else None
    place = {"userManaged": {"replicas": [{"location": cloud.region, "customerManagedEncryption": kept_with}]}}
    for name in cloud.topology.secrets:
        yield Thing("secretmanager/secret:Secret", name, {"secretId": name, "replication": place}, kept=cloud.protected)


def _code(cloud: Cloud) -> Iterator[Thing]:
    bucket = {
        "name": f"{cloud.project}-source", "location": cloud.region.upper(), "uniformBucketLevelAccess": True,
        "publicAccessPrevention": "enforced", "forceDestroy": True,
    }  # fmt: skip
    yield Thing("storage/bucket:Bucket", "source", bucket)
    for function, archive in cloud.archives.items():
        file = Must(be=f"the file of {archive}", holds=partial(_holds, archive))
        inputs = {
            "name": f"functions/{archive}", "bucket": bucket["name"], "source": file, "contentType": "application/zip",
        }  # fmt: skip
        yield Thing("storage/bucketObject:BucketObject", f"archive-{function}", inputs, stays=True)
    keep = {"id": "keep-the-last", "action": "KEEP", "mostRecentVersions": {"keepCount": 3}}
    others = {"id": "delete-others", "action": "DELETE", "condition": {"tagState": "ANY", "olderThan": A_DAY}}
    images = {
        "repositoryId": "images", "location": cloud.region, "format": "DOCKER",
        "description": "the functions' images", "cleanupPolicies": [keep, others],
    }  # fmt: skip
    yield Thing("artifactregistry/repository:Repository", "images", images)


def _holds(archive: str, found: object) -> bool:
    return isinstance(found, FileAsset) and str(found.path).endswith(f"/{archive}")
