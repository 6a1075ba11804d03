"""Leases: one worker at a time on one thing, taken by compare-and-set, free again when they run out."""

import contextlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from shared.errors import Conflict, Malformed
from shared.ports import Severity
from shared.usecases.base.desk import Desk, Held, read, replaced

WATCH_EVERY = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who works, until when."""

    holder: str
    until: datetime


L = TypeVar("L", bound=Lease)


def take(desk: Desk, path: str, *, lasts: timedelta) -> Held[Lease] | None:
    """Take a lease that is free or has run out; None when somebody else works."""
    return take_at(desk, path, Lease(holder=desk.chance.token(12), until=desk.clock.now() + lasts))


def take_at(desk: Desk, path: str, mine: L) -> Held[L] | None:
    """Take a lease of any kind at its path as `take` does."""
    try:
        held = read(desk.store, type(mine), path)
    except Malformed as problem:
        desk.journal.line("lease_unreadable", Severity.ERROR, path=path, detail=problem.detail)
        document = desk.store.get(path)
        held = None if document is None else Held(path=path, value=mine, version=document.version)
        return _written(desk, path, held, mine)
    if held is not None and held.value.until > desk.clock.now():
        return None
    return _written(desk, path, held, mine)


def _written(desk: Desk, path: str, held: Held[L] | None, mine: L) -> Held[L] | None:
    try:
        return Held(path=path, value=mine, version=desk.store.commit([replaced(path, held, mine)])[0])
    except Conflict:
        return None


def busy(desk: Desk, path: str) -> bool:
    """Tell whether somebody holds a lease now; one that cannot be read is nobody's."""
    try:
        held = read(desk.store, Lease, path)
    except Malformed:
        return False
    return held is not None and held.value.until > desk.clock.now()


def extend(desk: Desk, mine: Held[L], *, until: datetime) -> None:
    """Hold a lease longer; raises Conflict when it was lost to somebody else."""
    held = read(desk.store, type(mine.value), mine.path)
    if held is None or held.value.holder != mine.value.holder:
        raise Conflict(f"the lease {mine.path} was lost")
    desk.store.commit([held.update(replace(held.value, until=until))])


def outlives(desk: Desk, path: str) -> bool:
    """Wait until the holder of a lease shows that it lives, or its lease has run out; gives whether it lives.

    A holder shows it by extending the lease. One that died never does, and one that gave it back may have failed: what
    it left undone is for the next.
    """
    first = read(desk.store, Lease, path)
    while first is not None and first.value.until > desk.clock.now():
        desk.clock.sleep_until(min(first.value.until, desk.clock.now() + WATCH_EVERY))
        held = read(desk.store, Lease, path)
        if held is None or held.version != first.version:
            return held is not None and held.value.until > desk.clock.now()
    return False


def give_back(desk: Desk, mine: Held[L]) -> None:
    """Free a lease at once; one that was lost meanwhile is not ours to free."""
    with contextlib.suppress(Conflict):
        extend(desk, mine, until=desk.clock.now())
