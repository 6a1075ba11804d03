"""A new project can take the resources in the order in which they come, and give them up again."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from infra.components import names
from shared.topology import TOPOLOGY
from tests.infra.cloud.capture import Graph, Registered

STACKS = ("sandbox", "production", "keys")
_GRANTS = ("IAMMember", "IamMember")
_OF_THE_FOUNDATION = ("gcp:projects/", "gcp:serviceaccount/")  # on what is there for all: they wait for every holder
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


@pytest.mark.parametrize("stack", STACKS)
def test_a_grant_on_a_thing_waits_for_that_alone(graphs: Mapping[str, Graph], stack: str) -> None:
    """A grant names the thing that was made for it, and not again the tens of others that the thing came after."""
    grants = [one for one in graphs[stack].custom if _is_grant(one) and not one.typ.startswith(_OF_THE_FOUNDATION)]
    assert len(grants) > 40
    assert {one.name: len(one.after) for one in grants if len(one.after) > 1} == {}


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
