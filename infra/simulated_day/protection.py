"""How long held shares went without a live sell order behind them, read from the simulator's order histories.

The start is the fill at the broker, not the moment we learned of it; the end is the moment at which live
sell orders cover every held share, or nothing is held. A sell counts from the instant it works at the broker
until it is filled, cancelled or expired. Source: order-safety.md; issue, Figures.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from infra.simulated_day.ledger import BrokerLedger, LedgerOrder
from shared.domain.orders.taken import Taken
from shared.frozen import frozen

_ENDS = frozenset({"cancelled", "expired", "rejected"})


@frozen
class Gap:
    """An interval in which shares of a symbol were held and not covered; `shares` is the most at once."""

    symbol: str
    begins: datetime
    ends: datetime
    shares: int

    @property
    def lasts(self) -> timedelta:
        """How long it was."""
        return self.ends - self.begins


@frozen(kw_only=False)
class _Change:
    at: datetime
    held: int
    covered: int


def gaps(
    ledger: BrokerLedger, *, opens: datetime, closes: datetime, taken: Iterable[Taken] = ()
) -> list[Gap]:  # fmt: skip
    """Give every unprotected interval of the regular session, by symbol and time.

    Shares of the book that left without an order (`taken`) are gone from the look on that missed them.
    """
    symbols = sorted({order.symbol for order in ledger.orders})
    gone = [(one.symbol, _Change(one.since, -one.unpriced, 0)) for one in taken if one.unpriced]
    return [
        gap for symbol in symbols
        for gap in _gaps_of(symbol, ledger, opens, closes, [change for where, change in gone if where == symbol])
    ]  # fmt: skip


def stop_delays(ledger: BrokerLedger, *, closes: datetime) -> list[timedelta]:
    """Give, for each buy fill, how long it took until live sells covered all held shares."""
    delays = []
    for symbol in sorted({order.symbol for order in ledger.orders}):
        gap_list = _gaps_of(symbol, ledger, datetime.min.replace(tzinfo=closes.tzinfo), closes)
        for fill in ledger.fills:
            if fill.symbol == symbol and fill.action == "BUY":
                open_gap = next((gap for gap in gap_list if gap.begins <= fill.at < gap.ends), None)
                delays.append(open_gap.ends - fill.at if open_gap else timedelta(0))
    return delays


def _gaps_of(
    symbol: str, ledger: BrokerLedger, opens: datetime, closes: datetime, gone: Sequence[_Change] = ()
) -> list[Gap]:  # fmt: skip
    changes = [*gone, *(change for order in ledger.orders if order.symbol == symbol for change in _changes(order))]
    found: list[Gap] = []
    held = covered = most = 0
    begins: datetime | None = None
    for at, together in groupby(sorted(changes, key=lambda change: change.at), key=lambda change: change.at):
        for change in together:
            held += change.held
            covered += change.covered
        missing = held - covered
        if missing > 0:
            begins, most = begins or at, max(most, missing)
        elif begins is not None:
            found.append(Gap(symbol=symbol, begins=begins, ends=at, shares=most))
            begins, most = None, 0
    if begins is not None:
        found.append(Gap(symbol=symbol, begins=begins, ends=max(closes, begins), shares=most))
    return [clipped for gap in found if (clipped := _clip(gap, opens, closes)).lasts > timedelta(0)]


def _clip(gap: Gap, opens: datetime, closes: datetime) -> Gap:
    begins, ends = max(gap.begins, opens), min(gap.ends, closes)
    return Gap(symbol=gap.symbol, begins=begins, ends=ends, shares=gap.shares)


def _changes(order: LedgerOrder) -> list[_Change]:
    """What one order's history adds to the shares held and to the shares covered, instant by instant."""
    changes: list[_Change] = []
    works, remaining = False, order.quantity
    for event in order.history:
        shares = event.quantity or 0
        if order.action == "BUY":
            changes += [_Change(event.at, shares, 0)] if event.event == "fill" else []
            continue
        match event.event:
            case "working":
                works = True
                changes.append(_Change(event.at, 0, remaining))
            case "fill":
                remaining -= shares
                changes.append(_Change(event.at, -shares, -shares if works else 0))
            case ended if ended in _ENDS and works:
                works = False
                changes.append(_Change(event.at, 0, -remaining))
            case _:
                pass
    return changes
