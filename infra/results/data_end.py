"""Where the data of a session end before its close: said before the run and in its report, and seen in each exit.

What can go wrong: a recording was cut, and nobody notices; what was held then is sold hours later at the last price
that was known, and passes for an ordinary sale. What this promises: each such session is named with the New York time
at which its data end, and so is a symbol that ends by itself; a sale after that has the code ENDED among its reasons.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from infra.results.facts import Point, Trade
from infra.results.words import clock
from shared.domain.base.calendar import new_york_day
from shared.domain.telling.wording import few

ENDED = "data_end"
"""The code among the reasons of a sale whose price is the last one of data that had ended."""
EARLY = timedelta(minutes=5)
"""Data of which nothing changes so long before the close have ended."""
OF_ONE = timedelta(minutes=30)
"""A symbol may well not change for a while: beside others that go on it has ended after so long."""
NAMED = 5
"""So many sessions or symbols are named in a sentence, the others counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """A session whose data end before it closes: all of them `at` an instant, None where only some `symbols` do."""

    day: date
    closes: datetime
    at: datetime | None
    symbols: Mapping[str, datetime] = field(default_factory=dict)

    def of(self, symbol: str) -> datetime | None:
        """Give when the data of a symbol end, None where they last."""
        return self.symbols.get(symbol, self.at)


def end_of(day: date, closes: datetime, last: Mapping[str, datetime]) -> End | None:
    """Give where a session's data end before it closes, by when each symbol changed `last`; None where they last."""
    if not last:
        return None
    whole = max(last.values())
    at = whole if whole < closes - EARLY else None
    goes_on = min(whole, closes)
    symbols = {symbol: one for symbol, one in sorted(last.items()) if one < goes_on - OF_ONE}
    return End(day=day, closes=closes, at=at, symbols=symbols) if at is not None or symbols else None


def told(ends: Iterable[End]) -> tuple[str, ...]:
    """Say where data end early, the sessions first, then symbols that end by themselves; nothing where none do."""
    found = tuple(ends)
    whole = [(one, one.at) for one in found if one.at is not None]
    alone = [f"{symbol} on {one.day} at {clock(at)}" for one in found for symbol, at in one.symbols.items()]
    by_itself = (f"The data of some symbols end before the others: {few(alone, NAMED)} New York.",) if alone else ()
    return (*_whole(whole), *by_itself)


def named(trades: Iterable[Trade], ends: Iterable[End]) -> tuple[Trade, ...]:
    """Give the trades, those that were left after their data had ended with ENDED among the reasons."""
    of = {one.day: one for one in ends}
    return tuple(replace(one, exit_reason=f"{one.exit_reason}, {ENDED}") if _after(one, of) else one for one in trades)


def ended(points: Iterable[Point], ends: Iterable[End]) -> tuple[Point, ...]:
    """Give an equity curve that ends where a session's data do: what came of it until its close stands there.

    So nothing between counts in a drawdown, an exposure or a chart, and the next session begins with what it had.
    """
    of = {one.day: one.at for one in ends if one.at is not None}
    found: list[Point] = []
    for point in points:
        at = of.get(new_york_day(point.at))
        if at is None or point.at < at:
            found.append(point)
        else:
            if found and found[-1].at == at:
                found.pop()
            found.append(replace(point, at=at))
    return tuple(found)


def _after(trade: Trade, of: Mapping[date, End]) -> bool:
    end = None if trade.left_at is None else of.get(new_york_day(trade.left_at))
    at = None if end is None else end.of(trade.symbol)
    return at is not None and trade.left_at is not None and trade.left_at > at


def _whole(ends: Sequence[tuple[End, datetime]]) -> Iterator[str]:
    if ends:
        first, at = ends[0]
        what = f"{first.day} end at {clock(at)} New York, before the close at {clock(first.closes)}"
        if len(ends) > 1:
            each = few([f"{one.day} at {clock(at)}" for one, at in ends], NAMED)
            what = f"{len(ends)} sessions end before the close, {each} New York"
        yield f"The data of {what}: nothing after that can be judged, and what was held then counts at its last price."
