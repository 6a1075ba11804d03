"""The cloud is what the table says and nothing else, whatever the stack and the topology; see expected.py."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.infra.cloud.capture import Graph, Registered
from tests.infra.cloud.expected import differences, faults, table
from tests.infra.cloud.facts import Thing


@pytest.mark.parametrize("stack", ["sandbox", "production", "keys", "closed"])
def test_the_cloud_is_what_the_table_says(graphs: Mapping[str, Graph], stack: str) -> None:
    """Every resource of a stack has exactly the inputs and the options of its row, and no row lacks its resource."""
    assert list(differences(graphs[stack])) == []


def test_the_cloud_follows_configuration_and_topology(extended: Graph) -> None:
    """So has a stack whose every value is another one, over a topology with one more of everything."""
    assert list(differences(extended)) == []


def _other(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return f"{value}x"
        case _:
            return None


def wrong(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Give every value that differs in one place: a leaf changed, a part taken away or added, with that place."""
    if isinstance(value, Mapping):
        yield f"{path}.extra".lstrip("."), {**value, "extra": "x"}
        for name, part in value.items():
            inside = f"{path}.{name}".lstrip(".")
            yield inside, _without(value, name)
            yield from ((place, {**value, name: changed}) for place, changed in wrong(part, inside))
    elif isinstance(value, list):
        yield path, [*value, value[0] if value else "x"]
        for number, part in enumerate(value):
            yield path, [*value[:number], *value[number + 1 :]]
            for place, changed in wrong(part, f"{path}[{number}]"):
                yield place, [*value[:number], changed, *value[number + 1 :]]
    else:
        yield path, _other(value)


def _first_of_each(graph: Graph) -> Iterator[tuple[Registered, Thing]]:
    """Give a resource of each type with its row, and of policies and subscriptions, which differ, every one."""
    rows = {(f"gcp:{row.typ}", row.name): row for row in table(graph)}
    seen = set()
    for one in graph.custom:
        if one.typ not in seen or one.typ.endswith((":AlertPolicy", ":Subscription")):
            seen.add(one.typ)
            yield one, rows[one.typ, one.name]


def test_every_wrong_input_is_named(extended: Graph) -> None:
    """Of each type every input that is changed, left out or added, at any depth, is named by its path."""
    tried = 0
    for one, row in _first_of_each(extended):
        assert list(faults(extended, one, row)) == []
        for path, inputs in wrong(one.inputs):
            tried += 1
            named = list(faults(extended, replace(one, inputs=inputs), row))
            assert any(fault.startswith(path) for fault in named), (one.name, path, named)
    assert tried > 800


@pytest.mark.parametrize(
    "options",
    [
        lambda given: {**given, "protect": not given.get("protect", False)},
        lambda given: {**given, "retainOnDelete": not given.get("retainOnDelete", False)},
        lambda given: {**given, "deleteBeforeReplace": True},
        lambda given: {**given, "ignoreChanges": ["name"]},
        lambda given: {**given, "replaceOnChanges": ["name"]},
        lambda given: {**given, "importId": "theirs"},
        lambda given: {**given, "aliasURNs": ["theirs"]},
        lambda given: {**given, "customTimeouts": "create: 1s"},
        lambda given: {**given, "provider": "another"},
        lambda given: {**given, "version": "9.37.0"},
        lambda given: {**given, "deletedWith": "urn:pulumi:trial::etrade-strategy::gcp:pubsub/topic:Topic::signals"},
    ],
)  # fmt: skip
def test_every_wrong_option_is_named(
    extended: Graph, options: Callable[[Mapping[str, Any]], Mapping[str, Any]]
) -> None:
    """An option that no row gives is named, on a resource of each type."""
    for one, row in _first_of_each(extended):
        changed = replace(one, options=options(one.options))
        assert any(fault.startswith("option ") for fault in faults(extended, changed, row)), one.name


def _without(options: Mapping[str, Any], lost: str) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != lost}


def test_every_lost_option_is_named(extended: Graph) -> None:
    """A resource that lost its protection, what it goes with, or what the engine looks away from is named."""
    tried = {
        f"option {lost} is missing" in set(faults(extended, replace(one, options=_without(one.options, lost)), row))
        for one, row in _first_of_each(extended)
        for lost in one.options
    }
    assert tried == {True}


def test_every_lost_or_foreign_resource_is_named(extended: Graph) -> None:
    """A resource of each type that is missing, renamed, doubled or outside of the components is named."""
    for one, row in _first_of_each(extended):
        rest = {urn: other for urn, other in extended.resources.items() if other is not one}
        other = replace(one, urn="seeded", name=f"{row.name}-2")
        assert f"{row.typ} {row.name} is missing" in set(differences(replace(extended, resources=rest)))
        doubled = set(differences(replace(extended, resources={**extended.resources, "seeded": other})))
        assert doubled == {f"{row.typ} {row.name}-2 is not expected"}
        assert list(faults(extended, replace(one, parent=""), row)) == ["belongs to no component"]
