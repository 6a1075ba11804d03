"""What the cloud is made of: each resource with every input that it may have, from configuration and topology alone.

The rows are in expected_ground, expected_work, expected_grants and expected_watch; none of them reads the program's own
modules. An input that no row names is refused like a wrong one, and so is an option of the engine. What comes before
what is not said here: test_order judges that.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

from infra.archives import build_all
from tests.architecture.files import ROOT
from tests.infra.cloud import expected_grants, expected_ground, expected_watch, expected_work
from tests.infra.cloud.capture import Graph, Registered
from tests.infra.cloud.facts import Cloud, Json, Must, Thing

PROVIDER = version("pulumi-gcp")


def table(graph: Graph) -> list[Thing]:
    """Give every row that the configuration and the topology of a graph ask for."""
    built = _archives()
    archives = {one.name: built.get(one.name, next(iter(built.values()))) for one in graph.topology.functions}
    cloud = Cloud(config=graph.config, topology=graph.topology, archives=archives)
    rooms = (expected_ground, expected_work, expected_grants, expected_watch)
    return [row for room in rooms for row in room.rows(cloud)]


@cache
def _archives() -> Mapping[str, str]:
    return {one.function: one.name for one in build_all(ROOT)}


def differences(graph: Graph) -> Iterator[str]:
    """Name what a graph has and its rows have not, and the other way round, by resource and path."""
    found = {(one.typ, one.name): one for one in graph.custom}
    for row in table(graph):
        one = found.pop((f"gcp:{row.typ}", row.name), None)
        if one is None:
            yield f"{row.typ} {row.name} is missing"
        else:
            yield from (f"{row.typ} {row.name}: {problem}" for problem in faults(graph, one, row))
    yield from (f"{typ.removeprefix('gcp:')} {name} is not expected" for typ, name in found)


def faults(graph: Graph, one: Registered, row: Thing) -> Iterator[str]:
    """Name every input and every option of a resource that is not the one of its row."""
    yield from _compared(one.inputs, row.inputs, "")
    options = dict(one.options)
    if "deletedWith" in options:
        options["deletedWith"] = options["deletedWith"].rpartition("$gcp:")[2]
    chosen = {
        "version": PROVIDER,
        "protect": row.kept or None,
        "retainOnDelete": row.stays or None,
        "deletedWith": row.goes_with or None,
        "ignoreChanges": [row.unlike] if row.unlike else None,
    }
    yield from _compared(options, chosen, "option ")
    if one.parent not in graph.resources or graph.resources[one.parent].custom:
        yield "belongs to no component"


def _compared(found: Any, wanted: Any, path: str) -> Iterator[str]:
    match wanted:
        case Must(be=be, holds=holds):
            if not holds(found):
                yield f"{path} is {found!r}, not {be}"
        case Json(wanted=parts):
            try:
                yield from _compared(json.loads(found), parts, f"{path}:")
            except ValueError:
                yield f"{path} is no JSON"
        case Mapping() if isinstance(found, Mapping):
            there = {name: value for name, value in wanted.items() if value is not None}
            for name in sorted({*found, *there}):
                yield from _part(found, there, name, f"{path}.{name}" if path and path[-1] not in " :" else path + name)
        case list() if isinstance(found, list) and len(found) == len(wanted):
            for number, (one, other) in enumerate(zip(found, wanted, strict=True)):
                yield from _compared(one, other, f"{path}[{number}]")
        case _:
            if found != wanted or isinstance(found, bool) is not isinstance(wanted, bool):
                yield f"{path} is {found!r}, not {wanted!r}"


def _part(found: Mapping[str, Any], wanted: Mapping[str, Any], name: str, path: str) -> Iterator[str]:
    if name not in wanted:
        yield f"{path}={found[name]!r} is not expected"
    elif name not in found:
        yield f"{path} is missing"
    else:
        yield from _compared(found[name], wanted[name], path)
