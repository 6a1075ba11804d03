"""Rows: who may do what on what, one grant each."""

from collections.abc import Iterator, Mapping

from shared.topology import Function, Right
from tests.infra.cloud.facts import Cloud, Thing, dashed

R, C, W = Right.READ, Right.CREATE, Right.WRITE
ON_A_SECRET = {
    R: ("secretAccessor", "viewer"),
    C: ("secretVersionAdder",),
    R | C: ("secretAccessor", "secretVersionAdder", "viewer"),
    R | W: ("secretAccessor", "secretVersionManager"),
    R | C | W: ("secretAccessor", "secretVersionManager"),
}
"""The roles on a secret of each combination of rights that a topology has."""

TYPES = {
    "project": "projects/iAMMember:IAMMember",
    "database": "projects/iAMMember:IAMMember",
    "topic": "pubsub/topicIAMMember:TopicIAMMember",
    "subscription": "pubsub/subscriptionIAMMember:SubscriptionIAMMember",
    "secret": "secretmanager/secretIamMember:SecretIamMember",
    "service": "cloudrunv2/serviceIamMember:ServiceIamMember",
    "account": "serviceaccount/iAMMember:IAMMember",
    "bucket": "storage/bucketIAMMember:BucketIAMMember",
    "repository": "artifactregistry/repositoryIamMember:RepositoryIamMember",
    "key": "kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
}


def rows(cloud: Cloud) -> Iterator[Thing]:
    """Give every grant, named by holder, place and role."""
    copies = f"projects/_/buckets/gcf-v2-sources-{cloud.number}-{cloud.region}"
    archives = f'resource.name.startsWith("{copies}/objects/") || resource.name == "{copies}"'
    yield _grant(cloud, "build build-functions", "logging.logWriter", "project")
    yield _grant(cloud, "build build-functions", "storage.objectViewer", "project", only=archives)
    yield _grant(cloud, "build build-functions", "storage.objectViewer", "bucket source")
    yield _grant(cloud, "build build-functions", "artifactregistry.writer", "repository images")
    for function in cloud.topology.functions:
        yield from _of_function(cloud, function)
    for topic in sorted({one.topic for one in cloud.topology.schedules}):
        yield _grant(cloud, "agent cloudscheduler", "pubsub.publisher", f"topic {topic}")
    yield _grant(cloud, "agent pubsub", "pubsub.publisher", "topic dead-letters")
    for agent in ("firestore", "pubsub", "secretmanager") if cloud.key else ():
        yield _grant(cloud, f"agent {agent}", "cloudkms.cryptoKeyEncrypterDecrypter", "key desk")


def _of_function(cloud: Cloud, function: Function) -> Iterator[Thing]:
    name, invoker = dashed(function), "run.invoker"
    for domain, role in _databases(cloud, function).items():
        database = f'resource.name == "projects/{cloud.project}/databases/desk-{cloud.generation}-{domain}"'
        yield _grant(cloud, f"function {name}", f"datastore.{role}", f"database {domain}", only=database)
    for topic in function.publishes:
        yield _grant(cloud, f"function {name}", "pubsub.publisher", f"topic {topic}")
    for secret, rights in function.secrets.items():
        for role in ON_A_SECRET[rights]:
            yield _grant(cloud, f"function {name}", f"secretmanager.{role}", f"secret {secret}")
    if function.subscriptions:
        yield _grant(cloud, f"push {name}", invoker, f"service {name}")
        yield _grant(cloud, "agent pubsub", "iam.serviceAccountOpenIdTokenCreator", f"account {name}")
    for one in function.subscriptions:
        yield _grant(cloud, "agent pubsub", "pubsub.subscriber", f"subscription {one.topic}-to-{name}")
    if function.public and cloud.owner:
        yield _grant(cloud, "anybody", invoker, f"service {name}")


def _databases(cloud: Cloud, function: Function) -> Mapping[str, str]:
    """Give the role in each database of which a function uses a collection: `user` in its home, else `viewer`."""
    places = {cloud.topology.collections[one].domain or function.home for one in function.collections}
    return {place: "user" if place is function.home else "viewer" for place in places}


def _grant(cloud: Cloud, who: str, role: str, place: str, only: str = "") -> Thing:
    """Give a grant to a holder on a place, both by kind and name; `only` is the condition that narrows it."""
    kind, _, on = place.partition(" ")
    key = "-".join((*who.split(), *place.split(), role))
    condition = {"title": key, "expression": only} if only else None
    inputs = {"role": f"roles/{role}", "member": _member(cloud, who), "condition": condition}
    return Thing(TYPES[kind], key, {**inputs, **_target(cloud, kind, on)})


def _member(cloud: Cloud, who: str) -> str:
    match who.split():
        case ["anybody"]:
            return "allUsers"
        case ["agent", name]:
            return f"serviceAccount:service-{cloud.number}@gcp-sa-{name}.iam.gserviceaccount.com"
        case ["function", name]:
            return f"serviceAccount:{cloud.email(f'run-{name}')}"
        case ["push", name]:
            return f"serviceAccount:{cloud.email(f'push-{name}')}"
        case _:
            return f"serviceAccount:{cloud.email('build-functions')}"


def _target(cloud: Cloud, kind: str, on: str) -> Mapping[str, str]:
    inputs: dict[str, dict[str, str]] = {
        "project": {"project": cloud.project},
        "database": {"project": cloud.project},
        "topic": {"topic": on},
        "subscription": {"subscription": on},
        "secret": {"secretId": on},
        "service": {"name": on, "location": cloud.region},
        "account": {"serviceAccountId": cloud.account(f"push-{on}")},
        "bucket": {"bucket": f"{cloud.project}-{on}"},
        "repository": {"repository": on, "location": cloud.region},
        "key": {"cryptoKeyId": cloud.key or ""},
    }
    return inputs[kind]
