"""Leases: one worker at a time on one thing, taken by compare-and-set, free again when they run out."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.errors import Conflict
from shared.usecases.desk import Desk, Held, create, read


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who works, until when."""

    holder: str
    until: datetime


def take(desk: Desk, name: str, *, lasts: timedelta) -> Held[Lease] | None:
    """Take a lease that is free or has run out; None when somebody else works."""
    path = f"leases/{name}"
    now = desk.clock.now()
    mine = Lease(holder=desk.chance.token(12), until=now + lasts)
    held = read(desk.store, Lease, path)
    if held is not None and held.value.until > now:
        return None
    write = create(path, mine) if held is None else held.update(mine)
    try:
        return Held(path=path, value=mine, version=desk.store.commit([write])[0])
    except Conflict:
        return None


def keep(desk: Desk, held: Held[Lease], *, until: datetime) -> Held[Lease]:
    """Hold a lease longer, or give it back with an `until` that has passed; raises Conflict when it was lost."""
    longer = replace(held.value, until=until)
    return Held(path=held.path, value=longer, version=desk.store.commit([held.update(longer)])[0])
