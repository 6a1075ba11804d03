"""No stack grants what none may, and a role holds just what is needed; what is granted at all is in expected_grants."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from infra.components.matrix import secret_roles
from shared.stored import Domain, database
from shared.topology import ACCESS_TOKEN, TOPOLOGY, Right
from tests.infra.cloud.capture import Graph
from tests.infra.cloud.test_seeded import GONE, seeded

STACKS = ("sandbox", "production", "keys")
PROJECT = "example-project"
# The permissions that the adapters use, of each role that may appear; from Google's own list of roles.
PERMISSIONS = {
    "secretAccessor": {"access"},
    "viewer": {"get", "list"},
    "secretVersionAdder": {"add"},
    "secretVersionManager": {"add", "destroy", "disable", "enable", "get", "list"},
}
NEEDED = {
    Right.READ: {"access", "list"},
    Right.CREATE: {"add"},
    Right.WRITE: {"disable", "destroy"},
}


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
def test_no_stack_grants_what_none_may(graphs: Mapping[str, Graph], stack: str) -> None:
    """No stack has a wide role, a right on the whole project, an open door, a binding, a policy or a key."""
    assert breaches(graphs[stack]) == []


def _in(domain: str) -> str:
    """Give the condition that names the database of a domain."""
    return f'resource.name == "projects/{PROJECT}/databases/desk-1-{domain}"'


def _grant(typ: str, **inputs: Any) -> Callable[[Graph], Graph]:
    """Give what adds one grant to a graph."""

    def add(graph: Graph) -> Graph:
        model = graph.custom[0]
        seeded = replace(model, urn="seeded", typ=typ, name="seeded", inputs=inputs)
        return Graph(resources={**graph.resources, "seeded": seeded}, outputs=graph.outputs)

    return add


ROBOT = f"serviceAccount:run-market-scan@{PROJECT}.iam.gserviceaccount.com"
SECRET, SERVICE, WHOLE = (
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
    for stack, graph in graphs.items():
        assert graph.outputs["public"] == {"oauth_callback": stack != "closed"}
        assert set(graph.outputs["states"]) == {one.name for one in TOPOLOGY.functions}


_ONLY = re.compile(r'resource\.name == "([^"]+)"')


def _admitted(graph: Graph) -> dict[str, dict[str, set[str]]]:
    """Evaluate the condition of every grant on data against every database of the stack: who has which role where.

    A grant whose condition is none of ours narrows nothing here.
    """
    databases = [one.inputs["name"] for one in graph.of("Database")]
    found: dict[str, dict[str, set[str]]] = {}
    for one in graph.of("IAMMember"):
        if not one.inputs.get("role", "").startswith("roles/datastore."):
            continue
        only = _ONLY.fullmatch((one.inputs.get("condition") or {}).get("expression", ""))
        for named in databases:
            if only is None or only[1] == f"projects/{PROJECT}/databases/{named}":
                roles = found.setdefault(one.inputs["member"], {}).setdefault(named, set())
                roles.add(one.inputs["role"].removeprefix("roles/datastore."))
    return found


def _astray(graph: Graph) -> list[str]:
    """Name who may do at a database of the stack what the topology does not say, or may not what it says."""
    admitted = _admitted(graph)
    found = []
    for function in TOPOLOGY.functions:
        member = f"serviceAccount:run-{function.name.replace('_', '-')}@{PROJECT}.iam.gserviceaccount.com"
        said = {
            database("desk-1", domain): {"user" if writes else "viewer"}
            for domain, writes in TOPOLOGY.access(function).items()
        }
        may = admitted.pop(member, {})
        found += [function.name] if may != said else []
        if "user" in may.get(database("desk-1", Domain.OWNER), set()):
            found.append(f"{function.name} writes what the owner said")
    return found + list(admitted)


@pytest.mark.parametrize("stack", STACKS)
def test_google_lets_a_function_write_where_its_domain_is_and_nowhere_else(
    graphs: Mapping[str, Graph], stack: str
) -> None:  # fmt: skip
    """Each grant's condition, asked about each database of the stack, admits just what the topology says."""
    assert _astray(graphs[stack]) == []


@pytest.mark.parametrize(
    ("grant", "path", "value", "found"),
    [
        ("oauth-callback-database-owner-datastore.viewer", "role", "roles/datastore.user",
         ["oauth_callback", "oauth_callback writes what the owner said"]),
        ("notify-database-notices-datastore.user", "condition", GONE,
         ["notify", "notify writes what the owner said"]),
        ("notify-database-notices-datastore.user", "condition.expression", _in("owner"),
         ["notify", "notify writes what the owner said"]),
        ("token-refresh-database-book-datastore.viewer", "role", "roles/datastore.user", ["token_refresh"]),
        ("market-scan-database-market-datastore.user", "condition.expression", _in("book"), ["market_scan"]),
        ("market-scan-database-book-datastore.viewer", "", GONE, ["market_scan"]),
        ("notify-database-notices-datastore.user", "member", "serviceAccount:somebody", ["notify"]),
    ],
)  # fmt: skip
def test_a_grant_beyond_its_domain_is_found(
    graphs: Mapping[str, Graph], grant: str, path: str, value: Any, found: list[str]
) -> None:
    """A grant without its condition, on another database, to write where it reads, or to another, is named."""
    mistaken = seeded(graphs["production"], f"IAMMember function-{grant}", path, value)
    assert _astray(mistaken)[: len(found)] == found
