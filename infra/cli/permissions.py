"""The permission matrix for people: what Google is asked to grant, what our own Store enforces, and what is left.

What is left is what a function can still do that was taken over: then our own Store hinders nobody, Google's grants do.
"""

from collections.abc import Iterator, Mapping, Sequence

from infra.components.matrix import Grant, Place, matrix
from shared.topology import Function, Right, Topology

GRANTED = ("Who", "Role", "On")
ENFORCED = ("Function", "Reads", "Creates", "Changes and deletes")
TAKEN_OVER = ("Function", "Writes", "Reads", "Secrets", "Publishes to", "So, taken over, it")

CONSEQUENCES: Mapping[str, str] = {
    "oauth_callback": "cannot read the day's token, but sees the one of a sign-in that runs through it;"
    " can point the record at another token, halt trading, make links for sign-in, make links for halts,"
    " and tell the owner anything; cannot write the book",
    "token_refresh": "can place any order at E*TRADE, end the day's token, point the record at another token,"
    " make links for sign-in, and tell the owner anything; cannot write the book",
    "market_scan": "can place any order at E*TRADE, and have ours placed by false signals and quotes,"
    " within the limits that placement keeps, take the stop from what is held for a minute at a time,"
    " and tell the owner anything; cannot write the book",
    "market_history": "cannot read the day's token; can write what the scan writes, and so have ours placed on signals,"
    " quotes and daily bars of its making, within the limits that placement keeps, take the stop from what is held for"
    " a minute at a time, ask Alpaca in the owner's name, and tell the owner anything; cannot write the book",
    "order_placement": "can place any order at E*TRADE, halted or not, write all of the book, leave stops out,"
    " and tell the owner anything",
    "order_settlement": "can place any order at E*TRADE, halted or not, write all of the book, leave stops out,"
    " and tell the owner anything",
    "notify": "cannot read the day's token; can keep notices back, tell the owner anything,"
    " and make links for halts; cannot write the book",
}
"""What each function can still do that was taken over; that it agrees with the rights is tested."""


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


def taken_over(topology: Topology) -> Iterator[Sequence[str]]:
    """Give a row for each function: what Google lets it do, whatever its code does, and what comes of that.

    Google knows databases and no collections. Who may destroy versions of a secret may add some, too.
    """
    for function in topology.functions:
        domains = topology.access(function)
        home = f"{function.home}: {', '.join(sorted(topology.within(function.home)))}"
        yield (
            function.name, home, ", ".join(domain for domain, writes in domains.items() if not writes) or "no other",
            "; ".join(_held(function)), ", ".join(sorted(function.publishes)) or "nothing",
            CONSEQUENCES[function.name],
        )  # fmt: skip


def taken_over_markdown(topology: Topology) -> Iterator[str]:
    """Write it as Markdown."""
    yield from _table(TAKEN_OVER, taken_over(topology))


def _held(function: Function) -> Iterator[str]:
    """Say what a function may do with which secrets."""
    for what, right in (("reads", Right.READ), ("adds", Right.CREATE | Right.WRITE), ("destroys", Right.WRITE)):
        names = [name for name, rights in sorted(function.secrets.items()) if right & rights]
        if names:
            yield f"{what} {', '.join(names)}"


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
