"""What each kind of resource is at Google when a `cloud-up` was killed while it was made: known, made again, or twice.

The engine writes down what it is about to make, and what it got once it has it. Killed between the two, it knows what
was meant and not whether it is there. Every kind that the program makes stands in exactly one of four tables:

    ADOPTED   a second one of that name is refused: taken in by the id that Google's package documents for an import,
              written from the resource's own inputs
    FOUND     a second one is refused too, but Google draws the id: taken in by what a list of Google's says
    REPEATED  to make it again changes nothing: members of a grant, switches, and what is written whole each time
    DRAWN     Google draws the name and takes a second one: made again, and perhaps there twice

Plain data, and nothing of Pulumi: what mends a stack runs before the packages of the program are installed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ADOPTED: Mapping[str, str] = {
    "gcp:artifactregistry/repository:Repository": "projects/{project}/locations/{location}/repositories/{repositoryId}",
    "gcp:cloudfunctionsv2/function:Function": "projects/{project}/locations/{location}/functions/{name}",
    "gcp:cloudscheduler/job:Job": "projects/{project}/locations/{region}/jobs/{name}",
    "gcp:firestore/database:Database": "projects/{project}/databases/{name}",
    "gcp:kms/cryptoKey:CryptoKey": "{keyRing}/cryptoKeys/{name}",
    "gcp:kms/keyRing:KeyRing": "projects/{project}/locations/{location}/keyRings/{name}",
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": "projects/{project}/locations/{location}/buckets/{bucketId}",
    "gcp:logging/projectExclusion:ProjectExclusion": "projects/{project}/exclusions/{name}",
    "gcp:logging/projectSink:ProjectSink": "projects/{project}/sinks/{name}",
    "gcp:pubsub/subscription:Subscription": "projects/{project}/subscriptions/{name}",
    "gcp:pubsub/topic:Topic": "projects/{project}/topics/{name}",
    "gcp:secretmanager/secret:Secret": "projects/{project}/secrets/{secretId}",
    "gcp:serviceaccount/account:Account": (
        "projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com"
    ),
    "gcp:storage/bucket:Bucket": "{project}/{name}",
}

INDEX, BACKUPS = "gcp:firestore/index:Index", "gcp:firestore/backupSchedule:BackupSchedule"
FOUND: Mapping[str, tuple[str, ...]] = {
    INDEX: ("firestore", "indexes", "composite", "list"),
    BACKUPS: ("firestore", "backups", "schedules", "list"),
}
"""With the words of Google's command that lists what a database has of the kind."""

REPEATED = frozenset({
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember",
    "gcp:cloudrunv2/serviceIamMember:ServiceIamMember",
    "gcp:firestore/field:Field",
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
    "gcp:projects/iAMAuditConfig:IAMAuditConfig",
    "gcp:projects/iAMMember:IAMMember",
    "gcp:projects/service:Service",
    "gcp:projects/serviceIdentity:ServiceIdentity",
    "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember",
    "gcp:pubsub/topicIAMMember:TopicIAMMember",
    "gcp:secretmanager/secretIamMember:SecretIamMember",
    "gcp:serviceaccount/iAMMember:IAMMember",
    "gcp:storage/bucketIAMMember:BucketIAMMember",
    "gcp:storage/bucketObject:BucketObject",
})  # fmt: skip

DRAWN: Mapping[str, str] = {
    "gcp:billing/budget:Budget": "Billing > Budgets & alerts",
    "gcp:monitoring/alertPolicy:AlertPolicy": "Monitoring > Alerting > Policies",
    "gcp:monitoring/dashboard:Dashboard": "Monitoring > Dashboards",
    "gcp:monitoring/notificationChannel:NotificationChannel": "Monitoring > Alerting > Notification channels",
    "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig": "Monitoring > Uptime checks",
}
"""With the page of Google's console that lists them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What finds a resource whose id Google draws: the words for `gcloud`, and what the wanted one is like."""

    words: tuple[str, ...]
    typ: str
    inputs: Mapping[str, Any]

    def ids(self, listed: Sequence[Mapping[str, Any]]) -> list[str]:
        """Give the ids of those in Google's list that are like the wanted one: one, none, or several."""
        like = _same_index if self.typ == INDEX else _same_schedule
        return [str(one["name"]) for one in listed if like(self.inputs, one)]


def import_id(typ: str, inputs: Mapping[str, Any], project: str) -> str:
    """Write the id by which Pulumi takes in a kind of ADOPTED; raises KeyError naming an input that is not there."""
    return ADOPTED[typ].format_map(_given(inputs, project))


def listing(typ: str, inputs: Mapping[str, Any], project: str) -> Listing:
    """Give what finds a kind of FOUND; raises KeyError naming an input that is not there."""
    given = _given(inputs, project)
    words = (*FOUND[typ], f"--database={given['database']}", f"--project={given['project']}", "--format=json")
    return Listing(words=words, typ=typ, inputs=inputs)


def _given(inputs: Mapping[str, Any], project: str) -> Mapping[str, Any]:
    """Give the inputs with the project that the provider adds, where that is known."""
    return {"project": project, **inputs} if project else inputs


def _same_index(inputs: Mapping[str, Any], listed: Mapping[str, Any]) -> bool:
    """Tell whether Google's is the index over the same fields; it names the document's name as a last one."""
    wanted = [(one["fieldPath"], one.get("order")) for one in inputs["fields"]]
    there = [(one["fieldPath"], one.get("order")) for one in listed["fields"] if one["fieldPath"] != "__name__"]
    return f"/collectionGroups/{inputs['collection']}/indexes/" in listed["name"] and wanted == there


def _same_schedule(inputs: Mapping[str, Any], listed: Mapping[str, Any]) -> bool:
    """Tell whether Google's recurs as often: a database has one daily schedule and one weekly."""
    return ("dailyRecurrence" in inputs) == ("dailyRecurrence" in listed)
