"""A new project can take the resources in the order in which they come, and give them up again."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from infra.components import names
from shared.topology import TOPOLOGY
from tests.infra.cloud.capture import Graph, Registered

STACKS = ("sandbox", "production", "keys")
_GRANTS = ("IAMMember", "IamMember")
TRAIL = ("IAMAuditConfig", "ProjectExclusion", "ProjectBucketConfig", "ProjectSink")


def _is_grant(one: Registered) -> bool:
    return one.typ.endswith(_GRANTS)


def too_early(graph: Graph) -> Iterator[str]:
    """Name every resource that could be made before a service, an agent or an account that it needs."""
    services = {one.urn for one in graph.of("Service") if one.typ.startswith("gcp:projects/")}
    agents = {one.inputs["service"].partition(".")[0]: one.urn for one in graph.of("ServiceIdentity")}
    accounts = {one.inputs["accountId"]: one.urn for one in graph.of("Account")}
    for one in graph.custom:
        before = graph.before(one)
        if one.urn not in services and not services <= before:
            yield f"{one.name} may come before the services"
        if _is_grant(one):
            name, _, domain = one.inputs["member"].rpartition(":")[2].partition("@")
            agent = domain.removeprefix("gcp-sa-").partition(".")[0]
            need = agents.get(agent) if domain.startswith("gcp-sa-") else accounts.get(name)
            if domain.endswith("gserviceaccount.com") and need not in before:
                yield f"{one.name} may come before its holder"


def unready(graph: Graph) -> Iterator[str]:
    """Name every function without its grants and the trail in place, and every push to one not to be called yet."""
    grants = [one for one in graph.custom if _is_grant(one)]
    trail = [one for one in graph.custom if one.typ.rpartition(":")[2] in TRAIL]
    for function in TOPOLOGY.functions:
        own = f"serviceAccount:{names.email(names.function_account(function.name), 'example-project')}"
        build = f"serviceAccount:{names.email(names.BUILD_ACCOUNT, 'example-project')}"
        before = graph.before(graph.one("Function", function.name))
        yield from (
            f"{function.name} comes before {one.name}"
            for one in grants
            if one.inputs["member"] in (own, build) and one.urn not in before
        )
        yield from (f"{function.name} comes before {one.name}" for one in trail if one.urn not in before)
        push = f"serviceAccount:{names.email(names.push_account(function.name), 'example-project')}"
        for subscription in function.subscriptions:
            name = names.subscription(subscription.topic, function.name)
            after = graph.before(graph.one("Subscription", name))
            yield from (
                f"{name} comes before {one.name}"
                for one in grants
                if one.inputs["member"] == push and one.urn not in after
            )


@pytest.mark.parametrize("stack", STACKS)
def test_nothing_comes_before_what_it_needs(graphs: Mapping[str, Graph], stack: str) -> None:
    """Services come first, agents and accounts before their grants, grants and the trail well before who uses them."""
    assert list(too_early(graphs[stack])) == []
    assert list(unready(graphs[stack])) == []
    assert list(unsettled(graphs[stack])) == []


def unsettled(graph: Graph) -> Iterator[str]:
    """Name every grant of the build account that a function follows without the minutes of an index between them."""
    build = f"serviceAccount:{names.email(names.BUILD_ACCOUNT, 'example-project')}"
    for grant in graph.custom:
        if _is_grant(grant) and grant.inputs["member"] == build:
            later = {one.urn for one in graph.of("Field") if grant.urn in graph.before(one)}
            yield from (
                f"{one.name} follows {grant.name}" for one in graph.of("Function") if not later & graph.before(one)
            )


def _without(graph: Graph, victim: str, lost: str) -> Graph:
    """Take edges from one resource, or from all where a lost one would still be reached over others."""
    changed = {
        urn: replace(one, after=frozenset(need for need in one.after if lost not in need))
        if victim in ("all", one.name)
        else one
        for urn, one in graph.resources.items()
    }
    return Graph(resources=changed, outputs=graph.outputs)


@pytest.mark.parametrize(
    ("victim", "lost"),
    [
        ("run-market-scan", "projects/service:"),
        ("agent-pubsub", "projects/service:"),
        ("agent-pubsub-account-market-scan-iam.serviceAccountOpenIdTokenCreator", "serviceIdentity:"),
        ("all", "/secretIamMember:"),
        ("all", "projectExclusion:"),
        ("all", "iAMAuditConfig:"),
        ("all", "/field:"),
        ("exits-to-order-placement", "serviceIamMember:"),
    ],
)
def test_a_seeded_lost_edge_is_found(graphs: Mapping[str, Graph], victim: str, lost: str) -> None:
    """A resource that lost its edges to services, agents, grants, the trail, indexes or callers is named."""
    graph = _without(graphs["sandbox"], victim, lost)
    assert [*too_early(graph), *unready(graph), *unsettled(graph)]


@pytest.mark.parametrize("stack", STACKS)
def test_only_the_default_provider_is_used(graphs: Mapping[str, Graph], stack: str) -> None:
    """No resource names a provider of its own, every child has a parent, and nothing disables a service."""
    graph = graphs[stack]
    assert {one.provider for one in graph.custom} == {""}
    components = {one.urn for one in graph.resources.values() if not one.custom}
    assert all(one.parent in components for one in graph.custom)
    assert all(one.inputs["disableOnDestroy"] is False for one in graph.custom if "projects/service:" in one.typ)


def test_production_is_protected_and_sandbox_is_not(graphs: Mapping[str, Graph]) -> None:
    """What lasts cannot be deleted by mistake in production, and everything can be in the sandbox."""
    kept = {one.typ.rpartition(":")[2] for one in graphs["keys"].custom if one.protect}
    assert kept == {"Database", "Secret", "CryptoKey", "ProjectBucketConfig"}
    assert {one.name for one in graphs["production"].of("Secret") if one.protect} == set(TOPOLOGY.secrets)
    assert not any(one.protect for one in graphs["sandbox"].custom)
    for stack, state, force in (("production", "ENABLED", False), ("sandbox", "DISABLED", True)):
        (database,) = graphs[stack].of("Database")
        assert database.inputs["deleteProtectionState"] == f"DELETE_PROTECTION_{state}"
        assert database.inputs["deletionPolicy"] == "DELETE"
        assert database.inputs["pointInTimeRecoveryEnablement"] == "POINT_IN_TIME_RECOVERY_ENABLED"
        (bucket,) = graphs[stack].of("Bucket")
        assert bucket.inputs["forceDestroy"] is force
        assert bucket.inputs["publicAccessPrevention"] == "enforced"
        assert bucket.inputs["uniformBucketLevelAccess"] is True


def test_names_that_google_keeps_have_a_number(graphs: Mapping[str, Graph]) -> None:
    """What Google remembers after its deletion carries the generation, and only the database is in the sandbox."""
    for typ, name in (("Database", "name"), ("ProjectBucketConfig", "bucketId"), ("KeyRing", "name")):
        assert all(one.inputs[name].endswith("-1") for graph in graphs.values() for one in graph.of(typ))
    assert not any(graphs["sandbox"].of(typ) for typ in ("ProjectBucketConfig", "KeyRing", "CryptoKey"))
    assert not any("workload" in one.typ or "CustomRole" in one.typ for one in graphs["keys"].custom)


def test_images_do_not_pile_up(graphs: Mapping[str, Graph]) -> None:
    """The repository keeps the last few images of each function and deletes the others."""
    (images,) = graphs["sandbox"].of("Repository")
    assert [policy["action"] for policy in images.inputs["cleanupPolicies"]] == ["KEEP", "DELETE"]
    assert all(
        one.inputs["buildConfig"]["dockerRepository"].endswith("/repositories/images")
        for one in graphs["sandbox"].of("Function")
    )
