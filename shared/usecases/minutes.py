"""The scan's minutes, `minutes/YYYYMMDDTHHMM`: who scans each one, and what was seen in it.

What can go wrong: a minute's message comes twice, or to two instances; the scan dies within it. What this promises: one
works on a minute (a lease, which nobody gives back once it was worked on), and whoever looks whether the scan lives and
sees reads it here alone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.sight import Sight
from shared.ports import Document, Store
from shared.usecases.desk import Desk, Held, not_before
from shared.usecases.leases import Lease, take_at

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute(Lease):
    """Who scans a minute, until when; `sight` is what it saw, None before its end."""

    sight: Sight | None = None


def take(desk: Desk, begins: datetime) -> Held[Minute] | None:
    """Take the minute that begins then; None when somebody else scans it, or has."""
    mine = Minute(holder=desk.chance.token(12), until=desk.clock.now() + MINUTE)
    return take_at(desk, f"minutes/{begins:%Y%m%dT%H%M}", mine)


def since(store: Store, at: datetime) -> list[Document]:
    """Give the documents of the minutes whose lease ends at `at` or later; raises StoreDown."""
    return store.query("minutes", not_before("until", at))
