"""Where the data of a session have a hole, or begin after the open: said before the run and in its report.

What can go wrong: a recording stood still for an hour, or began late, and the result looks like that of a whole
session. What this promises: each such time is named with New York's, and so is that of a symbol beside others that go
on; what is missing up to the close is an end, and named as one (`data_end`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from infra.results.data_end import NAMED, OF_ONE
from infra.results.words import clock
from shared.domain.base.calendar import TradingSession
from shared.domain.telling.wording import few
from shared.frozen import frozen

Gap = tuple[datetime, datetime]
"""From the last row before it to the first one after it."""
OF_QUOTES = timedelta(minutes=5)
"""Quotes of which nothing changes for so long have a hole."""
OF_BARS = timedelta(minutes=15)
"""A minute in which nothing is traded has no bar: bars have a hole where none is for so long."""

_EVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@frozen
class Gaps:
    """The times without a row of each symbol of a session, those before its first and after its last row among them.

    All data have a hole of `least` or more where none of the symbols has a row.
    """

    least: timedelta
    of: Mapping[str, Sequence[Gap]]


@frozen
class Hole:
    """A time of an open session without data, of one `symbol` where others go on, "" where none does."""

    session: TradingSession
    begins: datetime
    ends: datetime
    symbol: str = ""

    @property
    def words(self) -> str:
        """Say when it is."""
        since = "the open at " if self.begins == self.session.opens_at else ""
        return f"{self.session.day} from {since}{clock(self.begins)} to {clock(self.ends)}"


def around(first: datetime, last: datetime, apart: Sequence[Gap]) -> tuple[Gap, ...]:
    """Give the times without a row of a symbol, by its first row, its last one and those that lie far apart."""
    return ((_EVER[0], first), *apart, (last, _EVER[1]))


def holes_of(session: TradingSession, gaps: Gaps, symbols: Iterable[str]) -> tuple[Hole, ...]:
    """Give the holes of a session in the order of time, of all symbols that it has first."""
    own = {one: list(_open(session, gaps.of[one])) for one in sorted(symbols) if one in gaps.of}
    parts = iter(own.values())
    common = next(parts, [])
    for other in parts:
        common = [both for one in common for two in other if (both := _common(one, two)) is not None]
    whole = [one for one in common if _lasts(one) >= gaps.least]
    alone = [(name, one) for name, those in own.items() for one in those if _lasts(one) - _within(one, whole) >= OF_ONE]
    return tuple(
        Hole(session=session, begins=begins, ends=ends, symbol=name)
        for name, (begins, ends) in [*(("", one) for one in whole), *alone]
        if ends < session.closes_at
    )


def told(holes: Iterable[Hole]) -> tuple[str, ...]:
    """Say where data have holes, the sessions first, then symbols; nothing where none has."""
    found = tuple(holes)
    whole = [one.words for one in found if not one.symbol]
    alone = [f"{one.symbol} on {one.words}" for one in found if one.symbol]
    so = "nothing in that time can be judged, and what was held in it counts at its last price"
    return (
        *((f"The data have nothing on {few(whole, NAMED)} New York: {so}.",) if whole else ()),
        *((f"Some symbols have nothing while others go on: {few(alone, NAMED)} New York.",) if alone else ()),
    )


def _open(session: TradingSession, gaps: Iterable[Gap]) -> Iterator[Gap]:
    """Give the parts of gaps that lie within the session."""
    for begins, ends in gaps:
        part = max(begins, session.opens_at), min(ends, session.closes_at)
        if part[0] < part[1]:
            yield part


def _common(one: Gap, other: Gap) -> Gap | None:
    begins, ends = max(one[0], other[0]), min(one[1], other[1])
    return (begins, ends) if begins < ends else None


def _within(one: Gap, whole: Iterable[Gap]) -> timedelta:
    shared = (both for other in whole if (both := _common(one, other)) is not None)
    return sum(map(_lasts, shared), timedelta())


def _lasts(one: Gap) -> timedelta:
    return one[1] - one[0]
