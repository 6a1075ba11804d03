"""The permission matrix for people: what Google is asked to grant, and what our own Store enforces beside it."""

from collections.abc import Iterator, Sequence

from infra.components.matrix import Grant, Place, matrix
from shared.topology import Right, Topology

GRANTED = ("Who", "Role", "On")
ENFORCED = ("Function", "Reads", "Creates", "Changes and deletes")


def granted(topology: Topology) -> Iterator[Sequence[str]]:
    """Give a row for each holder and role of a stack with an owner, without customer keys."""
    rows: dict[tuple[str, str, Place], list[str]] = {}
    for grant in matrix(topology, has_owner=True, customer_keys=False):
        role = grant.role.removeprefix("roles/")
        rows.setdefault((str(grant.who), role, grant.place), []).append(_thing(grant))
    for (who, role, place), things in rows.items():
        named = ", ".join(thing for thing in things if thing)
        yield who, role, f"{place.value} {named}".strip()


def enforced(topology: Topology) -> Iterator[Sequence[str]]:
    """Give a row for each function: the collections that it may read, create in, and change."""
    for function in topology.functions:
        held = {
            right: [name for name, rights in sorted(function.collections.items()) if right in rights] for right in Right
        }
        yield function.name, *(", ".join(held[right]) for right in (Right.READ, Right.CREATE, Right.WRITE))


def markdown(topology: Topology) -> Iterator[str]:
    """Write both tables as Markdown."""
    yield from _table(GRANTED, granted(topology))
    yield ""
    yield from _table(ENFORCED, enforced(topology))


def _thing(grant: Grant) -> str:
    if grant.place is Place.PROJECT:
        return "(Google's copies of archives only)" if grant.condition else ""
    return grant.on


def _table(names: Sequence[str], rows: Iterator[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield "|---" * len(names) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
