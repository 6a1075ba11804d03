"""One edit of the topology is enough: cloud, local world and documentation follow it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.cli import permissions
from infra.cli.topology import mermaid
from infra.local.history import MarketHistory
from infra.local.kernel import Kernel
from infra.local.world import World
from shared.topology import TOPOLOGY, Function, Right, Schedule, Subscription, Topology
from tests.infra.cloud import sdk
from tests.infra.cloud.capture import Graph, capture, config_of
from tests.infra.cloud.rules import faults
from tests.infra.cloud.test_inputs import ONLY_IN_TEN
from tests.infra.cloud.test_permissions import breaches, granted

START = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
ROBOT = "serviceAccount:run-herald@example-project.iam.gserviceaccount.com"
_HERALD = """
import flask
from shared.errors import PermissionDenied
from shared.guard import Guard, GuardedStore
from shared.ports import Create
from shared.wiring import platform

def main(request: flask.Request) -> tuple[str, int]:
    ports = platform("herald")
    store = GuardedStore(ports.store, Guard(ports.function, ports.journal))
    store.commit([Create("proclaimed/1", {"of": request.get_json()["message"]["messageId"]})])
    try:
        store.get("orders/1")
    except PermissionDenied:
        return "", 204
    return "", 500
"""
HERALD = Function(
    name="herald",
    purpose="reads the news aloud",
    subscriptions=(Subscription(topic="news", ack_deadline_s=70, max_attempts=7),),
    publishes=frozenset({"exits"}),
    collections={"proclaimed": Right.READ | Right.CREATE},
    secrets={"trumpet": Right.READ | Right.CREATE},
)
EXTENDED = replace(
    TOPOLOGY,
    functions=(*TOPOLOGY.functions, HERALD),
    topics={**TOPOLOGY.topics, "news": "what is new"},
    schedules=(*TOPOLOGY.schedules, Schedule(name="gazette", cron="0 8 * * *", topic="news", message="gazette")),
    secrets={**TOPOLOGY.secrets, "trumpet": "what it blows"},
    collections={**TOPOLOGY.collections, "proclaimed": "what was read aloud"},
    lifetimes={**TOPOLOGY.lifetimes, "proclaimed": 30},
)


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    """Give the graph of a topology with a function, a topic, a schedule, a secret and a collection more."""
    return capture(config_of("sandbox"), "sandbox", tmp_path_factory.mktemp("archives"), EXTENDED)


def test_the_cloud_follows(extended: Graph) -> None:
    """The new function is deployed, called, heard and kept within its rights like every other."""
    assert extended.one("Function", "herald").inputs["serviceConfig"]["ingressSettings"] == "ALLOW_INTERNAL_ONLY"
    push = extended.one("Subscription", "news-to-herald").inputs
    assert push["pushConfig"]["oidcToken"]["audience"] == "https://herald-123456789012.us-east4.run.app"
    assert (push["ackDeadlineSeconds"], push["deadLetterPolicy"]["maxDeliveryAttempts"]) == (70, 7)
    assert extended.one("Job", "at-gazette").inputs["pubsubTarget"]["topicName"].endswith("/news")
    assert {one.inputs["field"] for one in extended.of("Field") if one.inputs["collection"] == "proclaimed"} == {
        "json",
        "commit",
        "expires_at",
    }
    own = {(role, on) for member, role, on, _ in granted(extended) if member == ROBOT}
    assert own == {
        ("roles/datastore.user", "projects example-project"),
        ("roles/pubsub.publisher", "pubsub exits"),
        ("roles/secretmanager.secretAccessor", "secretmanager trumpet"),
        ("roles/secretmanager.secretVersionAdder", "secretmanager trumpet"),
        ("roles/secretmanager.viewer", "secretmanager trumpet"),
    }
    assert breaches(extended) == []


def test_what_follows_is_well_formed(extended: Graph, rules: Mapping[str, Any]) -> None:
    """The inputs of everything that was added are ones that both packages know and the provider does not refuse."""
    assert [fault for one in extended.custom for fault in faults(one.typ, one.inputs, rules)] == []
    assert [fault for one in extended.custom for fault in sdk.faults(one.typ, one.inputs)] == []
    assert not ONLY_IN_TEN & {name for one in extended.custom for name in sdk.used(one.typ, one.inputs)}


def test_a_right_less_is_a_grant_less(graphs: Mapping[str, Graph], tmp_path: Path) -> None:
    """A permission that the topology no longer gives is no longer granted."""
    scan = TOPOLOGY.function("market_scan")
    others = tuple(one for one in TOPOLOGY.functions if one is not scan)
    muted = replace(TOPOLOGY, functions=(*others, replace(scan, publishes=frozenset())))
    before = granted(graphs["sandbox"])
    after = granted(capture(config_of("sandbox"), "sandbox", tmp_path, muted))
    assert {(role, on) for _, role, on, _ in before - after} == {
        ("roles/pubsub.publisher", "pubsub exits"),
        ("roles/pubsub.publisher", "pubsub signals"),
    }
    assert after <= before


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Give a local world of the new function alone, from the same topology."""
    folder = tmp_path / "functions" / "herald"
    folder.mkdir(parents=True)
    (folder / "main.py").write_text(_HERALD, encoding="utf-8")
    opened = World(
        kernel=Kernel(start=START, seed=1), topology=replace(EXTENDED, functions=(HERALD,)), state=tmp_path / "state",
        environ={}, http=None, history=MarketHistory({}), vault_key=bytes(32), seed=1, body_of=str.encode,
        functions_dir=tmp_path / "functions",
    )  # fmt: skip
    yield opened
    opened.close()


def test_the_local_world_follows(world: World) -> None:
    """The new function gets the new topic, writes the new collection, and is denied what it was not given."""
    world.bus.publish("news", b"{}", attributes={})
    world.run(START + timedelta(minutes=1))
    assert world.store.get("proclaimed/1") is not None
    assert [line["what"] for line in world.denied] == ["READ on collection orders"]


def test_the_documentation_follows() -> None:
    """Drawing and matrix name the new function with its topic, its secret and its collection."""
    drawing, matrix = "\n".join(mermaid(EXTENDED)), "\n".join(permissions.markdown(EXTENDED))
    assert "topic_news --> function_herald" in drawing
    assert "function_herald --> topic_exits" in drawing
    assert "| function herald | secretmanager.secretVersionAdder | secret trumpet |" in matrix
    assert "| herald | proclaimed | proclaimed |  |" in matrix
    assert "herald" not in "\n".join(permissions.markdown(TOPOLOGY))


def test_a_topology_of_nothing_grants_only_the_build() -> None:
    """Without functions there is nobody to grant anything to but the account that would build them."""
    nothing = Topology(functions=(), topics={}, schedules=(), secrets={}, collections={})
    assert {row[0] for row in permissions.granted(nothing)} == {"build build-functions"}
