"""What is granted is exactly what the topology says, and every way of granting more is caught."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from infra.components.matrix import secret_roles
from shared.topology import ACCESS_TOKEN, TOPOLOGY, Right
from tests.infra.cloud.capture import Graph, Registered

STACKS = ("sandbox", "production", "keys")
PROJECT, NUMBER = "example-project", "123456789012"
# What a grant is on: the input of each kind of grant that names it.
ON = {
    "gcp:projects/iAMMember:IAMMember": "project",
    "gcp:pubsub/topicIAMMember:TopicIAMMember": "topic",
    "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember": "subscription",
    "gcp:secretmanager/secretIamMember:SecretIamMember": "secretId",
    "gcp:cloudrunv2/serviceIamMember:ServiceIamMember": "name",
    "gcp:serviceaccount/iAMMember:IAMMember": "serviceAccountId",
    "gcp:storage/bucketIAMMember:BucketIAMMember": "bucket",
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": "repository",
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": "cryptoKeyId",
}
# The permissions that the adapters use, of each role that may appear; from Google's own list of roles.
PERMISSIONS = {
    "secretAccessor": {"access"},
    "viewer": {"get", "list"},
    "secretVersionAdder": {"add"},
    "secretVersionManager": {"add", "destroy", "disable", "enable", "get", "list"},
}
NEEDED = {
    Right.READ: {"access", "list"},
    Right.CREATE: {"add", "list"},
    Right.WRITE: {"disable", "destroy"},
}

Grant = tuple[str, str, str, str]


def granted(graph: Graph) -> set[Grant]:
    """Give every grant of a graph: who, role, on what, and under which condition."""
    return {
        (
            one.inputs["member"],
            one.inputs["role"],
            f"{one.typ.split('/')[0].removeprefix('gcp:')} {one.inputs[ON[one.typ]]}",
            one.inputs.get("condition", {}).get("expression", ""),
        )
        for one in graph.custom
        if one.typ in ON
    }


def expected(*, keys: bool) -> set[Grant]:
    """Derive the same from the topology, without the program's own matrix."""
    build, host = f"serviceAccount:build-functions@{PROJECT}.iam.gserviceaccount.com", f"{NUMBER}-us-east4"
    copies = f"projects/_/buckets/gcf-v2-sources-{host}"
    ours = f'resource.name.startsWith("{copies}/objects/") || resource.name == "{copies}"'
    pubsub, scheduler = (f"serviceAccount:{_agent(name)}" for name in ("pubsub", "cloudscheduler"))
    found: set[Grant] = {
        (build, "roles/logging.logWriter", f"projects {PROJECT}", ""),
        (build, "roles/storage.objectViewer", f"projects {PROJECT}", ours),
        (build, "roles/storage.objectViewer", f"storage {PROJECT}-source", ""),
        (build, "roles/artifactregistry.writer", "artifactregistry images", ""),
        ("allUsers", "roles/run.invoker", "cloudrunv2 oauth-callback", ""),
        (pubsub, "roles/pubsub.publisher", "pubsub dead-letters", ""),
    }
    found |= {(scheduler, "roles/pubsub.publisher", f"pubsub {one.topic}", "") for one in TOPOLOGY.schedules}
    database = f'resource.name == "projects/{PROJECT}/databases/desk-1"'
    for function in TOPOLOGY.functions:
        dashed = function.name.replace("_", "-")
        who, push = (f"serviceAccount:{kind}-{dashed}@{PROJECT}.iam.gserviceaccount.com" for kind in ("run", "push"))
        found.add((who, "roles/datastore.user", f"projects {PROJECT}", database))
        found |= {(who, "roles/pubsub.publisher", f"pubsub {topic}", "") for topic in function.publishes}
        found |= {
            (who, f"roles/secretmanager.{role}", f"secretmanager {secret}", "")
            for secret, rights in function.secrets.items()
            for role in _roles(rights)
        }
        if function.subscriptions:
            account = f"projects/{PROJECT}/serviceAccounts/{push.partition(':')[2]}"
            found.add((push, "roles/run.invoker", f"cloudrunv2 {dashed}", ""))
            found.add((pubsub, "roles/iam.serviceAccountOpenIdTokenCreator", f"serviceaccount {account}", ""))
        found |= {
            (pubsub, "roles/pubsub.subscriber", f"pubsub {one.topic}-to-{dashed}", "") for one in function.subscriptions
        }
    if keys:
        role = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
        agents = ("pubsub", "secretmanager", "firestore")
        found |= {(f"serviceAccount:{_agent(one)}", role, f"kms projects/{PROJECT}/key", "") for one in agents}
    return found


def _agent(name: str) -> str:
    return f"service-{NUMBER}@gcp-sa-{name}.iam.gserviceaccount.com"


def _roles(rights: Right) -> set[str]:
    """Spell out the roles of the combinations that the topology uses."""
    return {
        Right.READ: {"secretAccessor", "viewer"},
        Right.READ | Right.WRITE: {"secretAccessor", "secretVersionManager"},
        Right.READ | Right.CREATE | Right.WRITE: {"secretAccessor", "secretVersionManager"},
    }[rights]


def breaches(graph: Graph) -> list[str]:
    """Name every grant that no stack may ever hold, whatever its topology says."""
    found = []
    for one in graph.custom:
        kind, inputs = one.typ.rpartition(":")[2], one.inputs
        role, member = inputs.get("role", ""), inputs.get("member", "")
        if kind.endswith(("Binding", "Policy")) and kind != "AlertPolicy":
            found.append(f"{one.name} replaces what others granted")
        if kind == "Key":
            found.append(f"{one.name} is a key of an account")
        if role in ("roles/owner", "roles/editor", "roles/viewer") or role.endswith("dmin"):
            found.append(f"{one.name} grants {role}")
        if member in ("allUsers", "allAuthenticatedUsers") and inputs.get("name") != "oauth-callback":
            found.append(f"{one.name} lets anybody in")
        if one.typ == "gcp:projects/iAMMember:IAMMember" and not (
            inputs.get("condition") or role == "roles/logging.logWriter"
        ):
            found.append(f"{one.name} grants {role} on the whole project")
        if "secret" in role.lower() and "secretId" not in inputs:
            found.append(f"{one.name} grants {role} on every secret")
    return found


@pytest.mark.parametrize("stack", STACKS)
def test_exactly_the_matrix_is_granted(graphs: Mapping[str, Graph], stack: str) -> None:
    """A stack grants what follows from the topology, no less and no more, each once."""
    graph = graphs[stack]
    assert granted(graph) == expected(keys=stack == "keys")
    assert sum(one.typ in ON for one in graph.custom) == len(granted(graph))
    assert not [one.name for one in graph.custom if "iam" in one.typ.lower() and one.typ not in ON and not _audits(one)]
    assert breaches(graph) == []


def _audits(one: Registered) -> bool:
    return one.typ == "gcp:projects/iAMAuditConfig:IAMAuditConfig"


def _grant(typ: str, **inputs: Any) -> Callable[[Graph], Graph]:
    """Give what adds one grant to a graph."""

    def add(graph: Graph) -> Graph:
        model = graph.custom[0]
        seeded = replace(model, urn="seeded", typ=typ, name="seeded", inputs=inputs)
        return Graph(resources={**graph.resources, "seeded": seeded}, outputs=graph.outputs)

    return add


ROBOT = f"serviceAccount:run-market-scan@{PROJECT}.iam.gserviceaccount.com"
TOPIC, SECRET, SERVICE, WHOLE = (
    "gcp:pubsub/topicIAMMember:TopicIAMMember",
    "gcp:secretmanager/secretIamMember:SecretIamMember",
    "gcp:cloudrunv2/serviceIamMember:ServiceIamMember",
    "gcp:projects/iAMMember:IAMMember",
)


@pytest.mark.parametrize(
    "seed",
    [
        _grant(WHOLE, project=PROJECT, member=ROBOT, role="roles/editor", condition={"expression": "true"}),
        _grant(WHOLE, project=PROJECT, member=ROBOT, role="roles/datastore.user"),
        _grant(WHOLE, project=PROJECT, member=ROBOT, role="roles/secretmanager.secretAccessor", condition={"a": "b"}),
        _grant(SECRET, secretId=ACCESS_TOKEN, member=ROBOT, role="roles/secretmanager.admin"),
        _grant(SERVICE, name="market-scan", member="allUsers", role="roles/run.invoker"),
        _grant("gcp:secretmanager/secretIamBinding:SecretIamBinding", secretId=ACCESS_TOKEN, role="roles/x"),
        _grant("gcp:projects/iAMPolicy:IAMPolicy", project=PROJECT),
        _grant("gcp:serviceaccount/key:Key", serviceAccountId="x"),
    ],
)
def test_a_seeded_breach_is_found(graphs: Mapping[str, Graph], seed: Callable[[Graph], Graph]) -> None:
    """A wide role, the whole project, anybody, a binding, a policy or an account's key is named."""
    assert breaches(seed(graphs["sandbox"]))


@pytest.mark.parametrize(
    "seed",
    [
        _grant(SECRET, secretId=ACCESS_TOKEN, member=ROBOT, role="roles/secretmanager.secretVersionAdder"),
        _grant(TOPIC, topic="orders-placed", member=ROBOT, role="roles/pubsub.publisher"),
        _grant(SERVICE, name="order-placement", member=ROBOT, role="roles/run.invoker"),
    ],
)  # fmt: skip
def test_a_seeded_extra_right_is_found(graphs: Mapping[str, Graph], seed: Callable[[Graph], Graph]) -> None:
    """A right that looks harmless and that the topology does not give makes the sets differ."""
    assert granted(seed(graphs["sandbox"])) != expected(keys=False)


def test_a_seeded_missing_right_is_found(graphs: Mapping[str, Graph]) -> None:
    """Each single grant that is taken away makes the sets differ."""
    graph = graphs["sandbox"]
    whole = expected(keys=False)
    for victim in [one for one in graph.custom if one.typ in ON]:
        rest = {urn: one for urn, one in graph.resources.items() if one is not victim}
        assert granted(Graph(resources=rest, outputs={})) != whole


@pytest.mark.parametrize("rights", [Right(bits) for bits in range(1, 8)])
def test_secret_roles_give_what_the_vault_needs(rights: Right) -> None:
    """For every combination of rights the roles hold what the vault's calls need, and none could be left out."""
    needed = set().union(*(NEEDED[one] for one in Right if one in rights))
    roles = [PERMISSIONS[role.rpartition(".")[2]] for role in secret_roles(rights)]
    assert needed <= set().union(*roles)
    for left_out in range(len(roles)):
        assert not needed <= set().union(*(roles[:left_out] + roles[left_out + 1 :]), set())


def test_without_an_owner_the_sign_in_is_closed(graphs: Mapping[str, Graph]) -> None:
    """Anybody may call exactly one service, and only where the owner's identity is configured."""
    everybody = {
        stack: [one.inputs["name"] for one in graph.custom if one.inputs.get("member") == "allUsers"]
        for stack, graph in graphs.items()
    }
    open_one = ["oauth-callback"]
    assert everybody == {"sandbox": open_one, "production": open_one, "keys": open_one, "closed": []}
    assert not graphs["closed"].of("UptimeCheckConfig")


def test_every_account_is_used_and_none_is_shared(graphs: Mapping[str, Graph]) -> None:
    """Each function runs as an account of its own, none as Google's default, and every account belongs to something."""
    graph = graphs["sandbox"]
    running = [one.inputs["serviceConfig"]["serviceAccountEmail"] for one in graph.of("Function")]
    pushing = {one.inputs["pushConfig"]["oidcToken"]["serviceAccountEmail"] for one in graph.of("Subscription")
               if "pushConfig" in one.inputs}  # fmt: skip
    building = {one.inputs["buildConfig"]["serviceAccount"].rpartition("/")[2] for one in graph.of("Function")}
    assert len(set(running)) == len(running) == len(TOPOLOGY.functions)
    made = {f"{one.inputs['accountId']}@{PROJECT}.iam.gserviceaccount.com" for one in graph.of("Account")}
    assert made == set(running) | pushing | building
    assert len(building) == 1
