"""The scan's minutes, `minutes/YYYYMMDDTHHMM`: who scans each one, what was seen in it, and who goes on after it.

What can go wrong: a minute's message comes twice, to two instances, late, or never; the scan dies within it. What this
promises: one works on a minute (a lease, which nobody gives back once it was worked on), and whoever looks whether the
scan lives and sees reads it here alone. Who has scanned a minute goes on until somebody holds the next, and then hands
over: who holds it waits for that, a few seconds at most, so that both never look at once and nothing that was seen is
lost between them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.market.sight import Sight
from shared.ports import Document, Store
from shared.usecases.base.desk import Desk, Held, not_before, read_sound
from shared.usecases.base.leases import Lease, take_at
from shared.usecases.market.outages import Missing

MINUTE = timedelta(minutes=1)
WAITS = timedelta(seconds=3)
"""So long whoever holds a minute waits for who scanned the one before: two looks, the second of them a slow one."""
_LOOKS_EVERY = timedelta(milliseconds=250)
LOOKS_BACK = 6
"""So many minutes at the most pass before an instance of the scan that hangs has been ended, and another one begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute(Lease):
    """Who scans a minute, until when; `sight` is what it saw, None before its end.

    `ahead` are the seconds of the next minute at which its scanner looked, too, before it left; None while it has not.
    `missing` is what it then knew of quotes that are missing. `asks` is the strategy that is asked just now, where that
    is noted (`voting`).
    """

    sight: Sight | None = None
    ahead: tuple[int, ...] | None = None
    missing: Missing | None = None
    asks: str = ""


def take(desk: Desk, begins: datetime) -> Held[Minute] | None:
    """Take the minute that begins then; None when somebody else scans it, or has."""
    return take_at(desk, _path(begins), Minute(holder=desk.chance.token(12), until=desk.clock.now() + MINUTE))


def taken_at(desk: Desk, begins: datetime) -> datetime | None:
    """Say when somebody took the minute that begins then, None while nobody has; raises StoreDown."""
    held = read_sound(desk, Minute, _path(begins))
    return None if held is None else held.value.until - MINUTE


def handed_over(desk: Desk, begins: datetime) -> Minute | None:
    """Wait until who scanned the minute before `begins` has left, and give what it left.

    None where nobody scanned it, or it has not left after `WAITS`: then it has died. Raises StoreDown.
    """
    patience = desk.clock.now() + WAITS
    while (held := read_sound(desk, Minute, _path(begins - MINUTE))) is not None and held.value.ahead is None:
        if desk.clock.now() >= patience:
            desk.journal.line("scan_not_handed_over", minute=(begins - MINUTE).isoformat())
            return None
        desk.clock.sleep_until(desk.clock.now() + _LOOKS_EVERY)
    return None if held is None else held.value


def died(desk: Desk, begins: datetime) -> Minute | None:
    """Give the last minute before `begins` that somebody took, where whoever did has not left; raises StoreDown.

    None where it has left, and where nobody took any of `LOOKS_BACK`: who hangs keeps the minutes after it from being
    taken, until the platform ends it.
    """
    for back in range(1, LOOKS_BACK + 1):
        held = read_sound(desk, Minute, _path(begins - back * MINUTE))
        if held is not None:
            return None if held.value.ahead is not None else held.value
    return None


def since(store: Store, at: datetime) -> list[Document]:
    """Give the documents of the minutes whose lease ends at `at` or later; raises StoreDown."""
    return store.query("minutes", not_before("until", at))


def _path(begins: datetime) -> str:
    return f"minutes/{begins:%Y%m%dT%H%M}"
