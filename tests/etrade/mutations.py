"""Answers that somebody damaged: a seeded generator that changes any field of a body in ways that were seen."""

import copy
from random import Random
from typing import Any

ODD: tuple[object, ...] = (
    None, "", "some", True, -1, 0, 0.5, -0.01, 10**18, "1e400", "UNKNOWN_WORD", [], {}, [None], {"a": 1}, "12.50",
)  # fmt: skip
_GONE = object()


def mutated(body: Any, chance: Random, *, changes: int) -> Any:
    """Give a copy of a body in which this many places, at any depth, are gone or are something else."""
    made = copy.deepcopy(body)
    for _ in range(changes):
        places = list(_places(made))
        if not places:
            break
        holder, key = chance.choice(places)
        value = chance.choice((_GONE, _GONE, *ODD))
        if value is not _GONE:
            holder[key] = copy.deepcopy(value)
        else:
            del holder[key]
    return made


def _places(node: Any) -> list[tuple[Any, Any]]:
    if isinstance(node, dict):
        return [(node, key) for key in node] + [place for value in node.values() for place in _places(value)]
    if isinstance(node, list):
        return [(node, at) for at in range(len(node))] + [place for value in node for place in _places(value)]
    return []
