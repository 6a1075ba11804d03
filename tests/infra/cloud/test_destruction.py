"""A protected stack is destroyed as a whole or not at all, also by an engine that was told to skip its preview."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from infra.tools import destroyable, state
from tests.infra.checkout import exported
from tests.infra.cloud.capture import Graph, Registered

LATCH = "latch"
PROTECTED = ("production", "keys")


def _needs(one: Registered) -> frozenset[str]:
    """Give what a resource needs directly: by an option, by an input, as its group, or to be deleted with."""
    return one.after | {one.parent, str(one.options.get("deletedWith", ""))}


def deletions(graph: Graph) -> list[frozenset[str]]:
    """Give the URNs that the engine deletes together, one set after the other.

    It lays the resources in rows, each as soon as what it needs lies in rows before, and takes the rows from the last
    one to the first (pulumi 3.260, `ScheduleDeletes`).
    """
    left = {urn: _needs(one) for urn, one in graph.resources.items()}
    rows = []
    while left:
        row = frozenset(urn for urn, needs in left.items() if not needs & left.keys())
        rows.append(row)
        left = {urn: needs for urn, needs in left.items() if urn not in row}
    return rows[::-1]


def taken(graph: Graph) -> list[Registered]:
    """Give what a destruction without a preview deletes.

    Past the refusal of a protected resource the engine goes on, with all but what that one rests on (the same version,
    `performDeletes`, `cancelDueToError`).
    """
    gone: list[Registered] = []
    spared: set[str] = set()
    for row in deletions(graph):
        met = [graph.resources[urn] for urn in row if urn not in spared]
        gone += [one for one in met if not one.protect]
        spared |= _rested_on(graph, [one for one in met if one.protect])
    return gone


def _rested_on(graph: Graph, refused: list[Registered]) -> set[str]:
    found: set[str] = set()
    waiting = refused
    while waiting:
        needs = set().union(*map(_needs, waiting)) - found
        found |= needs
        waiting = [graph.resources[urn] for urn in needs if urn in graph.resources]
    return found


def _without(graph: Graph, name: str) -> Graph:
    kept = {urn: one for urn, one in graph.resources.items() if one.name != name}
    return replace(graph, resources=kept)


@pytest.mark.parametrize("stack", PROTECTED)
def test_a_protected_stack_loses_nothing(graphs: Mapping[str, Graph], stack: str) -> None:
    """What is met first, and alone, is protected and rests on everything else."""
    (first,) = deletions(graphs[stack])[0]
    assert graphs[stack].resources[first].name == LATCH
    assert taken(graphs[stack]) == []


def test_an_unprotected_stack_goes_as_a_whole(graphs: Mapping[str, Graph]) -> None:
    """Nothing refuses in the sandbox, where the latch is one group more."""
    assert len(taken(graphs["sandbox"])) == len(graphs["sandbox"].resources)


@pytest.mark.parametrize("stack", PROTECTED)
def test_without_the_latch_half_of_it_would_go(graphs: Mapping[str, Graph], stack: str) -> None:
    """The order that is looked at here is the one in which the real engine took 175 of 235."""
    gone = taken(_without(graphs[stack], LATCH))
    names = {one.name for one in gone}
    assert len([one for one in gone if one.custom]) > 150
    assert {"market_scan", "exits-to-order-placement", "at-scan", "broken"} <= names


@pytest.mark.parametrize("part", ["watch", "schedules", "pushes"])
def test_a_part_that_the_latch_does_not_come_after_is_found(graphs: Mapping[str, Graph], part: str) -> None:
    """A latch that forgot a part of the stack would let that go."""
    graph = graphs["production"]
    (group,) = [urn for urn, one in graph.resources.items() if one.name == part]
    inside = {urn for urn, one in graph.resources.items() if one.parent == group}
    changed = {
        urn: replace(one, after=one.after - inside) if one.name == LATCH else one
        for urn, one in graph.resources.items()
    }
    assert {one.urn for one in taken(replace(graph, resources=changed))} & inside


def test_a_latch_without_its_lock_is_found(graphs: Mapping[str, Graph]) -> None:
    """One that is not protected itself is gone like anything else."""
    graph = graphs["production"]
    changed = {urn: replace(one, protect=one.protect and one.name != LATCH) for urn, one in graph.resources.items()}
    assert len(taken(replace(graph, resources=changed))) > 150


@pytest.mark.parametrize("stack", PROTECTED)
def test_everything_in_the_way_is_named(graphs: Mapping[str, Graph], stack: str) -> None:
    """`make cloud-destroy` is told of every protected thing and of every database, however many, until all are free."""
    graph = graphs[stack]
    made = {
        urn: {"type": one.typ, "custom": one.custom, "protect": one.protect, "inputs": dict(one.inputs)}
        for urn, one in graph.resources.items()
    }
    found = list(destroyable.in_the_way(_state(made)))
    databases, kept = graph.of("Database"), [one for one in graph.resources.values() if one.protect]
    assert databases
    assert len(found) == len(kept) + len(databases)
    assert all(any(f"--database={one.inputs['name']} " in line for line in found) for one in databases)
    for freed in made.values():
        freed["protect"] = False
    assert len(list(destroyable.in_the_way(_state(made)))) == len(databases)
    for one in databases:
        made[one.urn]["inputs"] = {**one.inputs, "deleteProtectionState": "DELETE_PROTECTION_DISABLED"}
    assert list(destroyable.in_the_way(_state(made))) == []


def _state(made: Mapping[str, Mapping[str, object]]) -> state.State:
    plain = {
        urn: {**one, "inputs": _plain(one["inputs"]) if one["type"] == destroyable.DATABASE else {}}
        for urn, one in made.items()
    }
    return state.read(json.dumps(exported(plain, {})))


def _plain(inputs: object) -> object:
    return json.loads(json.dumps(inputs, default=str))
