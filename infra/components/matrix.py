"""The permission matrix: every right that Google is asked to grant, derived from the topology.

The program grants exactly these, one member at a time (no binding that would remove what others granted). A role is
the smallest predefined one whose permissions the adapter of the right needs:

    publish      roles/pubsub.publisher on the topic
    READ         roles/secretmanager.secretAccessor on the secret, and to find the newest version, which is listed and
                 never asked for as `latest`, roles/secretmanager.viewer on the secret
    CREATE       roles/secretmanager.secretVersionAdder on the secret, and nothing else: who may not READ lists nothing
                 (a lost answer may leave a version twice), who may lists before adding, so that it does not
    WRITE        roles/secretmanager.secretVersionManager on the secret, which adds, lists, disables and destroys, so
                 that neither of the two before is needed beside it
    collections  for each trust domain in which the function has one, under the condition that it is that domain's
                 database: roles/datastore.user in its home, roles/datastore.viewer elsewhere. Google knows no rights
                 per collection, those are enforced by our Store (shared/guard.py)

Custom roles would be tighter by a few permissions that only read names; Google keeps their ids after deletion.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from infra.components.names import BUILD_ACCOUNT, DEAD_LETTERS, dashed, subscription
from shared.topology import Function, Right, Topology

DATABASE_ONLY = 'resource.name == "projects/{project}/databases/{database}"'
ARCHIVES_ONLY = (
    'resource.name.startsWith("projects/_/buckets/gcf-v2-sources-{project_number}-{region}/objects/")'
    ' || resource.name == "projects/_/buckets/gcf-v2-sources-{project_number}-{region}"'
)
SOURCE, IMAGES, KEY = "source", "images", "desk"


class Kind(Enum):
    """Who may hold a right."""

    FUNCTION = "function"
    PUSH = "push to"
    BUILD = "build"
    AGENT = "Google's agent"
    ANYBODY = "anybody"


class Place(Enum):
    """What a right is granted on."""

    PROJECT = "project"
    DATABASE = "database"
    TOPIC = "topic"
    SUBSCRIPTION = "subscription"
    SECRET = "secret"  # noqa: S105 - a kind of resource
    SERVICE = "service"
    ACCOUNT = "account"
    BUCKET = "bucket"
    REPOSITORY = "repository"
    KEY = "key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """One holder: a function, its pushing account, an agent, by the name that the topology or Google gives it."""

    kind: Kind
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind.value} {self.name}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One right of one holder on one thing; `condition` narrows it further."""

    who: Who
    role: str
    place: Place
    on: str = ""
    condition: str = ""

    @property
    def key(self) -> str:
        """A name that no other grant has."""
        parts = (self.who.kind.name.lower(), self.who.name, self.place.name.lower(), self.on, self.role.split("/")[1])
        return "-".join(dashed(part) for part in parts if part)


ANYBODY = Who(kind=Kind.ANYBODY)
BUILD = Who(kind=Kind.BUILD, name=BUILD_ACCOUNT)
PUBSUB, SCHEDULER = (Who(kind=Kind.AGENT, name=name) for name in ("pubsub", "cloudscheduler"))
KEY_USERS = tuple(Who(kind=Kind.AGENT, name=name) for name in ("pubsub", "secretmanager", "firestore"))


def matrix(topology: Topology, *, has_owner: bool, customer_keys: bool) -> tuple[Grant, ...]:
    """Give every grant of a stack."""
    grants = [
        *_build(),
        *(grant for function in topology.functions for grant in _function(topology, function, has_owner=has_owner)),
        *_messages(topology),
    ]
    if customer_keys:
        role = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
        grants += [Grant(who=agent, role=role, place=Place.KEY, on=KEY) for agent in KEY_USERS]
    return tuple(grants)


def secret_roles(rights: Right) -> tuple[str, ...]:
    """Give the roles that make up rights on a secret; see above."""
    roles = ["secretAccessor"] if Right.READ in rights else []
    if Right.WRITE in rights:
        roles.append("secretVersionManager")
    else:
        roles += ["secretVersionAdder"] if Right.CREATE in rights else []
        roles += ["viewer"] if Right.READ in rights else []
    return tuple(f"roles/secretmanager.{role}" for role in roles)


def _build() -> Iterator[Grant]:
    """A new project's default build account has no rights, and this one has no others."""
    yield Grant(who=BUILD, role="roles/logging.logWriter", place=Place.PROJECT)
    # Google builds from a copy of the archive, in a bucket that it makes itself at the first deployment.
    yield Grant(who=BUILD, role="roles/storage.objectViewer", place=Place.PROJECT, condition=ARCHIVES_ONLY)
    yield Grant(who=BUILD, role="roles/storage.objectViewer", place=Place.BUCKET, on=SOURCE)
    yield Grant(who=BUILD, role="roles/artifactregistry.writer", place=Place.REPOSITORY, on=IMAGES)


def _function(topology: Topology, function: Function, *, has_owner: bool) -> Iterator[Grant]:
    who = Who(kind=Kind.FUNCTION, name=function.name)
    for domain, writes in topology.access(function).items():
        role = "roles/datastore.user" if writes else "roles/datastore.viewer"
        yield Grant(who=who, role=role, place=Place.DATABASE, on=domain, condition=DATABASE_ONLY)
    for topic in sorted(function.publishes):
        yield Grant(who=who, role="roles/pubsub.publisher", place=Place.TOPIC, on=topic)
    for secret, rights in sorted(function.secrets.items()):
        for role in secret_roles(rights):
            yield Grant(who=who, role=role, place=Place.SECRET, on=secret)
    invokes = "roles/run.invoker"
    if function.subscriptions:
        push = Who(kind=Kind.PUSH, name=function.name)
        yield Grant(who=push, role=invokes, place=Place.SERVICE, on=function.name)
        token = "roles/iam.serviceAccountOpenIdTokenCreator"  # noqa: S105 - a role
        yield Grant(who=PUBSUB, role=token, place=Place.ACCOUNT, on=function.name)
    if function.public and has_owner:
        yield Grant(who=ANYBODY, role=invokes, place=Place.SERVICE, on=function.name)


def _messages(topology: Topology) -> Iterator[Grant]:
    for topic in sorted({schedule.topic for schedule in topology.schedules}):
        yield Grant(who=SCHEDULER, role="roles/pubsub.publisher", place=Place.TOPIC, on=topic)
    subscriptions = [(one.topic, function.name) for function in topology.functions for one in function.subscriptions]
    if subscriptions:
        yield Grant(who=PUBSUB, role="roles/pubsub.publisher", place=Place.TOPIC, on=DEAD_LETTERS)
    for topic, function in subscriptions:
        yield Grant(
            who=PUBSUB, role="roles/pubsub.subscriber", place=Place.SUBSCRIPTION, on=subscription(topic, function)
        )
