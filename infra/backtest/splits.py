"""Splits in the span of a back-test: what becomes of what is held over one.

What can go wrong: the price of half a share passes for a loss of half; a split that is not in force yet changes a day
before it. What this promises: a day knows the splits up to its own, and at the open of a split's day the account has
the new shares at the old cost, the book and its watch too, as a broker books it. A part of a share is paid in cash at
the last price, which lessens the cost; where not one whole share would be left there is one, and its rest is paid for.
What rests at the market is cancelled, and the new stop comes with the first look.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from infra.backtest.day import Day
from infra.backtest.played import Carried, Divided
from infra.brokersim.orders import EventKind, Status
from infra.results.facts import Mark
from infra.results.splits import between
from shared.domain.base.calendar import new_york_day
from shared.domain.base.values import CENT, Side, price_down
from shared.domain.market.series import Series, Split
from shared.domain.orders import book
from shared.domain.orders.positions import Fill, Position
from shared.domain.orders.watches import PositionWatch
from shared.domain.telling.wording import count

_AVERAGE = Decimal("0.000000000001")


def known_on(series: Series, day: date) -> tuple[Split, ...]:
    """Give the splits that are in force on a day."""
    return tuple(one for one in series.splits if one.day <= day)


def over_night(carried: Carried, day: Day) -> tuple[Carried, tuple[Divided, ...]]:
    """Give what a day begins with in the shares of that day, and what was divided since it had a price last."""
    found = list[Divided]()
    for symbol, last in carried.overnight.last.items():
        series, held = day.history.get(symbol), carried.positions.get(symbol)
        ratio = between(() if series is None else series.splits, new_york_day(last.at), day.session.day)
        if ratio != 1 and held is not None and held.is_open:
            found.append(_divided(held, ratio, last.price))
            carried = _begun(carried, found[-1], day)
    return carried, tuple(found)


def _divided(held: Position, ratio: Decimal, price: Decimal) -> Divided:
    shares = held.quantity * ratio
    whole = max(int(shares), 1)
    paid = ((shares - whole) * price / ratio).quantize(CENT)
    position = replace(
        held, quantity=whole, average_cost=((book.invested(held) - paid) / whole).quantize(_AVERAGE),
        stop_distance=held.stop_distance / ratio, spread_paid=held.spread_paid / ratio,
        stop_wanted=price_down(held.stop_wanted / ratio), pending_exit=None, missing=None, shown=0,
    )  # fmt: skip
    return Divided(ratio=ratio, before=held, after=position, paid=paid)


def _begun(carried: Carried, one: Divided, day: Day) -> Carried:
    """Put a divided position into what a day begins with."""
    night, symbol, position = carried.overnight, one.after.symbol, one.after
    shares = replace(night.shares[symbol], quantity=position.quantity, cost=book.invested(position))
    last, watch = night.last[symbol], night.watches.get(symbol)
    resting = tuple(replace(order, events=[*order.events]) for order in night.resting)
    for order in resting:
        if order.ticket.symbol == symbol:
            order.end(day.session.opens_at, Status.CANCELLED, EventKind.CANCELLED)
    return replace(
        carried, cash=carried.cash + one.paid, positions={**carried.positions, symbol: position},
        overnight=replace(
            night, shares={**night.shares, symbol: shares}, resting=resting,
            last={**night.last, symbol: Mark(at=day.session.opens_at, price=last.price / one.ratio)},
            watches=night.watches if watch is None else {**night.watches, symbol: _watch(watch, one.ratio)},
        ),
    )  # fmt: skip


def _watch(watch: PositionWatch, ratio: Decimal) -> PositionWatch:
    return replace(
        watch, high_water=watch.high_water / ratio, stop_wanted=price_down(watch.stop_wanted / ratio), exit=None
    )  # fmt: skip


def restated(fills: Sequence[Fill], one: Divided) -> tuple[Fill, ...]:
    """Give the fills of a divided position in its new shares: the money is the same, the cost is that of the book.

    Its purchases become one: a part of a share cannot be left to each of them.
    """
    mine = [fill for fill in fills if fill.position_id == one.after.position_id]
    sold = [_sale(fill, one.ratio) for fill in mine if fill.side == Side.SELL]
    shares = one.after.quantity + sum(fill.quantity for fill in sold)
    bought = next(fill for fill in mine if fill.side == Side.BUY)
    whole = replace(bought, quantity=shares, cumulative=shares, price=one.after.average_cost)
    return (*(fill for fill in fills if fill.position_id != one.after.position_id), whole, *sold)


def _sale(fill: Fill, ratio: Decimal) -> Fill:
    shares = max(int(fill.quantity * ratio), 1)
    return replace(fill, quantity=shares, cumulative=shares, price=fill.price * fill.quantity / shares)


def held_over(one: Divided, day: date) -> str:
    """Say what became of a position, and what the live system would have made of it."""
    before, after, symbol = one.before.quantity, one.after.quantity, one.after.symbol
    paid = ""
    if one.paid > 0:
        paid = f", and ${one.paid:,.2f} were paid out for what is no whole share"
    elif one.paid < 0:
        paid = f", with ${-one.paid:,.2f} paid for the rest of the share, where a broker would pay the part out"
    return (
        f"{count(before, 'share')} of {symbol} were held over its split and are {after:,} from {day} on{paid}: cost, "
        f"stop and target were divided with them, as a broker does. A live system does not do so: its book would keep "
        f"{before:,} shares at the old price, and what it then does is not shown here."
    )
