"""An equity curve put together from what changed hands and from prices, where nobody measured one.

What can go wrong: a symbol has no price at an instant, and its shares count as nothing; a price of a later instant is
used. What this promises: shares count at the last price at or before the instant, and at what was last paid or got for
them while there is none; cash and shares change at the instant of each move.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from infra.results.facts import Mark, Point, Trade
from shared.domain.orders.taken import Taken
from shared.frozen import frozen

MINUTE = timedelta(minutes=1)


@frozen
class Move:
    """Shares that came (more than 0) or went, what that did to the cash in USD, and their price."""

    at: datetime
    symbol: str
    shares: int
    cash: Decimal
    price: Decimal


def minutes(begins: datetime, ends: datetime) -> list[datetime]:
    """Give an instant a minute from `begins` to `ends`, both included."""
    return [begins + number * MINUTE for number in range(max((ends - begins) // MINUTE + 1, 0))]


def curve(
    moves: Iterable[Move], prices: Mapping[str, Sequence[Mark]], starting: Decimal, at: Iterable[datetime]
) -> tuple[Point, ...]:  # fmt: skip
    """Give the equity at each instant, oldest first; moves and prices may come in any order of symbols."""
    coming = sorted(moves, key=lambda move: move.at)
    cash, held, last = starting, dict[str, int](), dict[str, Decimal]()
    seen = dict.fromkeys(prices, 0)
    place, points = 0, list[Point]()
    for now in at:
        while place < len(coming) and coming[place].at <= now:
            move = coming[place]
            cash += move.cash
            held[move.symbol] = held.get(move.symbol, 0) + move.shares
            last[move.symbol] = move.price
            place += 1
        for symbol, marks in prices.items():
            while seen[symbol] < len(marks) and marks[seen[symbol]].at <= now:
                last[symbol] = marks[seen[symbol]].price
                seen[symbol] += 1
        invested = sum((shares * last[symbol] for symbol, shares in held.items() if shares), Decimal(0))
        points.append(Point(at=now, equity=cash + invested, invested=invested))
    return tuple(points)


def traded(at: datetime, symbol: str, *, buys: bool, quantity: int, price: Decimal) -> Move:
    """Give what a fill moved."""
    signed = quantity if buys else -quantity
    return Move(at=at, symbol=symbol, shares=signed, cash=-signed * price, price=price)


def taken_out(taken: Iterable[Taken], trades: Iterable[Trade]) -> Iterator[Move]:
    """Give what the owner took out: at what it brought, and where nobody knows that at what it had cost."""
    cost = {trade.position_id: trade.entry_price for trade in trades}
    for one in taken:
        price = cost.get(one.position_id, Decimal(0)) if one.price is None else one.price
        proceeds = sum((sell.proceeds for sell in one.sells), Decimal(0))
        cash = proceeds + one.unpriced * cost.get(one.position_id, Decimal(0))
        yield Move(at=one.at, symbol=one.symbol, shares=-one.quantity, cash=cash, price=price)
