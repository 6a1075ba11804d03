"""One edit of the topology is enough: local world and documentation follow it, as the cloud does (test_expected)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.cli import permissions
from infra.cli.topology import mermaid
from infra.one_machine.history import MarketHistory
from infra.one_machine.kernel import Kernel
from infra.one_machine.world import World
from shared.topology import TOPOLOGY, Topology
from tests.infra.cloud import sdk
from tests.infra.cloud.capture import Graph
from tests.infra.cloud.rules import faults
from tests.infra.cloud.test_inputs import ONLY_IN_TEN
from tests.infra.cloud.test_permissions import breaches
from tests.infra.cloud.trial import EXTENDED, HERALD

START = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
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


def test_what_follows_is_well_formed(extended: Graph, rules: Mapping[str, Any]) -> None:
    """What was added has inputs that both packages know and the provider takes, and no right that nobody may have."""
    assert breaches(extended) == []
    assert [fault for one in extended.custom for fault in faults(one.typ, one.inputs, rules)] == []
    assert [fault for one in extended.custom for fault in sdk.faults(one.typ, one.inputs)] == []
    assert not ONLY_IN_TEN & {name for one in extended.custom for name in sdk.used(one.typ, one.inputs)}


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
