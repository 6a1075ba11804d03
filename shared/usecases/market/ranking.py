"""The rank of a session's watch list: made before the open by whoever gathers daily bars, kept to by the scan.

What can go wrong: the rank changes while a session runs, and two instances of the scan look at other symbols; it is not
made at all. What this promises: a minute before the open it stands, and what comes later counts for the next session;
where there is none, the watch list's own order counts. What is stored are the figures of each symbol, not its score: so
the weights are those of the configuration in force, and the command shows what the scan reckons.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from shared.domain.base.calendar import TradingSession
from shared.domain.market.daybook import MINUTE
from shared.domain.market.ranking import LISTED_OUT, RANKED_OUT, Measures, Place, known_measures, ranked
from shared.domain.market.receipts import Mark
from shared.domain.market.series import Series
from shared.frozen import frozen
from shared.ports import Store
from shared.usecases.base.desk import Desk, put, read, read_sound
from shared.usecases.market.mornings import morning_of

PATH = "prepared/universe"


@frozen
class Measured:
    """What the symbols of a session's watch list are ranked by, in its order, as it was known at an instant."""

    session: date
    at: datetime
    symbols: tuple[Measures, ...]


def measure(desk: Desk, session: TradingSession, watch_list: Iterable[str], days: Mapping[str, Series]) -> None:
    """Write down what a watch list is ranked by, unless the session is about to open, or has."""
    now = desk.clock.now()
    if now >= session.opens_at - MINUTE:
        return
    morning = morning_of(desk.store, session.day)
    spreads = {} if morning is None else morning.value.spreads
    found = tuple(
        known_measures(symbol, days.get(symbol), session.day, spread=spreads.get(symbol)) for symbol in watch_list
    )
    desk.store.commit([put(PATH, Measured(session=session.day, at=now, symbols=found))])
    known = sum(one.liquidity is not None for one in found)
    desk.journal.line("universe_ranked", symbols=len(found), known=known, spreads=len(spreads))


def measured_of(desk: Desk, session: date) -> Measured | None:
    """Give what a session's watch list is ranked by, None where it was not measured or cannot be read."""
    held = read_sound(desk, Measured, PATH)
    return None if held is None or held.value.session != session else held.value


def last_measured(store: Store) -> Measured | None:
    """Give what was measured last, whatever the session; raises Malformed."""
    held = read(store, Measured, PATH)
    return None if held is None else held.value


@frozen
class Chosen:
    """Whom a session's scan looks at: `scanned` in the watch list's order, and the place of each one `left_out`.

    `ranked_at` is when the figures of the rank were written, None where the watch list's own order counts.
    """

    scanned: tuple[str, ...]
    left_out: Mapping[str, int]
    ranked_at: datetime | None

    def receipt(self) -> dict[str, object]:
        """Give what a minute's receipt says of it; nothing where all are looked at."""
        if not self.left_out:
            return {}
        ranked_at = None if self.ranked_at is None else self.ranked_at.isoformat()
        return {"scanned": {"symbols": len(self.scanned), "ranked_at": ranked_at}}

    def lines(self) -> dict[str, list[list[object]]]:
        """Give a line of the receipt for each symbol that is left out, with its place and which ones are looked at."""
        code, asked = LISTED_OUT if self.ranked_at is None else RANKED_OUT, f"1 to {len(self.scanned)}"
        return {
            symbol: [Mark(second=0, code=code, found=str(place), asked=asked).row]
            for symbol, place in self.left_out.items()
        }


def chosen(
    measured: Measured | None, watch_list: Sequence[str], weights: Mapping[str, Decimal], *, most: int
) -> Chosen:
    """Choose the first so many of a watch list's rank; who was not measured stands after the others."""
    places: tuple[Place, ...] = () if measured is None else ranked(measured.symbols, weights)
    listed = frozenset(watch_list)
    order = dict.fromkeys([*(one.symbol for one in places if one.symbol in listed), *watch_list])
    first = frozenset(list(order)[:most])
    return Chosen(
        scanned=tuple(symbol for symbol in watch_list if symbol in first),
        left_out={symbol: place for place, symbol in enumerate(order, start=1) if symbol not in first},
        ranked_at=None if measured is None else measured.at,
    )
